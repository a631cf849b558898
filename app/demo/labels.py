"""How made-up events are told from real ones: by a word in their ids, which every change that they cause names.

`simulated`: put around real orders. `generated`: of a history that is made up altogether.
"""

from typing import Final, Literal, TypeAlias

from schemas.changes import BY_TIME

Label: TypeAlias = Literal["simulated", "generated"]

LABELS: Final[tuple[Label, ...]] = ("simulated", "generated")
TIME_PASSED: Final = "time passed"
NEW_SCORE: Final = "new score"


def labelled_id(label: Label, *parts: object) -> str:
    """An event id that says what it is.

    >>> labelled_id("simulated", "536365", 2)
    'simulated-536365-2'
    """
    return "-".join([label, *map(str, parts)])


def cause_in_words(cause: str) -> str:
    """The cause of a change for people: the type of its event, and whether that was real.

    >>> cause_in_words("order:536365"), cause_in_words("click:simulated-536365-2"), cause_in_words("timer")
    ('order', 'click, simulated', 'time passed')
    """
    if cause == BY_TIME:
        return TIME_PASSED
    if cause.startswith(("churn:", "gender:")):
        return NEW_SCORE
    kind, _, event_id = cause.partition(":")
    return next((f"{kind}, {label}" for label in LABELS if event_id.startswith(f"{label}-")), kind)
