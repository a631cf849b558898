"""The read model in Redis: what the web view shows of all workers. Written after each epoch, and never waited for.

It can be lost at any time: each partition's status is written anew with its next epoch.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.live.status import PartitionStatus, Summary
from schemas.changes import TagChange

NEWEST: Final = 100
FLUSH_S: Final = 0.5
EXPIRES_S: Final = 7 * 24 * 60 * 60
_TIMEOUT_S: Final = 2.0

_LOG: Final = logging.getLogger(__name__)
_ENCODE: Final = msgspec.json.Encoder().encode
_STATUS: Final = msgspec.json.Decoder(PartitionStatus).decode
_CHANGE: Final = msgspec.json.Decoder(TagChange).decode


class ReadModel:
    """Collects what changed, writes it every half second, and reads it back for the web view."""

    def __init__(self, url: str, app_id: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
        self._partitions_key = f"{app_id}:partitions"
        self._changes_key = f"{app_id}:changes"
        self._statuses: dict[int, PartitionStatus] = {}
        self._changes: deque[TagChange] = deque(maxlen=NEWEST)
        self._newest: deque[TagChange] = deque(maxlen=NEWEST)
        self.is_up = False

    def update(self, status: PartitionStatus, changes: Iterable[TagChange]) -> None:
        """Note what an epoch has written; only the newest changes are kept."""
        self._statuses[status.partition] = status
        self._changes.extend(changes)

    async def run(self) -> None:
        """Write what was noted, again and again; while Redis is down, keep the newest and try on."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
                self._note(is_up=True)
            except (RedisError, OSError, TimeoutError) as error:
                self._note(is_up=False, why=str(error))

    async def flush(self) -> None:
        """Write what was noted in one round trip.

        Raises RedisError where Redis does not take it; it is then kept.
        """
        statuses, changes = dict(self._statuses), list(self._changes)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.ping()
            if statuses:
                fields: dict[Any, Any] = {number: _ENCODE(status) for number, status in statuses.items()}
                pipe.hset(self._partitions_key, mapping=fields)
                pipe.expire(self._partitions_key, EXPIRES_S)
            if changes:
                pipe.lpush(self._changes_key, *(_ENCODE(change) for change in changes))
                pipe.ltrim(self._changes_key, 0, NEWEST - 1)
                pipe.expire(self._changes_key, EXPIRES_S)
            await pipe.execute()
        self._settle(statuses, changes)

    async def summary(self, own: Iterable[PartitionStatus]) -> Summary:
        """All workers' partitions added up; where Redis is down, only this worker's own."""
        mine = {status.partition: status for status in own}
        with suppress(RedisError, OSError, TimeoutError, msgspec.DecodeError):
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(self._partitions_key)
                pipe.lrange(self._changes_key, 0, NEWEST - 1)
                stored, changes = await pipe.execute()
            known = {status.partition: status for status in map(_STATUS, stored.values())}
            return Summary.of((known | mine).values(), [_CHANGE(change) for change in changes], store=True)
        return Summary.of(mine.values(), list(reversed([*self._newest, *self._changes]))[:NEWEST], store=False)

    async def close(self) -> None:
        """Write what is left, if Redis is there, and disconnect."""
        with suppress(RedisError, OSError, TimeoutError):
            await self.flush()
        await self._redis.aclose()

    def _settle(self, statuses: dict[int, PartitionStatus], changes: list[TagChange]) -> None:
        """Forget what was written, save what has changed meanwhile."""
        for number, status in statuses.items():
            if self._statuses.get(number) is status:
                del self._statuses[number]
        written = {change.id for change in changes}
        self._changes = deque((change for change in self._changes if change.id not in written), maxlen=NEWEST)
        self._newest.extend(changes)

    def _note(self, *, is_up: bool, why: str = "") -> None:
        if is_up != self.is_up:
            self.is_up = is_up
            if is_up:
                _LOG.info("Redis is there")
            else:
                _LOG.warning("Redis is not there (%s); the web view shows this worker alone", why)
