"""Tastes: what a portrait tells of one dimension, in the words of the rules."""

from typing import Final

from tables.dimensions import BAND_LABELS, HOURS, MAX_LABEL, Dimension
from tables.interest import Value
from tables.portrait import Portrait

_BANDS: Final = {label: place for place, label in enumerate(BAND_LABELS)}
_HOURS: Final = {str(hour): hour for hour in range(HOURS)}
_UNKNOWN: Final = -1


class Tastes:
    """A user's shares of actions and of spend. Hours are those of a clock that is so many ahead of UTC."""

    __slots__ = ("_ahead", "_portrait")

    def __init__(self, portrait: Portrait, hours_ahead: int) -> None:
        self._portrait = portrait
        self._ahead = hours_ahead

    def share(self, dimension: Dimension, value: str) -> float | None:
        """Of actions; None where there are none."""
        interest = self._portrait.interest(dimension)
        weight = interest.weights.get(self._key(dimension, value), 0)
        return _ratio(weight, sum(interest.weights.values()) + interest.lost)

    def spend_share(self, dimension: Dimension, value: str) -> float | None:
        """Of spend; None where there is none."""
        interest = self._portrait.interest(dimension)
        spends = interest.spends or {}
        return _ratio(spends.get(self._key(dimension, value), 0), sum(spends.values()) + interest.lost_spend)

    def top(self, dimension: Dimension) -> str | None:
        """The value of the greatest weight, of several the least."""
        weights = self._portrait.interest(dimension).weights
        greatest = max(weights.values(), default=0)
        return self._least(dimension, [key for key, weight in weights.items() if weight == greatest])

    def top_share(self, dimension: Dimension) -> float | None:
        """Its share of actions."""
        interest = self._portrait.interest(dimension)
        greatest = max(interest.weights.values(), default=0)
        return _ratio(greatest, sum(interest.weights.values()) + interest.lost)

    def observed(self, dimension: Dimension) -> int:
        """The number of actions, whenever they were."""
        return self._portrait.interest(dimension).observed

    def _least(self, dimension: Dimension, keys: list[Value]) -> str | None:
        if not keys:
            return None
        if dimension == "hour":
            return str(min((int(key) + self._ahead) % HOURS for key in keys))
        return BAND_LABELS[min(map(int, keys))] if dimension == "price_band" else min(map(str, keys))

    def _key(self, dimension: Dimension, value: str) -> Value:
        if dimension == "hour":
            return (_HOURS[value] - self._ahead) % HOURS if value in _HOURS else _UNKNOWN
        if dimension == "price_band":
            return _BANDS.get(value, _UNKNOWN)
        return value[:MAX_LABEL]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
