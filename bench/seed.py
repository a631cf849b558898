"""Fills a changelog with rows, as if users had been active for months: for restores, and for a great many timers."""

import asyncio
from collections.abc import Callable

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.live.epoch_log import EpochRecords, TransactionalLog
from app.settings import Settings
from app.topics import changelog_name, output_name
from schemas.events import Click, Order
from schemas.partitioner import partition_of
from schemas.times import HOUR_MS, NEVER, Millis
from schemas.topics import INPUT_TOPICS
from tables import codec
from tables.census import empty
from tables.changelog import Marker, State, marker_record
from tables.merge import Position
from tables.row import Row
from tables.table import Table

EPOCH_ROWS = 5_000
START_MS: Millis = 1_700_000_000_000


def full_row(events: int, last: Millis) -> Row:
    """A row after so many events, one every two hours, the last one at a time; every eighth is an order."""
    partition = Partition(0, DEFAULT_LIMITS, Table())
    for number in range(events):
        ts = last - (events - 1 - number) * 2 * HOUR_MS
        if number % 8 == 7:
            partition.apply(Order(event_id=f"o{number}", user_id="u", ts=ts, order_id=f"o{number}", total=12.5), ts)
        else:
            partition.apply(Click(event_id=f"e{number}", user_id="u", ts=ts, item_id="i"), ts)
    return partition.table.get("u") or Row()


def users_of(users: int, partitions: int) -> list[list[str]]:
    """The names of so many users, by partition."""
    found: list[list[str]] = [[] for _ in range(partitions)]
    for number in range(users):
        user = f"user-{number:07d}"
        found[partition_of(user.encode(), partitions)].append(user)
    return found


def seed(
    settings: Settings, users: int, events: int, rewrites: int = 1, due: Callable[[int], Millis] | None = None
) -> int:
    """Write rows of so many events for all users, each so many times; how many bytes a row takes.

    `due`: the time at which the timer of the user with a number fires; none otherwise.
    """
    row = full_row(events, START_MS)
    row.due = NEVER
    encoded = codec.encode(row)
    asyncio.run(_seed(settings, users_of(users, settings.partitions), encoded, rewrites, due))
    return len(encoded)


async def _seed(
    settings: Settings, users: list[list[str]], encoded: bytes, rewrites: int, due: Callable[[int], Millis] | None
) -> None:
    for number, mine in enumerate(users):
        log = TransactionalLog(
            settings.kafka_connection,
            number,
            changelog_name(settings),
            lambda topic: output_name(settings, topic),
            settings.app_id,
        )
        await log.open()
        epoch = 0
        for _ in range(rewrites):
            for start in range(0, len(mine), EPOCH_ROWS):
                epoch += 1
                rows = [(user.encode(), _with_due(encoded, user, due)) for user in mine[start : start + EPOCH_ROWS]]
                await log.append(EpochRecords(epoch, rows, [], _marker(epoch)))
        await log.close()


def _with_due(encoded: bytes, user: str, due: Callable[[int], Millis] | None) -> bytes:
    if due is None:
        return encoded
    row = codec.decode(encoded)
    row.due = due(int(user.removeprefix("user-")))
    moved = row.due - DEFAULT_LIMITS.lifecycle.silent_ms
    row.lifecycle.last = row.purchase.last = moved
    return codec.encode(row)


def _marker(epoch: int) -> tuple[bytes, bytes | None]:
    positions = {topic: Position(0, START_MS) for topic in INPUT_TOPICS}
    state = State(positions=positions, watermark=START_MS, census=empty(), counters={})
    return marker_record(Marker(generation=1, epoch=epoch, state=state))
