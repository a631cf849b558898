"""Logistic regression from BG/NBD on: log-odds of BG/NBD, and what the features say beyond them.

With no or few labels it says what BG/NBD says, as each weight beside it is held near 0.
"""

from typing import ClassVar, Final

import msgspec
import numpy as np
from msgspec import Struct
from threadpoolctl import threadpool_limits

from agents.churn.horizon import Horizon
from agents.churn.models.beyond import BeyondBgNbd
from agents.churn.models.bgnbd import BgNbd
from agents.churn.models.design import WIDTH, Scale, design
from agents.churn.models.numbers import Array, Matrix, Vector, chance, total
from agents.churn.models.reservoir import Part
from agents.churn.models.trust import Trust
from schemas.times import Millis

CAPACITY: Final = 30_000
HALF_LIFE_DAYS: Final = 120.0
"""Examples weigh half as much for each of these."""
PENALTY: Final = 100.0
"""As strong a belief in a weight of 0 as so many examples make of the opposite."""
LEVEL_PENALTY: Final = 10.0
_ROUNDS: Final = 8
_EXACT: Final = 1e-4


class _State(Struct, array_like=True):
    weights: Array
    scale: Scale
    trust: Trust
    ripeness: float
    parts: list[Part] = []


class Linear(BeyondBgNbd):
    """One that learns labels of the whole horizon."""

    name: ClassVar[str] = "linear"

    def __init__(self, horizon: Horizon, bg_nbd: BgNbd) -> None:
        super().__init__(horizon, bg_nbd, CAPACITY)
        self._weights = np.zeros(WIDTH + 1)
        self._scale = Scale.none()

    def refit(self, x: Matrix, as_of: Millis) -> None:  # noqa: ARG002  all models have the same methods
        """Weigh anew, on the scale of everyone now."""
        if len(x) and len(self._known):
            self._scale = Scale.of(x)
            known = self._known.examples()
            prior = self._bg_nbd.odds(known.x, self._days)
            columns = np.column_stack([design(known.x, self._scale), prior])
            with threadpool_limits(1):
                self._weights = _fitted(columns, prior, known.y, np.exp2(-known.days_ago / HALF_LIFE_DAYS))
            self._ripen()

    def _said(self, x: Matrix) -> tuple[Vector, Vector]:
        prior = self._bg_nbd.odds(x, self._days)
        return prior, prior + total(np.column_stack([design(x, self._scale), prior]), self._weights)

    def snapshot(self, *, whole: bool = True) -> bytes:
        """Weights, scale and trust, and the examples."""
        parts = self._known.parts() if whole else []
        return msgspec.msgpack.encode(_State(Array.of(self._weights), self._scale, self._trust, self._ripeness, parts))

    def restore(self, snapshot: bytes) -> None:
        """Take them over."""
        state = msgspec.msgpack.decode(snapshot, type=_State)
        self._weights, self._scale, self._trust = state.weights.array(), state.scale, state.trust
        self._ripeness = state.ripeness
        self._known.restore(state.parts)


class StepsLinear(Linear):
    """One that learns labels of one step, and chains them."""

    name: ClassVar[str] = "linear_steps"
    span = "step"


def _fitted(columns: Matrix, prior: Vector, y: Vector, weight: Vector) -> Vector:
    """The penalised likeliest weights beside the prior's log-odds, by Newton's method.

    To be called with one thread, as sums over threads depend on their number in the last bits.
    """
    penalty = np.full(columns.shape[1], PENALTY)
    penalty[0] = LEVEL_PENALTY
    found = np.zeros(columns.shape[1])
    for _ in range(_ROUNDS):
        p = chance(prior + columns @ found)
        slope = columns.T @ (weight * (p - y)) + penalty * found
        curvature = (columns * (weight * p * (1.0 - p))[:, None]).T @ columns
        step = np.linalg.solve(curvature + np.diag(penalty), slope)
        found -= step
        if np.abs(step).max() < _EXACT:
            break
    return found
