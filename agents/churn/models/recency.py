"""The baseline: who was here lately comes back; nothing else is looked at."""

from typing import ClassVar, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agents.churn.catalogue import PLACE
from agents.churn.horizon import Horizon
from agents.churn.models.model import Model
from agents.churn.models.numbers import Array, Matrix, Vector, chance, likely
from schemas.times import Millis

BINS: Final = 32
_WIDTH: Final = 0.25
"""Of a bin, in ln(1 + days): the last bin begins after six years."""
PRIOR_USERS: Final = 20.0
_KEPT: Final = 0.95
"""So much a count weighs at the next instant."""


class _State(Struct, array_like=True):
    inactive: Array
    all: Array


class Recency(Model):
    """The share of those inactive by bins of recency, decayed from instant to instant."""

    name: ClassVar[str] = "recency"

    def __init__(self, horizon: Horizon) -> None:
        self._days = horizon.days
        self._inactive = np.zeros(BINS)
        self._all = np.zeros(BINS)

    def learn(self, x: Matrix, y: Vector, as_of: Millis) -> None:  # noqa: ARG002  all models have the same methods
        """Count them."""
        bins = _bins(x)
        self._inactive = self._inactive * _KEPT + np.bincount(bins, y, BINS)
        self._all = self._all * _KEPT + np.bincount(bins, minlength=BINS)

    def predict(self, x: Matrix) -> Vector:
        """The share in the row's bin; of few users, near to what recency alone lets expect."""
        bins = _bins(x)
        prior = expected(x, self._days)
        return likely((self._inactive[bins] + PRIOR_USERS * prior) / (self._all[bins] + PRIOR_USERS))

    def snapshot(self, *, whole: bool = True) -> bytes:  # noqa: ARG002  the counts are whole
        """The counts."""
        return msgspec.msgpack.encode(_State(Array.of(self._inactive), Array.of(self._all)))

    def restore(self, snapshot: bytes) -> None:
        """Take them over."""
        state = msgspec.msgpack.decode(snapshot, type=_State)
        self._inactive, self._all = state.inactive.array(), state.all.array()


def expected(x: Matrix, days: float) -> Vector:
    """A guess from recency, before anything was learnt: even odds for who was away as long as the horizon."""
    return chance(0.5 * (x[:, PLACE["recency"]] - np.log1p(days)))


def _bins(x: Matrix) -> NDArray[np.int64]:
    return np.clip(x[:, PLACE["recency"]] / _WIDTH, 0, BINS - 1).astype(np.int64)
