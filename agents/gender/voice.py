"""The voice: what a scorer needs of the gender model, as plain numbers."""

from collections.abc import Mapping
from math import exp, sqrt
from typing import Final

from msgspec import Struct

from agents.gender.tastes import WHOLE
from schemas.examples import Tastes
from schemas.times import Millis
from tables.guess import Guess

MODEL: Final = "logistic"
_MOST_ODDS: Final = 13.0


class Weights(Struct, array_like=True, frozen=True):
    """A logistic regression: by bucket of tastes the weight, and the intercept."""

    intercept: float
    of: Mapping[int, float]

    def odds(self, seen: Mapping[int, float]) -> float:
        """The log-odds of female."""
        return self.intercept + sum(value * self.of.get(bucket, 0.0) for bucket, value in seen.items())


class Voice(Struct, array_like=True, frozen=True):
    """The models of both halves of the users, and the instant up to which they have learnt."""

    version: str
    halves: tuple[Weights, Weights]

    def guess(self, tastes: Tastes, as_of: Millis) -> Guess:
        """What the tastes of somebody who states nothing lead to expect: the mean of both in log-odds."""
        seen = seen_in(tastes)
        return Guess(chance(sum(half.odds(seen) for half in self.halves) / 2), as_of, self.version)


def seen_in(tastes: Tastes) -> dict[int, float]:
    """Square roots of shares: so each dimension as a whole has the same length, and rare values are seen too.

    >>> seen_in({7: 250})
    {7: 0.5}
    """
    return {bucket: sqrt(share / WHOLE) for bucket, share in tastes.items()}


def chance(odds: float) -> float:
    """The probability of log-odds, kept off 0 and 1.

    >>> chance(0.0)
    0.5
    """
    return 1.0 / (1.0 + exp(-min(max(odds, -_MOST_ODDS), _MOST_ODDS)))
