"""Events to Kafka for producers that have no client for it: acknowledged by the broker, or not at all for sure."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from app.settings import Delivery, Settings
from app.topics import PATIENCE_S, BrokerError, one_line, output_name
from schemas.events import UserId
from schemas.partitioner import partition_of
from schemas.times import SECOND_MS
from schemas.topics import Offset, Topic

ANSWER_S: Final = 10.0
"""So long a request waits for the broker."""
AGAIN: Final = (
    "send the same again: some of it may have been written, and an event with an event_id that is known is ignored"
)


class Outgoing(NamedTuple):
    """An event on its way: the topic without the prefix, the user whose it is, and the bytes as they came."""

    topic: Topic
    user_id: UserId
    payload: bytes


class Landed(NamedTuple):
    """Where an event lies; the topic without the prefix."""

    topic: Topic
    partition: int
    offset: Offset


class Publisher:
    """The producer of a worker's API. It connects when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, events: Sequence[Outgoing]) -> list[Landed]:
        """Send events, in their order; where each lies, in the same order.

        Raises BrokerError where the broker does not have all of them within ANSWER_S; it may have some.
        """
        sent: list[asyncio.Future[RecordMetadata]] = []
        try:
            async with asyncio.timeout(ANSWER_S):
                producer = await self._started()
                for event in events:
                    sent.append(await self._send(producer, event))  # noqa: PERF401  those sent so far are to be known
                await asyncio.wait(sent)
            found = [future.result() for future in sent]
        except (KafkaError, TimeoutError) as error:
            _forget(sent)
            why = one_line(error) if isinstance(error, KafkaError) else f"no answer within {ANSWER_S:.0f} s"
            raise BrokerError(f"the broker did not take everything ({why})", AGAIN) from None
        return [
            Landed(event.topic, landed.partition, landed.offset) for event, landed in zip(events, found, strict=True)
        ]

    async def close(self) -> None:
        """Disconnect, once what is underway has arrived or was given up."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), PATIENCE_S)

    async def _send(self, producer: AIOKafkaProducer, event: Outgoing) -> asyncio.Future[RecordMetadata]:
        key = event.user_id.encode()
        partition = partition_of(key, self._settings.partitions)
        name = output_name(self._settings, event.topic)
        sent: asyncio.Future[RecordMetadata] = await producer.send(name, event.payload, key, partition=partition)
        return sent

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._settings.kafka_connection.options(),
                    acks="all",
                    enable_idempotence=self._settings.delivery is Delivery.EXACTLY_ONCE,
                    request_timeout_ms=PATIENCE_S * SECOND_MS,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer


def _forget(futures: Iterable[asyncio.Future[RecordMetadata]]) -> None:
    """Nobody waits for these any more; what becomes of them is no error that nobody has seen."""
    for future in futures:
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
