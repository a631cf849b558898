"""Models that say what the features tell beyond BG/NBD, learnt again and again from a reservoir of examples."""

from abc import abstractmethod
from typing import Final

import numpy as np

from agents.churn.ageing import aged
from agents.churn.horizon import Horizon
from agents.churn.models.bgnbd import BgNbd
from agents.churn.models.model import Model
from agents.churn.models.numbers import Matrix, Vector, chance, likely
from agents.churn.models.reservoir import Reservoir
from agents.churn.models.trust import Trust
from schemas.times import Millis

HALFWAY: Final = 2.0
"""After so many instants a model goes half as far from BG/NBD as it is trusted later."""


class BeyondBgNbd(Model):
    """Goes as far from BG/NBD's log-odds as it is trusted; over a step at a time if it learns labels of steps."""

    def __init__(self, horizon: Horizon, bg_nbd: BgNbd, capacity: int) -> None:
        self._steps = horizon.steps if self.span == "step" else 1
        self._days = horizon.days / self._steps
        self._bg_nbd = bg_nbd
        self._trust = Trust()
        self._ripeness = 0.0
        self._known = Reservoir(capacity)

    def learn(self, x: Matrix, y: Vector, as_of: Millis) -> None:
        """See how well the last refit did, and keep them for the next."""
        if len(self._known) and len(y):
            self._trust.learn(*self._odds(x), y)
        self._known.add(x, y, as_of)

    def predict(self, x: Matrix) -> Vector:
        """The product over the steps, each as of what the user will be like who has stayed away until then."""
        found = np.ones(len(x))
        for step in range(self._steps):
            found *= self._step(aged(x, step * self._days) if step else x)
        return likely(found)

    def _step(self, x: Matrix) -> Vector:
        return chance(self._trust.between(*self._odds(x)))

    def _odds(self, x: Matrix) -> tuple[Vector, Vector]:
        """Of BG/NBD, and of this model as far as it is ripe, for one step."""
        prior, odds = self._said(x)
        return prior, prior + self._ripeness * (odds - prior)

    def _ripen(self) -> None:
        """After a refit."""
        self._ripeness = self._known.instants / (self._known.instants + HALFWAY)

    @abstractmethod
    def _said(self, x: Matrix) -> tuple[Vector, Vector]:
        """Log-odds of BG/NBD, and of this model, for one step."""
