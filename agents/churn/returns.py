"""Whether a user came back: the first activity after each of the last instants of the grid, kept in the row."""

from agents.churn.grid import Grid
from schemas.times import NEVER, Millis
from tables.row import Row


def note_activity(row: Row, ts: Millis, grid: Grid) -> None:
    """Remember an activity, if it is the first one after an instant of the grid and before the next."""
    after = grid.before(ts)
    first = row.returns.get(after)
    if first is None:
        row.returns[after] = ts
        oldest = max(row.returns) - grid.wait_ms(grid.horizon_ms) - grid.every_ms
        if min(row.returns) < oldest:
            row.returns = {instant: at for instant, at in row.returns.items() if instant >= oldest}
    elif ts < first:
        row.returns[after] = ts


def is_inactive(row: Row, as_of: Millis, span_ms: Millis) -> bool:
    """Whether there was no activity in (as_of, as_of + span]."""
    return min((at for after, at in row.returns.items() if after >= as_of), default=NEVER) > as_of + span_ms
