"""The words of the report's part about who is about to leave: models, features, and how good scores are."""

from math import exp, log
from typing import Final, NamedTuple

from agents.churn.catalogue import FEATURES
from app.churn_data import CHAMPION, Churn, Effect

_DOCS: Final = {feature.name: feature.doc for feature in FEATURES}
_CLEAR: Final = 0.4
"""From such a correlation on, which way an effect goes is said."""
_STEPS: Final = "; learnt from labels of a part of the horizon, which are known sooner"


class Words(NamedTuple):
    """What a model is called, and what it is."""

    title: str
    meaning: str


MODELS: Final[dict[str, Words]] = {
    CHAMPION: Words("Champion", "whichever model was believed, instant by instant"),
    "mix": Words("Mix", "of all that have a weight, each weighing what it proved worth"),
    "mix_calibrated": Words("Mix, calibrated", "the mix, stretched and shifted to what came true"),
    "boosting": Words("Boosting", "what many small trees see beyond BG/NBD"),
    "boosting_steps": Words("Boosting by steps", f"what many small trees see beyond BG/NBD{_STEPS}"),
    "linear": Words("Regression", "what a logistic regression sees beyond BG/NBD"),
    "linear_steps": Words("Regression by steps", f"what a logistic regression sees beyond BG/NBD{_STEPS}"),
    "bg_nbd": Words("BG/NBD", "how often each user comes and how likely they leave, from three numbers a user"),
    "forest": Words("Online forest", "random trees that grow with each example"),
    "logistic": Words("Online regression", "a logistic regression that sees each example once"),
    "recency": Words("Recency alone", "how long ago the last activity was, and nothing else"),
}


def model(name: str) -> Words:
    """What a model is; one without words of its own goes by its name.

    >>> model("recency").title
    'Recency alone'
    """
    return MODELS.get(name, Words(name, ""))


def figure(value: float | None, decimals: int = 3) -> str:
    """A figure, if there is one.

    >>> figure(0.5), figure(None)
    ('0.500', 'n/a')
    """
    return "n/a" if value is None else f"{value:.{decimals}f}"


def percent(share: float | None) -> str:
    """A share in percent, if there is one.

    >>> percent(0.7384), percent(None)
    ('73.8%', 'n/a')
    """
    return "n/a" if share is None else f"{share:.1%}"


def times(factor: float | None) -> str:
    """A factor, if there is one.

    >>> times(1.4099), times(None)
    ('1.41 times', 'n/a')
    """
    return "n/a" if factor is None else f"{factor:.2f} times"


def odds(effect: float) -> str:
    """Log-odds as what they multiply odds by.

    >>> odds(0.6931)
    '2.00 times'
    """
    return times(exp(effect))


def guess(share: float) -> float:
    """The log loss of who says the true share of everyone, and knows nothing else.

    >>> round(guess(0.5), 3), guess(1.0)
    (0.693, 0.0)
    """
    return sum(part * -log(part) for part in (share, 1.0 - share) if part)


def direction(effect: Effect) -> str:
    """With which feature a score rises or falls, where that is clear."""
    if effect.feature is None or effect.correlation is None or abs(effect.correlation) < _CLEAR:
        return "goes either way"
    return f"{'rises' if effect.correlation > 0 else 'falls'} with {effect.feature}: {_DOCS.get(effect.feature, '')}"


def believed(churn: Churn) -> str:
    """Which model is believed now, and how long it was."""
    now = churn.instants[-1].champion
    count = sum(instant.champion == now for instant in churn.instants)
    return f"{model(now).title}, believed at {count} of {len(churn.instants)} instants"
