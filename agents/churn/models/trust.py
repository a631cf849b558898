"""Trust: how far to go from a prior's log-odds towards a model's, by what went well before."""

from typing import Final

import numpy as np
from msgspec import Struct

from agents.churn.models.numbers import Vector, chance

_FIRST: Final = 1.0
_BELIEF: Final = 50.0
"""How strongly, in units of information, the first value is believed."""
_KEPT: Final = 0.95
_MOST: Final = 1.1
_FARTHEST: Final = 0.1
"""A step is no longer: one odd season moves everyone together."""


class Trust(Struct, array_like=True):
    """A share of the way, moved by one Newton step an instant; 0 is the prior, 1 the model."""

    share: float = _FIRST
    information: float = 0.0

    def learn(self, prior: Vector, odds: Vector, y: Vector) -> None:
        """Learn from what both said, before the labels were known."""
        way = odds - prior
        p = chance(prior + self.share * way)
        self.information = self.information * _KEPT + float((p * (1.0 - p) * way * way).sum())
        step = float(((p - y) * way).sum()) / (self.information + _BELIEF)
        self.share = float(np.clip(self.share - np.clip(step, -_FARTHEST, _FARTHEST), 0.0, _MOST))

    def between(self, prior: Vector, odds: Vector) -> Vector:
        """The log-odds that share of the way."""
        return np.asarray(prior + self.share * (odds - prior))
