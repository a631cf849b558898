"""The grid: the instants for which users are scored, the same for all partitions."""

from msgspec import Struct

from agents.churn.horizon import Horizon, horizon
from schemas.times import DAY_MS, Millis


class Grid(Struct, frozen=True, gc=False):
    """Multiples of `every_ms` since the Unix epoch; at each: will there be no activity within `horizon_ms`.

    `lateness_ms`: so much later the answer is settled. `share`: of the users, those who are examples.
    """

    every_ms: Millis = 7 * DAY_MS
    horizon_ms: Millis = 28 * DAY_MS
    lateness_ms: Millis = 7 * DAY_MS
    share: float = 1.0

    def before(self, ts: Millis) -> Millis:
        """The last instant before a time.

        >>> Grid(every_ms=10).before(20), Grid(every_ms=10).before(21)
        (10, 20)
        """
        return (ts - 1) // self.every_ms * self.every_ms

    @property
    def horizon(self) -> Horizon:
        """The horizon in steps, whose answers are known sooner."""
        return horizon(self.horizon_ms, self.every_ms)

    @property
    def spans_ms(self) -> tuple[Millis, ...]:
        """The lengths of time for which there are labels: a step, and the horizon.

        >>> [span // DAY_MS for span in Grid(every_ms=15 * DAY_MS, horizon_ms=60 * DAY_MS).spans_ms]
        [15, 60]
        """
        return tuple(sorted({self.horizon.step_ms, self.horizon_ms}))

    def wait_ms(self, span_ms: Millis) -> Millis:
        """How long after an instant its labels of a span are settled, in whole instants of the grid.

        >>> Grid(every_ms=10, lateness_ms=5).wait_ms(20)
        30
        """
        return -(-(span_ms + self.lateness_ms) // self.every_ms) * self.every_ms
