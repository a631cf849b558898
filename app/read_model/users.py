"""Rows, labels and trails of all users whose partitions a worker owns, written to Redis behind the epochs."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import Final, NamedTuple
from uuid import uuid4

from agents.partition import Epoch
from app.read_model.connection import Connection
from app.read_model.copy import Copy
from app.read_model.keys import Keys
from app.read_model.pointer import Pointer
from tables.table import Table

OWNER_S: Final = 60
"""So long after its last word a worker counts as the owner, where nobody else was made it."""
CLAIM_S: Final = 5
KEEP_S: Final = 60 * 60
FILL_S: Final = 1.0
PAUSE_S: Final = 0.005
"""Between two slices events are processed."""


class Owned(NamedTuple):
    """What a worker owns: the tables of its partitions (None: it does not process that one just now).

    `term`: another number with each assignment.
    """

    term: int
    tables: Mapping[int, Table | None]


class Users:
    """Copies of the partitions that this worker owns.

    Each worker notes in Redis that it writes a partition. One that lost it to another without knowing finds the other's
    name there, and writes nothing; with an assignment it may put its own there.
    """

    def __init__(self, redis: Connection, app_id: str, owned: Callable[[], Owned]) -> None:
        self._redis = redis
        self._app_id = app_id
        self._owned = owned
        self._name = uuid4().hex.encode()
        self._copies: dict[int, Copy] = {}
        self._claimed: dict[int, tuple[int, float]] = {}
        self._kept_at = monotonic()

    @property
    def behind(self) -> int:
        """How many rows have yet to be written."""
        return sum(copy.behind for copy in self._copies.values())

    @property
    def is_whole(self) -> bool:
        """Whether all rows of this worker's partitions were written."""
        owned = self._owned().tables
        return all(number in self._copies and self._copies[number].is_whole for number in owned)

    def note(self, partition: int, epoch: Epoch) -> None:
        """Note what an epoch of a partition has committed."""
        self._copy(partition).note(epoch)

    def forget(self, partition: int) -> None:
        """What is known of a partition is not of the table that it has from now on."""
        self._copies.pop(partition, None)
        self._claimed.pop(partition, None)

    async def write(self) -> None:
        """Write what was noted; raises RedisError where Redis does not take it, and keeps the notes."""
        term, tables = self._current()
        if not tables:
            return
        keys = [self._copy(number).keys for number in tables]
        found = await self._redis.mget([*(each.owner for each in keys), *(each.pointer for each in keys)])
        pointers = [Pointer.of(each) for each in found[len(keys) :]]
        for (number, table), owner, pointer in zip(tables.items(), found, pointers, strict=False):
            if owner == self._name if table is None else await self._claim(number, owner, term):
                await self._copy(number).write(table, pointer)
            else:
                self._copy(number).let_go()
        if monotonic() - self._kept_at > KEEP_S:
            for number in tables:
                await self._copy(number).keep()
            self._kept_at = monotonic()

    async def fill(self) -> None:
        """Go on writing all rows, where they have to be, for a while; raises RedisError likewise."""
        until = monotonic() + FILL_S
        while (filling := list(self._filling())) and monotonic() < until:
            for copy, table in filling:
                await copy.fill(table)
                await asyncio.sleep(PAUSE_S)

    async def _claim(self, number: int, owner: bytes | None, term: int) -> bool:
        """Whether this worker may write a partition: it has it by a new assignment, or nobody else has taken it."""
        claimed_in, claimed_at = self._claimed.get(number, (None, 0.0))
        if owner not in {None, self._name} and claimed_in == term:
            return False
        if owner is None or claimed_in != term or monotonic() - claimed_at > CLAIM_S:
            await self._redis.set(self._copy(number).keys.owner, self._name, ex=OWNER_S)
            self._claimed[number] = term, monotonic()
        return True

    def _current(self) -> Owned:
        """What is owned now; the copies of partitions that were lost are forgotten."""
        owned = self._owned()
        for lost in self._copies.keys() - owned.tables.keys():
            self.forget(lost)
        return owned

    def _filling(self) -> Iterator[tuple[Copy, Table]]:
        for number, table in self._current().tables.items():
            if table is not None and number in self._copies and self._copies[number].is_filling:
                yield self._copies[number], table

    def _copy(self, number: int) -> Copy:
        if number not in self._copies:
            self._copies[number] = Copy(self._redis, Keys(self._app_id, number))
        return self._copies[number]
