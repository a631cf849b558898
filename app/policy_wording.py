"""What is said of policies, in the terminal and in the report."""

from typing import Final

NOBODY_ANSWERS: Final = (
    "Nobody answers to messages in a backtest: these values are of what users did anyway, less what messages would have"
    " cost. They do not tell which channel works."
)
NOTHING: Final = (
    'There is nothing to judge: no trigger of a campaign with choose = "learned" has come to the end of its window.'
)
_MEANINGS: Final = {
    "logged": "what was chosen",
    "in_order": "the first channel that is open",
    "uniform": "any open one, with the same chance",
    "learned": "the one that brings most, by what was known at each decision; with a chance of 10 % any open one",
}


def meaning(policy: str) -> str:
    """What a policy does.

    >>> meaning("sms")
    'sms where it is open, else the first that is'
    """
    return _MEANINGS.get(policy, f"{policy} where it is open, else the first that is")


def with_error(value: float, error: float) -> str:
    """A value with its standard error.

    >>> with_error(0.12345, 0.01)
    '0.123 ± 0.010'
    """
    return f"{value:,.3f} ± {error:,.3f}"
