"""An interest: one user's actions and spend in one dimension, by value."""

from typing import Final, TypeAlias

from msgspec import Struct, field

Value: TypeAlias = int | str
Weights: TypeAlias = dict[Value, int]

_MOST: Final = 2**62
"""Where the weight of a spend stands still, as a row holds no greater number: more than 80 million within a month."""


class Interest(Struct, array_like=True, gc=False):
    """The number of actions (not decayed); by value their weight, and that of what was paid.

    `lost`, `lost_spend`: what those weighed that left for want of room.
    """

    observed: int = 0
    weights: Weights = field(default_factory=dict)
    spends: Weights | None = None
    lost: int = 0
    lost_spend: int = 0

    def pay(self, value: Value, spend: int) -> None:
        """Add the weight of what was paid."""
        if self.spends is None:
            self.spends = {}
        self.spends[value] = min(self.spends.get(value, 0) + spend, _MOST)

    def halve(self, times: int) -> None:
        """Let all weigh a half, a quarter, ...; what weighs less than 1 is gone."""
        for weights in (self.weights, self.spends or {}):
            left = {value: weight >> times for value, weight in weights.items() if weight >> times}
            weights.clear()
            weights.update(left)
        self.lost >>= times
        self.lost_spend >>= times

    def make_room(self, at_most: int, kept: int) -> None:
        """Where there are more values than `at_most`, keep some: the greatest by (weight, value)."""
        if len(self.weights) > at_most:
            self.lost += _drop(self.weights, kept)
        if self.spends is not None and len(self.spends) > at_most:
            self.lost_spend = min(self.lost_spend + _drop(self.spends, kept), _MOST)


def _drop(weights: Weights, kept: int) -> int:
    """Drop all but so many; gives what they weighed."""
    least = sorted(weights, key=lambda value: (weights[value], value))[:-kept]
    return sum(weights.pop(value) for value in least)
