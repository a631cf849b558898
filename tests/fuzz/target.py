"""One parser, what it is fed, and what must be true of its answer."""

import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

ROUND: int = 200
"""So many batches are made in one go; then the clock is looked at."""
HANG_S: float = 10.0
"""An input that takes longer is a fault."""


class Target(NamedTuple):
    """`check` gets what `batches` makes, one input after the other; anything that it raises is a fault."""

    name: str
    batches: st.SearchStrategy[list[Any]]
    check: Callable[[Any], None]

    def run(self, seconds: float, number: int) -> int:
        """Feed the parser until the time is over; how many inputs it got. `number`: repeats the same inputs.

        Raises what `check` raised, with the smallest input that makes it so in a note.
        """
        runs, deadline = 0, time.monotonic() + seconds
        while time.monotonic() < deadline:
            runs += self._round(number)
            number += 1
        return runs

    def _round(self, number: int) -> int:
        runs = 0

        @seed(number)
        @settings(
            max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )  # fmt: skip
        @given(self.batches)
        def attempt(inputs: list[Any]) -> None:
            nonlocal runs
            for value in inputs:
                runs += 1
                started = time.monotonic()
                self.check(value)
                assert time.monotonic() - started < HANG_S, "it took too long"

        with warnings.catch_warnings(action="ignore", category=HypothesisWarning):  # seeds are long, and not shown
            attempt()
        return runs
