"""Bands: a score as one of a few values, which does not flap at the edges."""

from bisect import bisect_right
from math import inf
from typing import NamedTuple

from agents.rules.as_written import as_written
from schemas.events import Scalar


class Bands(NamedTuple):
    """The values of a score: each below its edge, the last one above all edges."""

    values: tuple[Scalar, ...]
    edges: tuple[float, ...]
    hysteresis: float
    otherwise: Scalar

    def of(self, score: float | None, current: Scalar) -> Scalar:
        """The value of a score; the current one, until the score is past an edge of its band by the hysteresis.

        >>> bands = Bands(("low", "high"), (0.5,), 0.1, None)
        >>> bands.of(0.5, None), bands.of(0.5, "low"), bands.of(0.6, "low"), bands.of(0.4, "high")
        ('high', 'low', 'high', 'high')
        """
        if score is None:
            return self.otherwise
        if self.hysteresis and current in self.values:
            place = self.values.index(current)
            low = as_written(self.edges[place - 1] - self.hysteresis) if place else -inf
            high = as_written(self.edges[place] + self.hysteresis) if place < len(self.edges) else inf
            if low <= score < high:
                return self.values[place]
        return self.values[bisect_right(self.edges, score)]
