"""The floor: fetch and decode."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.settings import Settings, load
from app.topics import input_names
from bench.parts.figures import Stopwatch
from schemas.decode import decode
from schemas.events import Tick


async def read(settings: Settings, events: int) -> None:
    """Read so many events of all input topics."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest", check_crcs=True)
    await consumer.start()
    places = [TopicPartition(name, number) for name in input_names(settings) for number in range(settings.partitions)]
    consumer.assign(places)
    stopwatch, seen = Stopwatch(), 0
    while seen < events:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            seen += sum(type(decode(record.value)) is not Tick for record in records)
    stopwatch.show(seen)
    await consumer.stop()


if __name__ == "__main__":
    asyncio.run(read(load(), int(sys.argv[1])))
