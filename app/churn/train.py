"""The trainer's process: reads the examples of all partitions, learns, publishes the models.

What it knows is a function of the examples alone: it reads them from their beginning when it starts, and says no
version twice. So a crash loses and doubles nothing.
"""

import asyncio
import logging
import os
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition

from agents.churn.grid import Grid
from agents.churn.snapshot import Newest, Record, SnapshotError, records_of
from agents.churn.trainer import Trainer, Turn
from app.committed import committed, consumer_of
from app.connection import KafkaConnection
from app.settings import Delivery, Settings
from app.topics import examples_name, models_name
from schemas.examples import Example
from schemas.times import Millis, to_datetime

READ_AT_ONCE: Final = 5_000
_DECODE: Final = msgspec.json.Decoder(Example).decode
_LOG: Final = logging.getLogger(__name__)


class Training:
    """One trainer of one application; whoever starts another takes over from it.

    `parent`: the process that it is a child of, and ends with.
    """

    def __init__(self, settings: Settings, grid: Grid, parent: int | None = None) -> None:
        self._settings = settings
        self._kafka = settings.kafka_connection
        self._trainer = Trainer(grid, settings.partitions)
        self._parent = parent
        self._published: Millis = -1
        self._slots = 0

    async def run(self) -> None:
        """Train until cancelled, or until the parent is gone.

        Raises KafkaError, ProducerFenced among them where another trainer has taken over.
        """
        is_exact = self._settings.delivery is Delivery.EXACTLY_ONCE
        transactional_id = f"{self._settings.app_id}-trainer" if is_exact else None
        producer = AIOKafkaProducer(**self._kafka.options(), transactional_id=transactional_id, acks="all")
        await producer.start()
        try:
            newest = await read_models(self._settings, self._kafka)
            self._published, self._slots = _published(newest), newest.slots
            await self._follow(producer, is_exact=is_exact)
        finally:
            await producer.stop()

    async def _follow(self, producer: AIOKafkaProducer, *, is_exact: bool) -> None:
        places = [TopicPartition(examples_name(self._settings), number) for number in range(self._settings.partitions)]
        async with consumer_of(self._kafka) as consumer:
            consumer.assign(places)
            for place, start in (await consumer.beginning_offsets(places)).items():
                consumer.seek(place, start)
            while self._parent in {None, os.getppid()}:
                found = await consumer.getmany(timeout_ms=500, max_records=READ_AT_ONCE)
                for records in found.values():
                    self._take(records)
                while (turn := await asyncio.to_thread(self._trainer.turn)) is not None:
                    await self._publish(producer, turn, is_exact=is_exact)

    def _take(self, records: Sequence[Any]) -> None:
        for record in records:
            self._trainer.take(_DECODE(record.value))

    async def _publish(self, producer: AIOKafkaProducer, turn: Turn, *, is_exact: bool) -> None:
        if turn.as_of <= self._published:
            return
        snapshot = await asyncio.to_thread(self._trainer.snapshot, turn.as_of)
        records = records_of(snapshot, self._slots)
        if is_exact:
            async with producer.transaction():
                await self._send(producer, records)
        else:
            await self._send(producer, records)
        self._published, self._slots = turn.as_of, sum(value is not None for _, value in records)
        _LOG.info(
            "models of %s: %d users, champion %s, %d bytes",
            to_datetime(turn.as_of).date(), len(turn.users), turn.champion, len(snapshot.body),
        )  # fmt: skip

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Record]) -> None:
        topic = models_name(self._settings)
        sent = [await producer.send(topic, key=key, value=value, partition=0) for key, value in records]
        await asyncio.gather(*sent)


def _published(newest: Newest) -> Millis:
    """The instant of the newest models that need not be said again; -1: there are none."""
    try:
        snapshot = newest.snapshot()
    except SnapshotError as error:
        _LOG.warning("%s; this version's take their place", str(error))
        return -1
    return -1 if snapshot is None else snapshot.as_of


async def read_models(settings: Settings, kafka: KafkaConnection) -> Newest:
    """What lies in the models' topic. Raises SnapshotError for what is none of ours, KafkaError, BrokerError."""
    newest = Newest()
    async for record in committed(kafka, [TopicPartition(models_name(settings), 0)]):
        newest.read([(record.key, record.value)])
    return newest
