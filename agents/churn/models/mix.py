"""The mix of experts: the weighted mean of their log-odds, the weights learnt by exponentiated gradient.

Kivinen and Warmuth (1997), on the log loss of what came true.
"""

from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from agents.churn.models.numbers import Matrix, Vector, chance, total

RATE: Final = 10.0
"""How far the weights follow what one instant says."""
_LEAST: Final = 1e-3


class _State(Struct, array_like=True):
    weights: list[float]


class Mix:
    """Weights of experts that add up to 1, from a prior on."""

    def __init__(self, prior: tuple[float, ...]) -> None:
        self._weights: Vector = np.array(prior) / sum(prior)

    @property
    def weights(self) -> tuple[float, ...]:
        """As they are."""
        return tuple(self._weights.tolist())

    def learn(self, odds: Matrix, y: Vector) -> None:
        """Learn from the experts' log-odds, as they were said (a column each), and what came true at one instant."""
        if len(y):
            slope = (odds * (self.predict(odds) - y)[:, None]).mean(axis=0)
            weights = np.maximum(self._weights * np.exp(-RATE * (slope - slope.min()).clip(max=1.0)), _LEAST)
            self._weights = weights / weights.sum()

    def predict(self, odds: Matrix) -> Vector:
        """P(inactive) of each row of the experts' log-odds."""
        return chance(total(odds, self._weights))

    def snapshot(self) -> bytes:
        """The weights."""
        return msgspec.msgpack.encode(_State(self._weights.tolist()))

    def restore(self, snapshot: bytes) -> None:
        """Take them over."""
        self._weights = np.array(msgspec.msgpack.decode(snapshot, type=_State).weights)
