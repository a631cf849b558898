"""What is usual: the share that a value of a dimension has in what the mean user does."""

from collections import Counter, defaultdict
from typing import Final

from agents.rules.view import View
from agents.rules.zones import hours_ahead
from schemas.times import NEVER
from tables.dimensions import BAND_LABELS, DIMENSIONS, HOURS, Dimension

MAX_VALUES: Final = 20
MIN_SHARE: Final = 0.01
"""Of each dimension, at most so many values are told, none of which is rarer than that."""


class Usual:
    """Sums up the users' decayed shares by dimension and value; each user counts as much as any other."""

    def __init__(self) -> None:
        self._users: Counter[Dimension] = Counter()
        self._shares: dict[Dimension, defaultdict[str, float]] = {each: defaultdict(float) for each in DIMENSIONS}

    def add(self, view: View) -> None:
        """Take in what a user does."""
        portrait = view.row.portraits.before(NEVER)
        for dimension in DIMENSIONS:
            interest = portrait.interest(dimension)
            total = sum(interest.weights.values()) + interest.lost
            if total:
                self._users[dimension] += 1
                shares = self._shares[dimension]
                for value, weight in interest.weights.items():
                    shares[_label(dimension, value, view)] += weight / total

    def shares(self) -> dict[Dimension, dict[str, float]]:
        """By dimension, the values of the greatest shares; nothing of a dimension that the history does not have."""
        found = {dimension: self._most(dimension) for dimension in DIMENSIONS if self._users[dimension]}
        return {dimension: shares for dimension, shares in found.items() if shares}

    def _most(self, dimension: Dimension) -> dict[str, float]:
        sums, users = self._shares[dimension], self._users[dimension]
        most = sorted(sums, key=lambda value: (-sums[value], value))[:MAX_VALUES]
        return {value: sums[value] / users for value in most if sums[value] / users >= MIN_SHARE}


def _label(dimension: Dimension, value: int | str, view: View) -> str:
    """A value as expressions have it; hours in the user's time zone."""
    if isinstance(value, str):
        return value
    if dimension == "price_band":
        return BAND_LABELS[value]
    then = view.instant("last_activity")
    zone = view.row.attributes.get("timezone")
    ahead = 0 if zone is None or then is None else hours_ahead(zone.value, then)
    return str((value + ahead) % HOURS)
