"""Places where epochs can be logged: partitions of the fake broker, and of real ones."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Final, NamedTuple
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.live.epoch_log import EpochLog, PlainLog, TransactionalLog
from app.settings import Settings
from app.topics import changelog_name, output_name, prepare
from tests.live.fake_log import FakeBroker, FakeLog

PARTITIONS: Final = 40

Said = list[tuple[bytes, bytes, list[tuple[str, bytes]]]]
"""Key, value and headers of what others read."""


class Place(NamedTuple):
    """One partition of a broker: writers for it, and what others read of it."""

    new: Callable[[], EpochLog]
    said: Callable[[str], Awaitable[Said]]
    is_transactional: bool


@asynccontextmanager
async def opened(*logs: EpochLog) -> AsyncIterator[None]:
    for log in logs:
        await log.open()
    try:
        yield
    finally:
        for log in logs:
            await log.close()


def fake(*, transactional: bool) -> Place:
    broker = FakeBroker()

    async def said(topic: str) -> Said:
        return [(key, value, headers) for name, key, value, headers in broker.outputs if name == topic]

    return Place(lambda: FakeLog(broker, transactional=transactional), said, transactional)


class Kafka:
    """Topics on a real broker. Each test has a partition to itself, so that they are made once."""

    def __init__(self, bootstrap: str) -> None:
        name = uuid4().hex[:8]
        self.settings = Settings(kafka=bootstrap, topic_prefix=f"{name}.", app_id=name, partitions=PARTITIONS)
        self.partitions = count()
        prepare(self.settings)

    def place(self, *, transactional: bool) -> tuple[Place, int]:
        number = next(self.partitions)
        settings, changelog = self.settings, changelog_name(self.settings)

        def new() -> EpochLog:
            if transactional:
                return TransactionalLog(settings.kafka_connection, number, changelog, self.name_of, settings.app_id)
            return PlainLog(settings.kafka_connection, number, changelog, self.name_of)

        async def said(topic: str) -> Said:
            async with opened(new()):
                pass  # it has waited for the end of the last commit
            return await read_topic(settings.kafka, self.name_of(topic), number)

        return Place(new, said, transactional), number

    def name_of(self, topic: str) -> str:
        return output_name(self.settings, topic)


async def read_topic(bootstrap: str, topic: str, partition: int) -> Said:
    """All committed records of a topic-partition."""
    here = TopicPartition(topic, partition)
    found: Said = []
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    async with consumer:
        consumer.assign([here])
        end = (await consumer.end_offsets([here]))[here]
        while await consumer.position(here) < end:
            for records in (await consumer.getmany(here, timeout_ms=200)).values():
                found += [(record.key, record.value, list(record.headers)) for record in records]
    return found
