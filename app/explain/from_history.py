"""What is known of one user by the files of a history."""

from agents.limits import Limits
from agents.partition import Partition
from agents.rules.rulebook import Rulebook
from app.explain.known import Known, UnknownUserError
from app.explain.phrases import minute, plain
from app.explain.trail import Trail
from app.history.history import History
from schemas.events import UserId
from tables.table import Table


def read_history(user_id: UserId, history: History, book: Rulebook, limits: Limits) -> Known:
    """Fold the user's own events as a backtest does, as of the end of the history.

    Raises HistoryError for files that cannot be read, UnknownUserError for a user of whom nothing is known by then.
    """
    partition = Partition(0, limits, Table(), rulebook=book)
    trail = Trail()
    for event in history:
        if event.user_id == user_id:
            applied = partition.counters.applied
            partition.apply(event, event.ts)
            if partition.counters.applied > applied:
                trail.add(event)
    return _known(user_id, history, partition, trail)


def _known(user_id: UserId, history: History, partition: Partition, trail: Trail) -> Known:
    """What is known at the end of the history."""
    end = history.until
    if end is not None:
        partition.advance(end + 1)
    row = partition.table.get(user_id)
    if row is None or end is None:
        by_then = "" if end is None else f" by {minute(end)} UTC"
        who = f"no user {plain(user_id)!r}{by_then}"
        raise UnknownUserError(f"the history knows {who}: user ids are taken as they are written")
    where = ", ".join(source.name for source in history.files)
    return Known(user_id, row, end, partition.table.changes, trail, where)
