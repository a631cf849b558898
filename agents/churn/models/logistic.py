"""Online logistic regression: each example is seen once, in small batches, by AdaGrad (Duchi, Hazan, Singer 2011)."""

from typing import ClassVar, Final

import msgspec
import numpy as np
from msgspec import Struct

from agents.churn.horizon import Horizon
from agents.churn.models.design import WIDTH, Scale, design
from agents.churn.models.model import Model
from agents.churn.models.numbers import Array, Matrix, Vector, chance, log_odds, total
from agents.churn.models.recency import expected
from schemas.times import Millis

BATCH: Final = 64
_RATE: Final = 0.05
_SHRINK: Final = 1e-4
_SMALL: Final = 1e-3


class _State(Struct, array_like=True):
    weights: Array
    squares: Array
    scale: Scale | None


class Logistic(Model):
    """Weights of the design, beside what recency alone lets expect; the scale is that of the first examples."""

    name: ClassVar[str] = "logistic"

    def __init__(self, horizon: Horizon) -> None:
        self._days = horizon.days
        self._weights = np.zeros(WIDTH)
        self._squares = np.zeros(WIDTH)
        self._scale: Scale | None = None

    def learn(self, x: Matrix, y: Vector, as_of: Millis) -> None:  # noqa: ARG002  all models have the same methods
        """Learn each example once, the batches taken evenly over the order of users."""
        if not len(y):
            return
        self._scale = self._scale or Scale.of(x)
        columns, prior = design(x, self._scale), log_odds(expected(x, self._days))
        batches = -(-len(y) // BATCH)
        for start in range(batches):
            rows = slice(start, None, batches)
            self._step(columns[rows], prior[rows], y[rows])

    def _step(self, columns: Matrix, prior: Vector, y: Vector) -> None:
        error = chance(prior + total(columns, self._weights)) - y
        slope = (columns * error[:, None]).sum(axis=0) / len(y) + _SHRINK * self._weights
        self._squares += slope * slope
        self._weights -= _RATE * slope / (_SMALL + np.sqrt(self._squares))

    def predict(self, x: Matrix) -> Vector:
        """By the weights as they are."""
        prior = log_odds(expected(x, self._days))
        return chance(prior if self._scale is None else prior + total(design(x, self._scale), self._weights))

    def snapshot(self, *, whole: bool = True) -> bytes:  # noqa: ARG002  weights are whole
        """Weights, the sums of squared slopes, and the scale."""
        return msgspec.msgpack.encode(_State(Array.of(self._weights), Array.of(self._squares), self._scale))

    def restore(self, snapshot: bytes) -> None:
        """Take them over."""
        state = msgspec.msgpack.decode(snapshot, type=_State)
        self._weights, self._squares, self._scale = state.weights.array(), state.squares.array(), state.scale
