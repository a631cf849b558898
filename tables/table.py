"""The rows of one partition: hot ones as structs, all others as bytes, and what has changed since the last epoch."""

from collections.abc import Collection
from typing import NamedTuple

from schemas.changes import TagChange
from schemas.events import UserId
from schemas.times import NEVER, Millis
from tables import codec
from tables.row import Row
from tables.timers import Timers


class Epoch(NamedTuple):
    """What one epoch changed: rows by user (None: deleted), and the changes to publish."""

    rows: dict[UserId, bytes | None]
    changes: list[TagChange]


class Table:
    """One partition's rows, timers and staged changes.

    A row is decoded at its first touch. When an epoch ends with more than `max_hot` decoded rows, those stay that the
    epoch has changed.
    """

    def __init__(self, max_hot: int = 50_000) -> None:
        self._cold: dict[UserId, bytes] = {}
        self._hot: dict[UserId, Row] = {}
        self._dirty: dict[UserId, None] = {}
        self._max_hot = max_hot
        self.timers = Timers()
        self.changes: list[TagChange] = []

    def __len__(self) -> int:
        return len(self.users())

    @property
    def dirty(self) -> int:
        """How many rows have changed since the last epoch."""
        return len(self._dirty)

    @property
    def is_crowded(self) -> bool:
        """Whether more rows are decoded than should be: `collect` mends it."""
        return len(self._hot) > self._max_hot

    def get(self, user_id: UserId) -> Row | None:
        """The user's row to look at, or None."""
        row = self._hot.get(user_id)
        if row is None and (encoded := self._cold.get(user_id)) is not None:
            row = self._hot[user_id] = codec.decode(encoded)
        return row

    def users(self) -> Collection[UserId]:
        """Everybody who has a row."""
        return self._cold.keys() | self._hot.keys()

    def put(self, user_id: UserId, row: Row) -> None:
        """Say that a row is new or has changed."""
        self._hot[user_id] = row
        self._dirty[user_id] = None

    def delete(self, user_id: UserId) -> None:
        """Forget a row."""
        self._hot.pop(user_id, None)
        self._cold.pop(user_id, None)
        self._dirty[user_id] = None

    def schedule(self, user_id: UserId, row: Row, due: Millis) -> None:
        """Set a timer for the row, if none is set for so early a time."""
        if due < row.due:
            row.due = due
            self.timers.add(due, user_id)

    def load(self, user_id: UserId, encoded: bytes) -> None:
        """Take over a row as it was written, without decoding it.

        Raises UnknownVersionError for that of a newer version, DamagedError for what is no row.
        """
        codec.check(encoded)
        self._cold[user_id] = encoded
        if (due := codec.due_of(encoded)) != NEVER:
            self.timers.add(due, user_id)

    def take_changes(self) -> list[TagChange]:
        """Hand over the staged changes alone."""
        changes, self.changes = self.changes, []
        return changes

    def collect(self) -> Epoch:
        """Encode what has changed, hand it over together with the staged changes, and start a new epoch."""
        hot, cold = self._hot, self._cold
        rows: dict[UserId, bytes | None] = dict.fromkeys(self._dirty)
        for user in rows:
            if (row := hot.get(user)) is not None:
                rows[user] = cold[user] = codec.encode(row)
        self._dirty = {}
        if self.is_crowded:
            self._hot = {user: self._hot[user] for user, encoded in rows.items() if encoded is not None}
        return Epoch(rows, self.take_changes())

    def encoded_rows(self) -> dict[UserId, bytes]:
        """All rows as of the last epoch, save those deleted since."""
        return self._cold
