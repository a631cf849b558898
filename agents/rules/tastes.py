"""Tastes: what a portrait tells of one dimension, in the words of the rules."""

from typing import Final, NamedTuple

from schemas.times import Millis
from tables.dimensions import BAND_LABELS, HOURS, MAX_LABEL, Dimension
from tables.interest import Value
from tables.portrait import BLOCK_MS, Portrait

_BANDS: Final = {label: place for place, label in enumerate(BAND_LABELS)}
_HOURS: Final = {str(hour): hour for hour in range(HOURS)}
_UNKNOWN: Final = -1


class Lead(NamedTuple):
    """The value of the greatest weight in a dimension; and weights: its own, the next one's, that of all actions."""

    top: str | None
    weight: int
    next: int
    total: int

    @property
    def share(self) -> float:
        """Of the actions; 0 where there are none."""
        return self.weight / self.total if self.total else 0.0


class Taste(NamedTuple):
    """A value, its share of the actions, and of the spend; None where there is none."""

    value: str
    share: float
    spend_share: float | None


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

    def lead(self, dimension: Dimension) -> Lead:
        """Who leads: of several the least."""
        interest = self._portrait.interest(dimension)
        weights = interest.weights
        if not weights:
            return Lead(None, 0, 0, interest.lost)
        ordered = sorted(weights.values())
        greatest = ordered[-1]
        keys = [key for key, weight in weights.items() if weight == greatest]
        following = ordered[-2] if len(ordered) > 1 else 0
        return Lead(self._least(dimension, keys), greatest, following, sum(ordered) + interest.lost)

    def all(self, dimension: Dimension) -> list[Taste]:
        """All values that are known, those of the greatest share first."""
        interest = self._portrait.interest(dimension)
        spends = interest.spends or {}
        actions, spend = sum(interest.weights.values()) + interest.lost, sum(spends.values()) + interest.lost_spend
        found = [
            Taste(
                self._least(dimension, [key]),
                _share(interest.weights.get(key, 0), actions),
                _ratio(spends.get(key, 0), spend),
            )
            for key in {**interest.weights, **spends}
        ]
        return sorted(found, key=lambda taste: (-taste.share, taste.value))

    def observed(self, dimension: Dimension) -> int:
        """The number of actions, whenever they were."""
        return self._portrait.interest(dimension).observed

    def weight(self, dimension: Dimension, value: str) -> int:
        """That of the actions with a value."""
        return self._portrait.interest(dimension).weights.get(self._key(dimension, value), 0)

    def unit(self, now: Millis) -> int:
        """What an action weighs at a time not before the last one."""
        return 1 << max(now // BLOCK_MS - (self._portrait.base or 0), 0)

    def _least(self, dimension: Dimension, keys: list[Value]) -> str:
        if dimension == "hour":
            return str(min((int(key) + self._ahead) % HOURS for key in keys))
        return BAND_LABELS[min(map(int, keys))] if dimension == "price_band" else min(map(str, keys))

    def _key(self, dimension: Dimension, value: str) -> Value:
        if dimension == "hour":
            return (_HOURS[value] - self._ahead) % HOURS if value in _HOURS else _UNKNOWN
        if dimension == "price_band":
            return _BANDS.get(value, _UNKNOWN)
        return value[:MAX_LABEL]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
