"""Calibration: scores stretched and shifted, in log-odds, to what came true (Platt 1999), online."""

from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from agents.churn.models.numbers import Array, Vector, chance, log_odds

BINS: Final = 64
_LOWEST: Final = -8.0
_WIDTH: Final = 0.25
KEPT: Final = 0.95
"""So much a count weighs at the next instant."""
PRIOR_USERS: Final = 100.0
PRIOR_SHARE: Final = 0.3
"""As strong a belief that a score is right as so many users (at least so great a share of an instant's) make of the
opposite: one odd season moves everyone together."""
_ROUNDS: Final = 12


class _State(Struct, array_like=True):
    counts: Array
    slope: float
    shift: float


class Bin(NamedTuple):
    """Of users with about the same score: how many (decayed), what was said, and the share of whom it was true."""

    users: float
    said: float
    came_true: float


class Calibration:
    """Slope and shift of log-odds, fitted to decayed counts of scores and labels by bins of log-odds."""

    def __init__(self) -> None:
        self._counts = np.zeros((3, BINS))
        self._slope, self._shift = 1.0, 0.0

    def learn(self, p: Vector, y: Vector) -> None:
        """Take in the scores of one instant as they were said, and what came true."""
        odds = log_odds(p)
        bins = np.clip((odds - _LOWEST) / _WIDTH, 0, BINS - 1).astype(np.int64)
        sums = [np.bincount(bins, each, BINS) for each in (np.ones(len(y)), odds, y)]
        self._counts = self._counts * KEPT + np.stack(sums)
        self._fit(max(PRIOR_USERS, PRIOR_SHARE * len(y)))

    def apply(self, p: Vector) -> Vector:
        """Calibrated scores, in the same order."""
        return chance(self._slope * log_odds(p) + self._shift)

    @property
    def slope(self) -> float:
        """By which log-odds are stretched."""
        return self._slope

    @property
    def shift(self) -> float:
        """What is then added to them."""
        return self._shift

    def curve(self) -> list[Bin]:
        """What was said, and what came true of it, bin by bin; of bins with less than a user nothing."""
        count, odds, hits = (each[self._counts[0] >= 1.0] for each in self._counts)
        said = chance(odds / count)
        return [Bin(*each) for each in zip(count.tolist(), said.tolist(), (hits / count).tolist(), strict=True)]

    def _fit(self, belief: float) -> None:
        count, odds, hits = self._counts
        mean = odds / np.maximum(count, 1e-9)
        columns, found = np.stack([mean, np.ones(BINS)], axis=1), np.array([1.0, 0.0])
        for _ in range(_ROUNDS):
            p = chance(columns @ found)
            slope = columns.T @ (count * p - hits) + belief * (found - [1.0, 0.0])
            curvature = (columns * (count * p * (1.0 - p))[:, None]).T @ columns
            found = found - np.linalg.solve(curvature + belief * np.eye(2), slope)
        self._slope, self._shift = max(float(found[0]), 0.1), float(found[1])

    def snapshot(self) -> bytes:
        """The counts, and what was made of them."""
        return msgspec.msgpack.encode(_State(Array.of(self._counts), self._slope, self._shift))

    def restore(self, snapshot: bytes) -> None:
        """Take them over."""
        state = msgspec.msgpack.decode(snapshot, type=_State)
        self._counts, self._slope, self._shift = state.counts.array(), state.slope, state.shift
