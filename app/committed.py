"""Topics read as far as they are committed, by a consumer of its own that commits nothing."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app.connection import KafkaConnection
from app.topics import BrokerError
from schemas.topics import Offset

SILENT_S: Final = 30
"""So long a broker may give nothing while there is more to read."""

RETRY_S: Final = 2.0
_LOG: Final = logging.getLogger(__name__)

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many records were read, of how many."""


def quiet(_done: int, _total: int) -> None:
    """Tell nobody."""


def consumer_of(kafka: KafkaConnection) -> AIOKafkaConsumer:
    """A consumer that belongs to no group, and sees what is committed."""
    return AIOKafkaConsumer(
        **kafka.options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=8 * 2**20,
    )


async def committed(
    kafka: KafkaConnection, places: Sequence[TopicPartition], progress: Progress = quiet, newest: int | None = None
) -> AsyncIterator[Any]:
    """The committed records of some partitions up to their present ends, each one's in order.

    `newest`: only those of so many offsets before the end of each.

    The embedded broker's end lies in its last batch, which is read to its own end.

    Raises KafkaError, and BrokerError where nothing more comes.
    """
    if not places:
        return
    async with consumer_of(kafka) as consumer:
        consumer.assign(places)
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        if newest is not None:
            begins = {place: max(begin, ends[place] - newest) for place, begin in begins.items()}
        total = sum(ends.values()) - sum(begins.values())
        for place, begin in begins.items():
            consumer.seek(place, begin)
        heard_at = time.monotonic()
        while behind := [place for place in places if await consumer.position(place) < ends[place]]:
            if time.monotonic() - heard_at > SILENT_S:
                raise BrokerError(f"the broker gives nothing more of {behind[0].topic}", "see its log, and try again")
            for records in (await consumer.getmany(*behind, timeout_ms=200)).values():
                heard_at = time.monotonic()
                for record in records:
                    yield record
            left = sum([max(ends[place] - await consumer.position(place), 0) for place in places])
            progress(total - left, total)


async def followed(kafka: KafkaConnection, place: TopicPartition, start: Offset = 0) -> AsyncIterator[Sequence[Any]]:
    """The committed records of a partition from an offset on, as many at a time as there are, for ever.

    Raises KafkaError.
    """
    async with consumer_of(kafka) as consumer:
        consumer.assign([place])
        consumer.seek(place, max(start, (await consumer.beginning_offsets([place]))[place]))
        while True:
            for records in (await consumer.getmany(place, timeout_ms=1_000)).values():
                yield records


async def keep_on(follow: Callable[[], Awaitable[None]], what: str) -> None:
    """Follow a topic until cancelled, and again whenever the broker fails."""
    while True:
        try:
            await follow()
        except (KafkaError, TimeoutError) as error:
            _LOG.warning("%s cannot be read: %s", what, error or type(error).__name__)
        await asyncio.sleep(RETRY_S)
