"""What linear models see of the features: each on the scale of the population, squares, crosses, and first-timers."""

from typing import Final

import numpy as np
from msgspec import Struct

from agents.churn.catalogue import FEATURES, PLACE
from agents.churn.models.numbers import HALF, Array, Matrix, Vector

RAW: Final = 3
"""The first features are the history of BG/NBD, which others repeat as logarithms."""
_LEAST_SPREAD: Final = 1e-2
_FAR: Final = 4.0
_CROSSES: Final = (
    ("recency", "recency"),
    ("frequency", "frequency"),
    ("outwaited", "outwaited"),
    ("days_90", "days_90"),
    ("recency", "frequency"),
    ("recency", "gap_recent"),
    ("recency", "days_90"),
    ("frequency", "gap_recent"),
    ("frequency", "days_90"),
    ("frequency", "outwaited"),
)
_FIRST_TIMERS: Final = ("recency", "age")
WIDTH: Final = 1 + len(FEATURES) - RAW + 1 + len(_FIRST_TIMERS) + len(_CROSSES)
"""How many columns there are; the first is 1."""


class Scale(Struct, array_like=True, frozen=True):
    """Mean and standard deviation of each feature."""

    mean: Array
    spread: Array

    @classmethod
    def none(cls) -> "Scale":
        """Features as they are."""
        return cls(Array.of(np.zeros(len(FEATURES))), Array.of(np.ones(len(FEATURES))))

    @classmethod
    def of(cls, x: Matrix) -> "Scale":
        """That of a population."""
        return cls(Array.of(x.mean(axis=0)), Array.of(x.std(axis=0) + _LEAST_SPREAD))

    def apply(self, x: Matrix) -> Matrix:
        """Features in standard deviations from the mean, at most 4."""
        return np.asarray(np.clip((x - self.mean.array()) / self.spread.array(), -_FAR, _FAR))


def design(x: Matrix, scale: Scale) -> Matrix:
    """The columns that a linear model weighs."""
    scaled = scale.apply(x)
    column = {name: scaled[:, place] for name, place in PLACE.items()}
    first_timer: Vector = (x[:, PLACE["repeat_days"]] < HALF).astype(np.float64)
    return np.column_stack(
        [
            np.ones(len(x)),
            scaled[:, RAW:],
            first_timer,
            *(first_timer * column[name] for name in _FIRST_TIMERS),
            *(column[one] * column[other] for one, other in _CROSSES),
        ]
    )
