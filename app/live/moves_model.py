"""Moves in Redis: what every worker can tell of the population of all partitions.

A hash with a field a partition, which its owner writes whole: so it can be lost at any time, as all of the read model
can.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from time import monotonic
from typing import Any, Final, NamedTuple

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.partition import Partition
from app.connection import RedisConnection
from app.live.task import PartitionTask, Phase
from app.moves import KnownMoves, added

WRITE_S: Final = 5.0
"""So old may be what is told of another worker's partition."""
REWRITE_S: Final = 60.0
"""So soon comes back what an owner of before has written over, who did not know that it is none."""
EXPIRES_S: Final = 7 * 24 * 60 * 60
_TIMEOUT_S: Final = 2.0
_AWAY: Final = (RedisError, OSError, TimeoutError)

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(KnownMoves).decode


def _known(partition: Partition) -> KnownMoves:
    return KnownMoves.of(partition.state, partition.moves.days)


def _added(encoded: Collection[bytes]) -> tuple[KnownMoves, int]:
    """What can be read, added up, and how much of it that is."""
    readable = []
    for each in encoded:
        with suppress(msgspec.MsgspecError):  # another version wrote it, and will write it anew
            readable.append(_DECODE(each))
    return added(readable), len(readable)


class Told(NamedTuple):
    """Moves of so many partitions, added up; `store`: whether Redis answered, if not, they are this worker's own."""

    moves: KnownMoves
    partitions: int
    store: bool


class MovesModel:
    """Writes what this worker knows of moves every few seconds, and reads what all of them know.

    `tasks`: those of this worker.
    """

    def __init__(self, redis: RedisConnection, app_id: str, tasks: Callable[[], Iterable[PartitionTask]]) -> None:
        self._redis = Redis.from_url(**redis.options(), socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
        self._key = f"{app_id}:moves"
        self._tasks = tasks
        self._written: dict[int, int] = {}
        self._rewritten_at = -REWRITE_S

    async def run(self) -> None:
        """Write again and again. Redis may be away: the partitions keep what they know."""
        while True:
            with suppress(*_AWAY):
                await self.flush()
            await asyncio.sleep(WRITE_S)

    async def flush(self) -> None:
        """Write the partitions that have changed or are not there, or, where that was long ago, all that are owned.

        Raises RedisError where Redis does not take it.
        """
        began = monotonic()
        is_all = began - self._rewritten_at >= REWRITE_S
        stored = set(map(int, await self._redis.hkeys(self._key)))
        owned = self._owned()
        there = set() if is_all else stored & owned.keys()
        self._written = {number: mark for number, mark in self._written.items() if number in there}
        for number, task in owned.items():
            if task.phase is Phase.RUNNING:  # it may have been lost while another one was written
                await self._write(number, _ENCODE(_known(task.partition)))
            await asyncio.sleep(0)
        if is_all:
            self._rewritten_at = began

    async def _write(self, number: int, encoded: bytes) -> None:
        if self._written.get(number) == (mark := hash(encoded)):
            return
        fields: dict[Any, Any] = {number: encoded}
        await self._redis.hset(self._key, mapping=fields)
        await self._redis.expire(self._key, EXPIRES_S)
        self._written[number] = mark

    async def told(self) -> Told:
        """What is known of all partitions; of its own a worker knows more than Redis.

        A year of a partition takes 10 ms to read and add up: that is done beside the loop.
        """
        known: dict[int, bytes] = {}
        is_there = False
        with suppress(*_AWAY):
            found: Any = await self._redis.hgetall(self._key)
            known = {int(number): value for number, value in found.items()}
            is_there = True
        for number, task in self._owned().items():
            if task.phase is Phase.RUNNING:
                known[number] = _ENCODE(_known(task.partition))
            await asyncio.sleep(0)
        moves, partitions = await asyncio.to_thread(_added, known.values())
        return Told(moves, partitions, is_there)

    def _owned(self) -> dict[int, PartitionTask]:
        """Those that are restored: of others this worker knows nothing."""
        return {task.number: task for task in self._tasks() if task.phase is Phase.RUNNING}

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()
