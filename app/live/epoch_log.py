"""Where epochs are written, whole or not at all, and read back: the changelog and the topics that others read.

Two kinds keep one contract (tests/contracts/test_epoch_logs.py): with Kafka's transactions, and without.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, Protocol, TypeAlias

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from app.committed import consumer_of
from app.connection import KafkaConnection
from tables.changelog import Output, Record, output_records, slots_of

OPEN_TIMEOUT_S: Final = 60
REQUEST_TIMEOUT_MS: Final = 15_000
BATCH_BYTES: Final = 900_000
"""Below the megabyte that a broker takes at once by default; a record alone may be larger."""

_COMMIT_MARKER: Final = 1
"""Committing a transaction takes an offset."""

_Headed: TypeAlias = tuple[bytes, bytes | None, list[tuple[str, bytes]]]


class EpochRecords(NamedTuple):
    """One epoch as records: rows, then the marker, in the changelog; outputs for other topics."""

    epoch: int
    rows: Sequence[Record]
    outputs: Sequence[Output]
    marker: Record


class EpochLog(Protocol):
    """The changelog and outputs of one partition. One writer at a time: whoever opened it last."""

    stores_outputs: bool
    """Whether outputs are stored with their epoch, to be published again: so it is without transactions."""

    async def open(self) -> None:
        """Become the writer: an older one can write no more, and what it left unfinished is gone."""

    def read(self) -> AsyncIterator[Sequence[Record]]:
        """All that was committed, oldest first, in chunks."""

    async def is_unchanged(self) -> bool:
        """Whether nobody has written since this log was last read or written here."""

    async def append(self, records: EpochRecords) -> None:
        """Write one epoch whole.

        Raises KafkaError or TimeoutError where its fate is unknown, or where an older writer is refused.
        """

    async def publish(self, outputs: Iterable[Output]) -> None:
        """Publish outputs that were read back."""

    async def close(self) -> None:
        """Let go."""


class KafkaLog:
    """What both kinds share: reading the changelog of a partition, and sending records in batches.

    `name_of`: how a topic is called on the broker.
    """

    def __init__(self, kafka: KafkaConnection, partition: int, changelog: str, name_of: Callable[[str], str]) -> None:
        self._kafka = kafka
        self._partition = partition
        self._changelog = changelog
        self._here = TopicPartition(changelog, partition)
        self._name_of = name_of
        self._producer: AIOKafkaProducer | None = None
        self._end = 0

    async def read(self) -> AsyncIterator[Sequence[Record]]:
        """All that was committed, oldest first, in chunks."""
        here = self._here
        async with consumer_of(self._kafka) as consumer:
            consumer.assign([here])
            start = (await consumer.beginning_offsets([here]))[here]
            end = (await consumer.end_offsets([here]))[here]
            self._end = end
            consumer.seek(here, start)
            while await consumer.position(here) < end:
                for records in (await consumer.getmany(here, timeout_ms=200, max_records=10_000)).values():
                    yield [(record.key, record.value) for record in records]

    async def is_unchanged(self) -> bool:
        """Whether nobody has written since this log was last read or written here."""
        async with consumer_of(self._kafka) as consumer:
            return bool((await consumer.end_offsets([self._here]))[self._here] == self._end)

    async def close(self) -> None:
        """Let go."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), timeout=REQUEST_TIMEOUT_MS / 1000)

    async def _start(self, transactional_id: str | None) -> AIOKafkaProducer:
        await self.close()
        self._producer = AIOKafkaProducer(
            **self._kafka.options(),
            transactional_id=transactional_id,
            acks="all",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            await self._producer.start()
        except AssertionError as error:  # aiokafka's, where a broker that has just started knows of none yet
            raise KafkaError("the broker knows of no broker yet") from error
        return self._producer

    def _writer(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise KafkaError("the log is closed")
        return self._producer

    async def _send(self, records: Iterable[Record]) -> int:
        """Write records to the changelog; the offset behind the last one."""
        plain: list[tuple[str, bytes]] = []
        return await self._send_batches(self._changelog, ((key, value, plain) for key, value in records))

    async def _send_outputs(self, outputs: Iterable[Output]) -> None:
        by_topic: dict[str, list[_Headed]] = {}
        for topic, key, value, headers in outputs:
            by_topic.setdefault(topic, []).append((key, value, headers))
        for topic, records in by_topic.items():
            await self._send_batches(self._name_of(topic), records)

    async def _send_batches(self, topic: str, records: Iterable[_Headed]) -> int:
        """Send records as few large batches, and wait until the broker has them; the offset behind the last one."""
        try:
            return await self._deliver(self._writer(), topic, records)
        except IllegalOperation as error:  # the transaction is gone: this producer has failed or was fenced before
            raise KafkaError(str(error)) from error

    async def _deliver(self, producer: AIOKafkaProducer, topic: str, records: Iterable[_Headed]) -> int:
        batches = [producer.create_batch()]
        for key, value, headers in records:
            if batches[-1].append(timestamp=None, key=key, value=value, headers=headers) is None:
                batches.append(producer.create_batch())
                batches[-1].append(timestamp=None, key=key, value=value, headers=headers)
        sent = [await producer.send_batch(batch, topic, partition=self._partition) for batch in batches]
        delivered = await asyncio.gather(*sent)
        return int(delivered[-1].offset) + int(batches[-1].record_count())


class TransactionalLog(KafkaLog):
    """Each epoch is one Kafka transaction. One transactional id a partition: opening fences the one before.

    A transaction is always begun: that an older writer is fenced is known before the changelog is read.
    """

    stores_outputs = False

    def __init__(
        self, kafka: KafkaConnection, partition: int, changelog: str, name_of: Callable[[str], str], app_id: str
    ) -> None:
        super().__init__(kafka, partition, changelog, name_of)
        self._transactional_id = f"{app_id}-{partition}"

    async def open(self) -> None:
        """Fence the one before, and let its open transaction be aborted."""
        producer = await self._start(self._transactional_id)
        await asyncio.wait_for(producer.begin_transaction(), timeout=OPEN_TIMEOUT_S)

    async def append(self, records: EpochRecords) -> None:
        """Write one epoch in one transaction."""
        producer = self._writer()
        end = await _both(self._send([*records.rows, records.marker]), self._send_outputs(records.outputs))
        await producer.commit_transaction()
        self._end = end + _COMMIT_MARKER
        await producer.begin_transaction()

    async def publish(self, outputs: Iterable[Output]) -> None:
        """Nothing: the outputs of a committed epoch are committed with it."""


class PlainLog(KafkaLog):
    """Without transactions: rows and outputs, then the marker, each acknowledged; then the outputs are published.

    State stays exactly-once for one writer at a time; outputs come at least once, the same each time.
    """

    stores_outputs = True
    _slots = 0
    """So many outputs of epochs before lie in the changelog, or more if it was not read here."""

    async def read(self) -> AsyncIterator[Sequence[Record]]:
        """All that was written, oldest first, in chunks."""
        async for records in super().read():
            self._slots = max(self._slots, slots_of(records))
            yield records

    async def open(self) -> None:
        """Connect. An older writer is not fenced: that takes transactions."""
        await self._start(None)

    async def append(self, records: EpochRecords) -> None:
        """Write one epoch, publish it, in an order that a crash cannot tear."""
        self._writer()
        before = [*records.rows, *output_records(records.epoch, records.outputs, self._slots)]
        if before:
            await self._send(before)
        self._slots = len(records.outputs)
        self._end = await self._send([records.marker])
        await self.publish(records.outputs)

    async def publish(self, outputs: Iterable[Output]) -> None:
        """Publish outputs, and wait until the broker has them."""
        await self._send_outputs(outputs)


async def _both(rows: Awaitable[int], outputs: Awaitable[None]) -> int:
    """Wait for both, and give what the first gives; where both fail, that the writer was fenced is what counts."""
    end, done = await asyncio.gather(rows, outputs, return_exceptions=True)
    errors = [each for each in (end, done) if isinstance(each, BaseException)]
    if isinstance(end, BaseException) or errors:
        raise min(errors, key=lambda error: not isinstance(error, ProducerFenced))
    return end
