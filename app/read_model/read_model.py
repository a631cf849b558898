"""The read model in Redis: what the web view shows of all workers. Written after epochs, and never waited for.

Of partitions: a hash with a field each, its status and its newest changes. The owner writes the whole field, when
something was committed and every few seconds anyway: so Redis can be lost at any time, and whatever else was in a field
(of an owner before, of a user who was erased since) is gone with the next write. Of users: see `users`.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from heapq import nlargest
from time import monotonic
from typing import Any, Final

import msgspec

from agents.partition import Epoch
from app.clock import now
from app.connection import RedisConnection
from app.live.status import NEWEST, PartitionStatus, Summary
from app.read_model.connection import DOWN, connect, reason
from app.read_model.users import Owned, Users
from schemas.changes import TagChange
from schemas.events import UserId
from schemas.times import Millis

FLUSH_S: Final = 0.5
REFRESH_S: Final = 5.0
EXPIRES_S: Final = 7 * 24 * 60 * 60
STOPPED_S: Final = 5.0
"""A worker that slept for longer, against its will, may have lost its partitions without knowing."""

_LOG: Final = logging.getLogger(__name__)


class Said(msgspec.Struct, array_like=True, frozen=True):
    """A change, and when it was committed, by the clock on the wall."""

    committed_at: Millis
    change: TagChange


class Shown(msgspec.Struct, frozen=True):
    """What is shown of one partition; the newest last."""

    status: PartitionStatus
    newest: list[Said]


_ENCODE: Final = msgspec.json.Encoder().encode
_SHOWN: Final = msgspec.json.Decoder(Shown).decode


class ReadModel:
    """Collects what changed, writes it every half second, and reads it back for the web view.

    `statuses`: those of the partitions that this worker owns now; of others it says nothing. `owned`: their tables;
    None: nothing of users is written. `errors`: how often Redis did not take what was to be written;
    `written_at`: when it last did, by the monotonic clock in s; None: not yet.
    """

    def __init__(
        self,
        redis: RedisConnection,
        app_id: str,
        statuses: Callable[[], Iterable[PartitionStatus]],
        owned: Callable[[], Owned] | None = None,
    ) -> None:
        self._redis = connect(redis)
        self.users = Users(self._redis, app_id, owned) if owned is not None else None
        self._key = f"{app_id}:partitions"
        self._statuses = statuses
        self._newest: dict[int, list[Said]] = {}
        self._changed: set[int] = set()
        self._refreshed_at = -REFRESH_S
        self._turn = asyncio.Lock()
        self._is_closed = False
        self.is_up = False
        self.errors = 0
        self.written_at: float | None = None

    def committed(self, partition: int, epoch: Epoch) -> None:
        """Note what an epoch has committed."""
        self.update(partition, epoch.changes, epoch.erased)
        if self.users is not None:
            self.users.note(partition, epoch)

    def update(self, partition: int, changes: Sequence[TagChange], erased: Collection[UserId] = ()) -> None:
        """Note the newest changes, and none of who was erased with them."""
        at = now()
        known = [*self._newest.get(partition, ()), *(Said(at, change) for change in changes[-NEWEST:])]
        self._newest[partition] = [said for said in known if said.change.user_id not in erased][-NEWEST:]
        self._changed.add(partition)

    def forget(self, partition: int) -> None:
        """Show no older changes of a partition: who has been erased since is not known."""
        self._newest.pop(partition, None)
        self._changed.add(partition)
        if self.users is not None:
            self.users.forget(partition)

    async def run(self) -> None:
        """Write what was noted, again and again, until closed; while Redis is down, keep the newest and try on.

        Whoever ends it closes it too: the client of Redis may take being cancelled for a connection that was lost.
        """
        while True:
            before = monotonic()
            await asyncio.sleep(FLUSH_S)
            if self._is_closed:
                return
            if monotonic() - before > STOPPED_S:
                self._newest.clear()
            try:
                await self.flush()
                self._note(is_up=True)
                if self.users is not None:
                    async with self._turn:
                        await self.users.fill()
            except DOWN as error:
                self._note(is_up=False, why=reason(error))

    async def flush(self) -> None:
        """Write the partitions that have changed, or, where that was long ago, all that are owned.

        Raises RedisError where Redis does not take it; what was noted is then kept.
        """
        async with self._turn:
            await self._flush()

    async def _flush(self) -> None:
        began = monotonic()
        is_refresh = began - self._refreshed_at >= REFRESH_S
        changed, self._changed = self._changed, set()
        try:
            await self._write({each.partition: each for each in self._own() if is_refresh or each.partition in changed})
        except BaseException:
            self._changed |= changed
            raise
        if is_refresh:
            self._refreshed_at = began
        if self.users is not None:
            await self.users.write()

    async def _write(self, statuses: dict[int, PartitionStatus]) -> None:
        if not statuses:
            await self._redis.ping()
            return
        fields: dict[Any, Any] = {number: _ENCODE(self._shown(status)) for number, status in statuses.items()}
        await self._redis.hset(self._key, mapping=fields)
        await self._redis.expire(self._key, EXPIRES_S)

    async def summary(self) -> Summary:
        """All workers' partitions added up; where Redis is down, only this worker's own."""
        known, is_there = await self._known()
        newest = nlargest(NEWEST, _numbered(known.values()))
        changes = [said.change for *_, said in newest]
        return Summary.of((each.status for each in known.values()), changes, store=is_there)

    async def partitions(self) -> tuple[list[PartitionStatus], bool]:
        """All workers' partitions in order, and whether Redis answers; where it does not, this worker's own."""
        known, is_there = await self._known()
        return [known[number].status for number in sorted(known)], is_there

    async def _known(self) -> tuple[dict[int, Shown], bool]:
        known = {status.partition: self._shown(status) for status in self._own()}
        with suppress(*DOWN, msgspec.DecodeError):
            stored = await self._redis.hgetall(self._key)
            return {int(number): _SHOWN(value) for number, value in stored.items()} | known, True
        return known, False

    async def close(self) -> None:
        """Write what is left, if Redis is there, and disconnect."""
        self._is_closed = True
        with suppress(*DOWN):
            await self.flush()
        await self._redis.aclose()

    def _own(self) -> list[PartitionStatus]:
        """Of the partitions that are owned now; what was noted of others is forgotten."""
        statuses = list(self._statuses())
        for lost in self._newest.keys() - {status.partition for status in statuses}:
            del self._newest[lost]
        return statuses

    def _shown(self, status: PartitionStatus) -> Shown:
        return Shown(status, self._newest.get(status.partition, []))

    def _note(self, *, is_up: bool, why: str = "") -> None:
        if is_up:
            self.written_at = monotonic()
        else:
            self.errors += 1
        if is_up != self.is_up:
            self.is_up = is_up
            self._refreshed_at = -REFRESH_S
            if is_up:
                _LOG.info("Redis is there")
            else:
                _LOG.warning("Redis is not there (%s); the web view shows this worker alone", why)


def _numbered(partitions: Iterable[Shown]) -> Iterable[tuple[Millis, int, int, Said]]:
    """All changes, each with what decides how new it is: when it was committed, and its place in its partition."""
    return (
        (said.committed_at, place, -shown.status.partition, said)
        for shown in partitions
        for place, said in enumerate(shown.newest)
    )
