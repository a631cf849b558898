"""What compiled expressions may call beside the view. Unknown is None, in and out."""

from typing import Any, Final

from agents.rules.scope import Population
from schemas.times import Millis, to_datetime


def number(value: Any) -> float | None:
    """A value whose kind is known only now, if it is a number.

    >>> number(2), number("2"), number(True)
    (2, None, None)
    """
    return value if value.__class__ is int or value.__class__ is float else None


def text(value: Any) -> str | None:
    """Likewise, if it is a text."""
    return value if value.__class__ is str else None


def boolean(value: Any) -> bool | None:
    """Likewise, if it is true or false."""
    return value if value.__class__ is bool else None


def date_of(instant: Millis | None) -> str | None:
    """The UTC day of an instant.

    >>> date_of(1_291_161_600_000)
    '2010-12-01'
    """
    return None if instant is None else to_datetime(instant).date().isoformat()


def lift(v: Any, population: Population, dimension: str, value: str) -> float | None:
    """A user's share by that of the population."""
    return _ratio(v.share(dimension, value), population[dimension].get(value))


def top_lift(v: Any, population: Population, dimension: str) -> float | None:
    """The share of a user's top value by that of the population; None where that is not told."""
    return _ratio(v.top_share(dimension), population[dimension].get(v.top(dimension)))


_LEAST: Final = 1e-9
"""Less than this share of a population is nobody."""


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or whole is None or whole < _LEAST else part / whole


HELPERS: Final = {each.__name__: each for each in (number, text, boolean, date_of, lift, top_lift)}
"""All of them, by name: these are the only globals of compiled code, beside `population` and what forms add."""
