"""Records on their way to Kafka, in batches that are put together here: the order is kept, and sending one is cheap."""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from app.settings import Settings
from app.topics import PATIENCE_S

TopicPartition: TypeAlias = tuple[str, int]

_BATCH_BYTES: Final = 128 * 1024

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs is raised too, and told in one line by us


class Outbox:
    """Batches of records, one a topic-partition, on their way to the broker. Its methods raise KafkaError."""

    def __init__(self, settings: Settings) -> None:
        self._producer = AIOKafkaProducer(
            **settings.kafka_connection.options(),
            acks="all",
            enable_idempotence=False,  # the embedded broker has none; a partition's batches go one by one anyway
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=PATIENCE_S * 1000,
        )
        self._open: dict[TopicPartition, Any] = {}
        self._underway: list[asyncio.Future[Any]] = []

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()

    async def put(self, place: TopicPartition, key: bytes | None, payload: bytes) -> None:
        """Take one record; its timestamp is the time of now."""
        batch = self._open.get(place)
        if batch is not None:
            if batch.append(timestamp=None, key=key, value=payload) is not None:
                return
            await self._send(place)
        batch = self._open[place] = self._producer.create_batch()
        batch.append(timestamp=None, key=key, value=payload)  # the first always fits

    async def push(self) -> None:
        """Send all that was taken, and wait for what was sent before: so little is underway at any time."""
        before, self._underway = self._underway, []
        for place in list(self._open):
            await self._send(place)
        if before:
            await asyncio.wait(before)
            for error in [each.exception() for each in before]:
                if error is not None:
                    raise error

    async def flush(self) -> None:
        """Send all that was taken, and wait until the broker has it."""
        await self.push()
        await self.push()

    async def stop(self) -> None:
        """Disconnect; nobody waits any more for what is underway."""
        for each in self._underway:
            each.cancel()
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._producer.stop(), PATIENCE_S)

    async def _send(self, place: TopicPartition) -> None:
        topic, partition = place
        self._underway.append(await self._producer.send_batch(self._open[place], topic, partition=partition))
        del self._open[place]
