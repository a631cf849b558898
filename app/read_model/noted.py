"""What epochs have changed since Redis was last told: the newest row of each user, and what was said."""

from collections.abc import Iterable
from typing import Final, Self

from agents.partition import Epoch
from app.read_model.trails import MOST, Entry, told_by
from schemas.events import UserId
from schemas.times import Millis

MAX_NOTED: Final = 20_000
"""Rows, and things said, that wait for Redis; beyond them they are dropped, and all rows are written anew."""


class Noted:
    """Notes of one partition. `is_torn`: some were dropped.

    `relabelled`: users of whom tag changes were said. `erased`: who was, and what was `said` came after it.
    """

    def __init__(self) -> None:
        self.rows: dict[UserId, bytes | None] = {}
        self.relabelled: set[UserId] = set()
        self.erased: set[UserId] = set()
        self.said: dict[UserId, list[Entry]] = {}
        self.is_torn = False
        self._entries = 0

    def add(self, epoch: Epoch, at: Millis) -> None:
        """Note what an epoch has committed at a time."""
        self.rows |= epoch.rows
        self.relabelled.update(change.user_id for change in epoch.changes)
        self._erase(epoch.erased)
        for told in told_by(epoch):
            if told.user_id not in epoch.erased:
                self.said.setdefault(told.user_id, []).append(Entry(at, told))
                self._entries += 1
        self._make_room()

    def tear(self, older: Self) -> None:
        """It is not known whether older notes were written, or will be: keep what was said, and drop the rows."""
        for user_id in older.said.keys() - self.erased:
            self.said[user_id] = [*older.said[user_id], *self.said.get(user_id, ())][-MOST:]
        self.erased |= older.erased
        self._entries = sum(map(len, self.said.values()))
        self.forget_rows()
        self.is_torn = True
        self._make_room()

    def forget_rows(self) -> None:
        """All rows are about to be written, from the table."""
        self.rows, self.relabelled, self.is_torn = {}, set(), False

    def _erase(self, users: Iterable[UserId]) -> None:
        for user_id in users:
            self.erased.add(user_id)
            self._entries -= len(self.said.pop(user_id, ()))

    def _make_room(self) -> None:
        if len(self.rows) > MAX_NOTED or self._entries > MAX_NOTED:
            self.forget_rows()
            self.said, self._entries, self.is_torn = {}, 0, True
