"""An epoch log in memory, of both kinds, that can be interrupted at every point where the real one waits.

It keeps the contract of the real ones (tests/contracts/test_epoch_logs.py). Offsets are counted as Kafka counts them:
the end of a transaction takes one too, and so does what was aborted.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import islice
from typing import Final, TypeAlias, TypeVar

from aiokafka.errors import KafkaError, ProducerFenced

from app.live.epoch_log import EpochRecords
from tables.changelog import MARKER_KEY, Output, Record, output_records, slots_of

BATCH: Final = 3
"""Records that are sent or read in one go."""

Sent = TypeVar("Sent")


class Point(Enum):
    """Where a log waits."""

    OPENING = "before it is the writer"
    OPENED = "after it became the writer"
    READING = "between two chunks that are read"
    ASKED = "before it says whether somebody has written"
    TAKEN = "after it took an epoch, before anything is sent"
    SENT = "after a batch of rows"
    SAID = "after a batch of outputs"
    COMMITTING = "before the epoch is true"
    COMMITTED = "after the epoch is true, before the caller knows"
    CLOSING = "before it lets go"


Hook: TypeAlias = Callable[["FakeLog", Point], Awaitable[None]]


async def undisturbed(_: "FakeLog", __: Point) -> None:
    """Nothing happens at any point."""


class FakeBroker:
    """One partition of the changelog and of the topics that others read: what survives a crash of its writers."""

    def __init__(self) -> None:
        self.changelog: list[Record] = []
        self.outputs: list[Output] = []
        self.end = 0
        self.writer: FakeLog | None = None
        self.unfinished = 0

    def abort(self) -> None:
        """End what a writer left open."""
        if self.unfinished:
            self.end += self.unfinished + 1
            self.unfinished = 0

    def compact(self) -> None:
        """Of the records up to the last marker, keep the last of each key; no offset changes."""
        keys = [key for key, _ in self.changelog]
        until = len(keys) - keys[::-1].index(MARKER_KEY) if MARKER_KEY in keys else 0
        last = {key: place for place, key in enumerate(keys[:until])}
        old = [record for place, record in enumerate(self.changelog[:until]) if last[record[0]] == place]
        self.changelog[:until] = old


class FakeLog:
    """One writer's view of a broker. `at`: is awaited at every point, and may raise there what a crash would."""

    def __init__(self, broker: FakeBroker, *, transactional: bool, at: Hook = undisturbed) -> None:
        self.stores_outputs = not transactional
        self._broker = broker
        self._at = at
        self._is_open = False
        self._end = 0

    async def open(self) -> None:
        """Become the writer; with transactions, what an older one left unfinished is gone."""
        await self._at(self, Point.OPENING)
        self._broker.writer = self
        self._broker.abort()
        self._is_open = True
        await self._at(self, Point.OPENED)

    async def read(self) -> AsyncIterator[Sequence[Record]]:
        """All that is true, oldest first, in chunks."""
        self._end = self._broker.end
        for chunk in _batches(list(self._broker.changelog)):
            await self._at(self, Point.READING)
            yield chunk

    async def is_unchanged(self) -> bool:
        """Whether nobody has written since this log was last read or written here."""
        await self._at(self, Point.ASKED)
        return self._broker.end == self._end

    async def append(self, records: EpochRecords) -> None:
        """Write one epoch whole, or in steps that are each true when they are done."""
        self._check()
        await self._at(self, Point.TAKEN)
        await (self._append_in_steps(records) if self.stores_outputs else self._append_whole(records))

    async def publish(self, outputs: Iterable[Output]) -> None:
        """Publish outputs, where that is no part of an epoch's transaction."""
        if self.stores_outputs:
            for batch in _batches(outputs):
                self._check()
                self._broker.outputs += batch
                await self._at(self, Point.SAID)

    async def close(self) -> None:
        """Let go."""
        await self._at(self, Point.CLOSING)
        self._is_open = False

    async def _append_whole(self, records: EpochRecords) -> None:
        changelog, outputs = [*records.rows, records.marker], list(records.outputs)
        for point, sent in ((Point.SENT, changelog), (Point.SAID, outputs)):
            for batch in _batches(sent):
                self._check()
                self._broker.unfinished += len(batch) if point is Point.SENT else 0
                await self._at(self, point)
        await self._at(self, Point.COMMITTING)
        self._check()
        self._broker.changelog += changelog
        self._broker.outputs += outputs
        self._broker.end += len(changelog) + 1
        self._broker.unfinished = 0
        end = self._broker.end
        await self._at(self, Point.COMMITTED)
        self._end = end

    async def _append_in_steps(self, records: EpochRecords) -> None:
        stored = output_records(records.epoch, records.outputs, slots_of(self._broker.changelog))
        for batch in _batches([*records.rows, *stored]):
            self._write(batch)
            await self._at(self, Point.SENT)
        await self._at(self, Point.COMMITTING)
        end = self._write([records.marker])
        await self._at(self, Point.COMMITTED)
        self._end = end
        await self.publish(records.outputs)

    def _write(self, records: Sequence[Record]) -> int:
        self._check()
        self._broker.changelog += records
        self._broker.end += len(records)
        return self._broker.end

    def _check(self) -> None:
        if not self._is_open:
            raise KafkaError("the log is closed")
        if not self.stores_outputs and self._broker.writer is not self:
            raise ProducerFenced


def _batches(records: Iterable[Sent]) -> Iterator[list[Sent]]:
    rest = iter(records)
    while batch := list(islice(rest, BATCH)):
        yield batch
