"""Asking the owners of all partitions to write the users anew."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from app.connection import RedisConnection
from app.read_model.connection import DOWN, Connection, connect, reason
from app.read_model.keys import Keys
from app.read_model.pointer import Pointer

ASKED: Final = "asked"
"""Filled by nobody: owners find the pointer other than they left it, and fill a stage of their own."""
LOOK_S: Final = 0.2
PATIENCE_S: Final = 90
"""So long may pass without anything done: a new owner waits for a minute, where another has not said farewell."""


class RebuildError(Exception):
    """The users were not written anew; the text is one line that says what to do."""


async def rebuild(redis: RedisConnection, app_id: str, partitions: int, progress: Callable[[int, int], None]) -> None:
    """Ask, and wait until all partitions are whole again. `progress`: how many are, of how many.

    Raises RebuildError where Redis does not answer, or nobody writes.
    """
    connection = connect(redis)
    try:
        keys = [Keys(app_id, number).pointer for number in range(partitions)]
        before = await _ask(connection, keys)
        await _wait(connection, keys, before, progress)
    except DOWN as error:
        raise RebuildError(f"Redis at {redis.place} does not answer ({reason(error)}); set REKINDLE_REDIS") from None
    finally:
        await connection.aclose()


async def _ask(redis: Connection, keys: list[str]) -> list[Pointer]:
    """Ask all; which stages were read before."""
    before = [Pointer.of(each) for each in await redis.mget(keys)]
    for key, pointer in zip(keys, before, strict=True):
        await redis.set(key, Pointer(pointer.stage, ASKED).stored, keepttl=True)
    return before


async def _wait(
    redis: Connection, keys: list[str], before: list[Pointer], progress: Callable[[int, int], None]
) -> None:
    known, since = before, monotonic()
    while True:
        found = [Pointer.of(each) for each in await redis.mget(keys)]
        done = sum(now.is_whole and now.stage != old.stage for now, old in zip(found, before, strict=True))
        progress(done, len(keys))
        if done == len(keys):
            return
        if found != known:
            known, since = found, monotonic()
        if monotonic() - since > PATIENCE_S:
            raise RebuildError(
                f"{len(keys) - done} of {len(keys)} partitions are not written: look whether workers run, with"
                " REKINDLE_READ_MODEL on, the same REKINDLE_REDIS and REKINDLE_APP_ID"
            )
        await asyncio.sleep(LOOK_S)
