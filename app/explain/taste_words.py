"""What a user likes, in words: shares of actions and of spend by category, brand, channel, price band and hour."""

from collections.abc import Mapping
from typing import Final

from agents.rules.view import View
from app.explain.phrases import counted, percent, plain
from schemas.rules import Population
from tables.dimensions import Dimension

_TOLD: Final[dict[Dimension, str]] = {
    "category": "with a category",
    "brand": "with a brand",
    "channel": "with a channel",
    "price_band": "with a price",
    "hour": "",
}


def top(dimension: Dimension, label: str | None) -> str:
    """The value that comes first."""
    name = dimension.replace("_", " ")
    return f"no {name} yet" if label is None else f"most often {_label(dimension, label)}"


def observed(dimension: Dimension, count: int) -> str:
    """How much is known.

    >>> observed("category", 27), observed("hour", 1)
    ('27 actions with a category', '1 action')
    """
    return f"{counted(count, 'action')} {_TOLD[dimension]}".rstrip()


def share(dimension: Dimension, label: str, view: View, population: Population) -> str:
    """The share of one value, and what it is in the population."""
    part = view.share(dimension, label)
    if part is None:
        return observed(dimension, 0)
    usual: Mapping[str, float] = getattr(population, dimension)
    known = f"; in the population {percent(usual[label])}" if label in usual else ""
    of = observed(dimension, view.observed(dimension))
    return f"{_label(dimension, label)}: {percent(part)} of {of}, older ones weighing less{known}"


def top_share(dimension: Dimension, view: View, population: Population) -> str:
    """The share of the value that comes first."""
    label = view.top(dimension)
    return observed(dimension, 0) if label is None else share(dimension, label, view, population)


def spend_share(dimension: Dimension, label: str, part: float | None) -> str:
    """The share of spend."""
    if part is None:
        return "no spend yet" if dimension == "hour" else f"no spend {_TOLD[dimension]}"
    return f"{_label(dimension, label)}: {percent(part)} of spend"


def _label(dimension: Dimension, label: str) -> str:
    """A value, so that it is known of what.

    >>> _label("hour", "9"), _label("price_band", "8-16"), _label("channel", "web")
    ('hour 9', 'prices 8-16', 'channel web')
    """
    return f"{'prices' if dimension == 'price_band' else dimension} {plain(label)}"
