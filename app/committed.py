"""Topics read as far as they are committed, by a consumer of its own that commits nothing."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.connection import KafkaConnection
from app.topics import BrokerError

SILENT_S: Final = 30
"""So long a broker may give nothing while there is more to read."""

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
    kafka: KafkaConnection, places: Sequence[TopicPartition], progress: Progress = quiet
) -> AsyncIterator[Any]:
    """The committed records of some partitions up to their present ends, each one's in order.

    The embedded broker's end lies in its last batch, which is read to its own end.

    Raises KafkaError, and BrokerError where nothing more comes.
    """
    if not places:
        return
    async with consumer_of(kafka) as consumer:
        consumer.assign(places)
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
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
