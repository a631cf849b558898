"""The order of time: at each instant what has matured is learnt, then scores are made; nothing later is ever used."""

from collections import deque
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np

from agents.churn.ensemble import Ensemble
from agents.churn.models.numbers import Matrix, Vector
from schemas.times import Millis

Who = TypeVar("Who")
Labels: TypeAlias = Callable[[Who, Millis, Millis], Vector]
"""(who, as_of, span_ms) -> 1 for each without any activity in (as_of, as_of + span_ms], not a number where that is not
known; asked once that has passed."""


class Instant(NamedTuple, Generic[Who]):
    """Those known at an instant, in order of user, and their features as of then."""

    as_of: Millis
    who: Who
    x: Matrix


class _Waiting(NamedTuple, Generic[Who]):
    instant: Instant[Who]
    said: dict[str, Vector]


class Prequential(Generic[Who]):
    """Leads an ensemble through the instants of a history that is read from its beginning.

    `lateness_ms`: so much later than its span a label is settled.
    """

    def __init__(self, ensemble: Ensemble, labels: Labels[Who], lateness_ms: Millis = 0) -> None:
        self._ensemble = ensemble
        self._lateness_ms = lateness_ms
        self._labels = labels
        self._for_step: deque[Instant[Who]] = deque()
        self._for_all: deque[_Waiting[Who]] = deque()

    def turn(self, instant: Instant[Who]) -> dict[str, Vector]:
        """What each candidate says of the newest instant; the ensemble's champion is the one to believe."""
        ensemble, horizon = self._ensemble, self._ensemble.horizon
        settled = instant.as_of - self._lateness_ms
        while self._for_step and self._for_step[0].as_of + horizon.step_ms <= settled:
            as_of, who, x = self._for_step.popleft()
            y = self._labels(who, as_of, horizon.step_ms)
            is_known = ~np.isnan(y)
            ensemble.learn_steps(x[is_known], y[is_known], as_of)
        while self._for_all and self._for_all[0].instant.as_of + horizon.length_ms <= settled:
            (as_of, who, x), said = self._for_all.popleft()
            y = self._labels(who, as_of, horizon.length_ms)
            is_known = ~np.isnan(y)
            ensemble.learn(x[is_known], y[is_known], {name: p[is_known] for name, p in said.items()}, as_of)
        ensemble.refit(instant.x, instant.as_of)
        said = ensemble.candidates(instant.x)
        if horizon.steps > 1:
            self._for_step.append(instant)
        self._for_all.append(_Waiting(instant, said))
        return said
