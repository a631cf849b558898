"""Events back to their topics, each with a mark that its dead letter was redriven: once, whatever happens."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from app.clock import now
from app.committed import Progress
from app.dead_letters.letter import Place
from app.dead_letters.marks import mark_record
from app.dead_letters.ready import Ready
from app.dead_letters.shelf import read_marks
from app.settings import Delivery, Settings
from app.topics import PATIENCE_S, BrokerError, one_line, output_name, prepare, redriven_name
from schemas.partitioner import partition_of
from schemas.times import SECOND_MS

CHUNK: Final = 100
"""So many events and their marks are one transaction."""
TRANSACTION_S: Final = 15
"""After so long the broker ends the transaction of a redrive that died; until then workers cannot read beyond it."""


class Redrive:
    """Sends events for dead letters. `sent` and `already` count them, also after an error.

    With transactions an event and its mark are written together or not at all, and who begins later fences who began
    earlier: only then are the marks read that decide what is still to be sent. Without, the event comes first: after a
    crash in between it may be sent again, with the same event_id, so that a worker drops it as a copy.
    """

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._is_transactional = settings.delivery is Delivery.EXACTLY_ONCE
        self._marks = redriven_name(settings)
        self.sent = self.already = 0

    def run(self, ready: Sequence[Ready]) -> None:
        """Send what was not sent before; topics that are missing are made.

        Raises BrokerError, also where another redrive has taken over. What was being sent is then not sent, or known
        to the next one.
        """
        self._partitions = prepare(self._settings, self._marks)
        try:
            asyncio.run(self._run(ready))
        except (ProducerFenced, IllegalOperation):  # the latter where the transaction was lost between two sends
            raise BrokerError(
                f"another redrive has begun since, and this one is over after {self.sent:,} events",
                "wait for the other; nothing is sent twice",
            ) from None
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(
                f"the broker did not take everything ({one_line(error)}) after {self.sent:,} events",
                "redrive again when it is up; what was sent is not sent again",
            ) from None

    async def _run(self, ready: Sequence[Ready]) -> None:
        # aiokafka tells of a fence in futures that nobody waits for too; asyncio would show their stack traces
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        self._producer = self._new_producer()
        try:
            async with asyncio.timeout(4 * TRANSACTION_S):
                await self._producer.start()  # from here on an older redrive is fenced, and its transaction ended
            marks = await read_marks(self._settings, self._partitions)
            done = marks.redriven | marks.sent
            left = [each for each in ready if each.letter.key not in done]
            self.already = len(ready) - len(left)
            for start in range(0, len(left), CHUNK):
                await self._send_chunk(left[start : start + CHUNK])
                self.sent = min(start + CHUNK, len(left))
                self._progress(self.sent, len(left))
        finally:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._producer.stop(), PATIENCE_S)

    def _new_producer(self) -> Any:
        return AIOKafkaProducer(
            **self._settings.kafka_connection.options(),
            transactional_id=f"{self._settings.app_id}-redrive" if self._is_transactional else None,
            transaction_timeout_ms=TRANSACTION_S * SECOND_MS,
            enable_idempotence=self._is_transactional,
            acks="all",
            request_timeout_ms=PATIENCE_S * SECOND_MS,
        )

    async def _send_chunk(self, chunk: Sequence[Ready]) -> None:
        """Events, then the marks that name where they lie, as one transaction where there are any."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(asyncio.timeout(TRANSACTION_S + PATIENCE_S))
            if self._is_transactional:
                await stack.enter_async_context(self._producer.transaction())
            async with asyncio.timeout(TRANSACTION_S):
                places = await asyncio.gather(*map(self._send_event, chunk))
                at = now()
                await asyncio.gather(
                    *(
                        self._send(self._marks, *mark_record(each.letter, place, at))
                        for each, place in zip(chunk, places, strict=True)
                    )
                )

    async def _send_event(self, event: Ready) -> Place:
        sent = await self._send(output_name(self._settings, event.topic), event.user_id.encode(), event.payload)
        if sent.offset < 0:
            raise KafkaError("the broker does not say where an event lies")
        return Place(event.topic, sent.partition, sent.offset)

    async def _send(self, topic: str, key: bytes, value: bytes) -> Any:
        partition = partition_of(key, self._partitions)
        return await self._producer.send_and_wait(topic, value, key, partition=partition)
