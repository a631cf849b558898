"""The question's length, and the shorter length whose answers are known sooner."""

from typing import Final, NamedTuple

from schemas.times import DAY_MS, Millis

_MOST_STEPS: Final = 4


class Horizon(NamedTuple):
    """How far ahead the question looks (`length_ms`), in so many steps of `step_ms`.

    Who stays away for 60 days stays away for 15, and then, as what is by then a user longer away, for 15 more: so what
    is learnt from labels of 15 days, which are there much sooner, tells of 60 days too.
    """

    length_ms: Millis
    step_ms: Millis

    @property
    def steps(self) -> int:
        """How many steps make the horizon."""
        return self.length_ms // self.step_ms

    @property
    def days(self) -> float:
        """The whole length in days."""
        return self.length_ms / DAY_MS

    @property
    def step_days(self) -> float:
        """A step's length in days."""
        return self.step_ms / DAY_MS


def horizon(length_ms: Millis, cadence_ms: Millis) -> Horizon:
    """The horizon in at most 4 steps, each some whole cadences; in one where none divides it.

    >>> [horizon(60 * DAY_MS, cadence * DAY_MS).steps for cadence in (15, 1, 30, 40, 7)]
    [4, 4, 2, 1, 1]
    """
    for steps in range(_MOST_STEPS, 1, -1):
        if length_ms % steps == 0 and length_ms // steps % cadence_ms == 0:
            return Horizon(length_ms, length_ms // steps)
    return Horizon(length_ms, length_ms)
