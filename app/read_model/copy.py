"""A partition's users in Redis, as the partition's owner keeps them: a stage that is read, or is being filled.

```
pointer     none      B is filled ------------------------ B is read --------- asked: C is filled ---- C is read
stage B               slices of all rows, what epochs change ................................. removed
```
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final
from uuid import uuid4

from msgspec.structs import replace

from agents.partition import Epoch
from app.clock import now
from app.read_model.connection import Connection
from app.read_model.keys import Keys
from app.read_model.noted import Noted
from app.read_model.pointer import Pointer
from app.read_model.stage import EXPIRES_S, Stage
from app.read_model.trails import Trails
from schemas.events import UserId
from tables.table import Table

SLICE: Final = 250
"""Rows that are written at once: 5 to 10 ms."""


class Copy:
    """One partition's users in Redis.

    Redis may be emptied, or come back with what it held earlier; somebody else may have had the partition in between.
    Then the pointer is not as it was left, and all rows are written anew, into another stage. So they are where a write
    failed: it may yet come to pass, after later ones. Readers are left the old stage meanwhile, and know of it.
    """

    def __init__(self, redis: Connection, keys: Keys) -> None:
        self.keys = keys
        self._redis = redis
        self._trails = Trails(redis, keys)
        self._noted = Noted()
        self._pointer: Pointer | None = None
        self._left: list[UserId] = []

    @property
    def behind(self) -> int:
        """How many rows have yet to be written."""
        return len(self._noted.rows) + len(self._left)

    @property
    def is_filling(self) -> bool:
        """Whether all rows are being written."""
        return self._pointer is not None and not self._pointer.is_whole

    @property
    def is_whole(self) -> bool:
        """Whether all rows were written, as far as is known here."""
        return self._pointer is not None and self._pointer.is_whole

    def note(self, epoch: Epoch) -> None:
        """Note what an epoch has committed."""
        self._noted.add(epoch, now())

    def let_go(self) -> None:
        """Somebody else writes: what is known here is of no use."""
        self._noted, self._pointer, self._left = Noted(), None, []

    async def write(self, table: Table | None, found: Pointer) -> None:
        """Write what was noted. `found`: the pointer as Redis has it now; without a table nothing is begun anew."""
        if found != self._pointer or self._noted.is_torn:
            if table is None:
                return
            await self._begin(table, found)
        noted, self._noted = self._noted, Noted()
        try:
            await self._write(noted)
        except BaseException:
            self._noted.tear(noted)
            raise

    async def fill(self, table: Table) -> None:
        """Write the next slice of all rows; after the last one the new stage is read."""
        if self._pointer is None or self._pointer.filling is None:
            return
        try:
            await self._fill(table, self._pointer.filling)
            if not self._left:
                await self._end(self._pointer.stage, self._pointer.filling)
        except BaseException:
            self._noted.is_torn = True
            raise

    async def keep(self) -> None:
        """Put off the end of what is read."""
        if self._pointer is not None and self._pointer.stage is not None:
            await self._stage(self._pointer.stage).keep()
            await self._redis.expire(self.keys.pointer, EXPIRES_S)

    async def _fill(self, table: Table, stage: str) -> None:
        users, stored = self._left[-SLICE:], table.encoded_rows()
        rows = {user: encoded for user in users if (encoded := stored.get(user)) is not None}
        await self._trails.forget(await self._stage(stage).put(rows, rows.keys()))
        del self._left[-SLICE:]
        if self._pointer is not None:
            await self._count(self._pointer)

    async def _begin(self, table: Table, found: Pointer) -> None:
        """Fill a new stage; what nobody will read is removed."""
        known, self._pointer = self._pointer or Pointer(), None
        for unread in {found.filling, known.filling, known.stage} - {None, found.stage}:
            await self._stage(str(unread)).remove()
        self._noted.forget_rows()
        self._left = list(table.encoded_rows())
        await self._point(Pointer(stage=found.stage, filling=uuid4().hex), is_first=True)

    async def _end(self, old: str | None, new: str) -> None:
        """Let readers have the new stage."""
        if old is not None:
            gone = await self._redis.sdiff(self._stage(old).keys.everybody, self._stage(new).keys.everybody)
            await self._trails.forget([user.decode() for user in gone])
        await self._point(Pointer(stage=new))
        if old is not None:
            await self._stage(old).remove()

    async def _count(self, pointer: Pointer) -> None:
        """One write more is over."""
        await self._point(replace(pointer, writes=pointer.writes + 1))

    async def _point(self, pointer: Pointer, *, is_first: bool = False) -> None:
        """Set the pointer, but where there is none any more: so it is noticed that Redis was emptied amid a write."""
        await self._redis.set(self.keys.pointer, pointer.stored, ex=EXPIRES_S, xx=not is_first)
        self._pointer = pointer

    async def _write(self, noted: Noted) -> None:
        if self._pointer is None:
            return
        read, filling = self._pointer.stage, self._pointer.filling
        if (written := filling or read) is not None:
            for rows in _slices(noted.rows):
                await self._stage(written).put(rows, noted.relabelled)
        if filling is not None and read is not None:
            await self._stage(read).put(dict.fromkeys(noted.erased), ())
        await self._trails.forget(noted.erased)
        await self._trails.add(noted.said)
        if noted.rows or noted.erased or noted.said:
            await self._count(self._pointer)

    def _stage(self, name: str) -> Stage:
        return Stage(self._redis, self.keys.stage(name))


def _slices(rows: Mapping[UserId, bytes | None]) -> Iterator[dict[UserId, bytes | None]]:
    left = iter(rows.items())
    while some := dict(islice(left, SLICE)):
        yield some
