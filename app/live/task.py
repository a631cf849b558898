"""One partition, live: restored from its changelog, fed by chunks, written in epochs, handed over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from agents.churn.sampler import Sampled, guesses
from agents.gender.voice import Voice
from agents.partition import Epoch, Partition, Wall
from agents.recall.policy import Policy
from app.live.chunk import Chunk
from app.live.epoch_log import EpochLog, EpochRecords
from app.live.outputs import Outputs, examples
from app.live.retention import lost_events
from app.partition_count import check_marker
from schemas.control import Told
from schemas.events import UserId
from schemas.times import MINUTE_MS, Millis
from schemas.topics import INPUT_TOPICS, Offset, Topic
from tables.changelog import Marker, Record, Restore, marker_record
from tables.control import NOTHING_TOLD, Control
from tables.merge import Position
from tables.score import Score

MAX_DIRTY: Final = 2_500
"""So many changed rows end an epoch early: encoding them holds the event loop for some 25 ms."""
SWEPT_AN_EPOCH: Final = 50
"""So many users are looked at again in an epoch, where the rules have changed: some 3 ms."""
IDLE_S: Final = 0.5
QUIET_MS: Final[Millis] = MINUTE_MS
"""So far the clock on the wall moves time on where nothing else happens, before that is written too."""

_LOG: Final = logging.getLogger(__name__)


Ranges: TypeAlias = Mapping[Topic, tuple[Offset, Offset]]
"""The offsets of the first record and behind the last one, by topic."""


class Phase(Enum):
    """Where a task stands."""

    RESTORING = "restoring"
    RUNNING = "running"
    HELD = "held"


class Clocks(NamedTuple):
    """Time for a task: `monotonic` seconds for pauses, and `wall` ms where the clock on the wall moves time."""

    monotonic: Callable[[], float]
    wall: Callable[[], Millis] | None


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a task is connected to.

    `ranges`: what each input topic of a partition holds.
    `committed`: is told of each epoch after it is written, and how many seconds that took.
    `turn`: shared by the tasks of a worker; who has it applies one slice, and lets the event loop go round once. So
    whoever waits for the broker waits for one slice at a time, not for one of each partition.
    `partitions`: how many the topics have. `score`: scores users by the models of churn; `voice`: the gender model's;
    `policy`: how campaigns choose channels. `told`: what people told campaigns, from an offset of the control topic on.
    """

    log: EpochLog
    outputs: Outputs
    ranges: Callable[[int], Awaitable[Ranges]]
    committed: Callable[["PartitionTask", Epoch, float], None]
    clocks: Clocks
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    partitions: int = 1
    score: Callable[[Sequence[Sampled]], list[tuple[UserId, Score]]] | None = None
    voice: Callable[[], Voice | None] | None = None
    told: Callable[[Offset], Sequence[Told]] = lambda _: ()
    policy: Callable[[], Policy] | None = None


class PartitionTask:
    """Owns one partition for as long as the group says so, and keeps its memory between two times of owning."""

    def __init__(
        self, number: int, new_partition: Callable[[], Partition], wiring: Wiring, epoch_s: float, *, accept_loss: bool
    ) -> None:
        self.number = number
        self.phase = Phase.HELD
        self.partition = new_partition()
        self.expected: dict[Topic, Offset] = {}
        self.ends: dict[Topic, Offset] = {}
        self.written: Mapping[Topic, Position] = {}
        self._written_watermark: Millis = 0
        self._written_control: Control = NOTHING_TOLD
        self.epoch = 0
        self.progressed_at = wiring.clocks.monotonic()
        self.restored_rows = 0
        self._new_partition = new_partition
        self._wiring = wiring
        self._epoch_s = epoch_s
        self._accept_loss = accept_loss
        self.generation = 0
        self.written_at: float | None = None
        self._torn: Sequence[Record] = ()
        self._is_valid = False
        self._epoch_at = 0.0
        self._ran_at = 0.0
        self._stopping = False
        self._work = asyncio.Event()

    async def run(self) -> None:
        """Own the partition until `stop`.

        Raises KafkaError or TimeoutError where an epoch failed: what is in memory is then forgotten; LostEventsError,
        UnreadableError or TopicsError where the changelog cannot be gone on from.
        """
        self._stopping = False
        self.phase = Phase.RESTORING
        try:
            await self._enter()
            self.phase = Phase.RUNNING
            await self._drive()
        except BaseException:
            self._is_valid = False
            raise
        finally:
            self.phase = Phase.HELD
            await self._wiring.log.close()

    def stop(self) -> None:
        """Write what has been applied, and let `run` end."""
        self._stopping = True
        self._work.set()

    def take(self, chunk: Chunk) -> bool:
        """Take a chunk, if it is the one that comes next; else it has to be read again from `expected`."""
        if self.phase is not Phase.RUNNING or chunk.start != self.expected[chunk.topic]:
            return False
        wall = self._wiring.clocks.wall
        records = ((record.offset, record.value) for record in chunk.records)
        self.partition.take(chunk.topic, records, wall() if wall else None)
        self.partition.merge.skip_to(chunk.topic, chunk.end)
        self.expected[chunk.topic] = chunk.end
        self.ends[chunk.topic] = max(self.ends[chunk.topic], chunk.highwater)
        self._work.set()
        return True

    def wants(self, topic: Topic) -> bool:
        """Whether more of a topic should be read now."""
        return (
            self.phase is Phase.RUNNING
            and not self.partition.merge.is_crowded(topic)
            and self.partition.table.dirty < 2 * MAX_DIRTY
        )

    @property
    def behind(self) -> list[Topic]:
        """The topics that are known to have more to read."""
        return [topic for topic, end in self.ends.items() if self.expected[topic] < end]

    @property
    def has_pending(self) -> bool:
        """Whether something waits to be read, restored or written."""
        return self.phase is Phase.RESTORING or bool(self.partition.table.dirty) or any(map(self.wants, self.behind))

    async def _enter(self) -> None:
        """Become the owner: with what is in memory, if nobody has written since, else from the changelog."""
        await self._wiring.log.open()
        if self._is_valid and await self._wiring.log.is_unchanged():
            ranges = await self._wiring.ranges(self.number)
        else:
            ranges = await self._restore()
        self.ends = {topic: end for topic, (_, end) in ranges.items()}
        self.expected = {topic: self.partition.merge.next_offset(topic) for topic in INPUT_TOPICS}
        self._ran_at = self._wiring.clocks.monotonic()
        self._progressed()

    async def _restore(self) -> Ranges:
        """Go on from the changelog, where the topics still hold what comes next; what they hold."""
        restore = Restore()
        self._is_valid = False
        async for records in self._wiring.log.read():
            restore.read(records)
            self._progressed()
        self.partition = self._new_partition()
        self.restored_rows = len(restore.rows)
        marker = restore.marker
        self.epoch = marker.epoch if marker else 0
        self.generation = marker.generation + 1 if marker else 1
        self._torn = restore.torn
        if marker:
            check_marker(marker, self._wiring.partitions)
            self.partition.resume(marker.state, restore.rows, restore.days)
        ranges = await self._wiring.ranges(self.number)
        self._check_retention(ranges, is_new=marker is None)
        self.written = self.partition.state.positions
        self._written_watermark = self.partition.watermark
        self._written_control = self.partition.state.control
        await self._wiring.log.publish(restore.outputs)
        self._is_valid = True
        _LOG.info("partition %d is restored: %d rows, epoch %d", self.number, self.restored_rows, self.epoch)
        return ranges

    def _check_retention(self, ranges: Ranges, *, is_new: bool) -> None:
        """Start a new partition where its topics start; refuse to skip events that have left them."""
        log = self._wiring.log
        for topic, (begin, end) in ranges.items():
            position = self.partition.merge.position(topic)
            if begin <= position.offset and (position.offset <= end or log.stores_outputs):
                continue  # a broker without transactions is the embedded one, which knows its ends only roughly
            if not is_new and not self._accept_loss:
                raise lost_events(topic, self.number, position.offset, begin, end)
            self.partition.merge.resume([(topic, Position(begin, position.bound))])

    async def _drive(self) -> None:
        while not self._stopping:
            self._work.clear()
            self.partition.by_hand.take(self._wiring.told(self.partition.by_hand.control.position))
            if self._wiring.policy is not None:
                self.partition.desk.choose = self._wiring.policy().choose
            async with self._wiring.turn:
                is_done = self.partition.run(self._wall())
                await asyncio.sleep(0)
            await self._score()
            if self._is_epoch_due():
                self.partition.sweep(SWEPT_AN_EPOCH)
                self._run_campaigns()
                await self._write_epoch()
            elif is_done:
                await self._rest()
        await self._write_epoch()

    def _run_campaigns(self) -> None:
        now, before = self._wiring.clocks.monotonic(), self._ran_at
        self._ran_at = now
        self.partition.run_campaigns(now - before)

    async def _score(self) -> None:
        """Score whom the partition sampled: in a thread, as that takes longer than a slice."""
        sampler, score = self.partition.sampler, self._wiring.score
        if sampler is None or score is None:
            return
        voice = None if self._wiring.voice is None else self._wiring.voice()
        sampler.guesses = voice is not None
        if not sampler.samples:
            return
        samples = sampler.take_samples()
        for user_id, found in await asyncio.to_thread(score, samples):
            self.partition.score(user_id, found)
        for user_id, guess in guesses(voice, samples):
            self.partition.guess(user_id, guess)

    def _wall(self) -> Wall | None:
        wall = self._wiring.clocks.wall
        return Wall(wall(), self.behind) if wall else None

    def _is_epoch_due(self) -> bool:
        return self._wiring.clocks.monotonic() >= self._epoch_at or self.partition.table.dirty >= MAX_DIRTY

    async def _rest(self) -> None:
        """Wait for a chunk, the end of the epoch, or for time to pass."""
        if not self.has_pending:
            self._progressed()
        until_epoch = self._epoch_at - self._wiring.clocks.monotonic()
        try:
            async with asyncio.timeout(until_epoch if self._has_changed or self._is_running else IDLE_S):
                await self._work.wait()
        except TimeoutError:
            pass

    @property
    def _is_running(self) -> bool:
        """Whether a campaign that was told to run goes on with the next epoch."""
        return bool(self.partition.by_hand.active)

    @property
    def _has_changed(self) -> bool:
        partition = self.partition
        return bool(
            partition.table.dirty
            or partition.table.changes
            or (partition.sampler is not None and partition.sampler.examples)
            or partition.dead_letters
            or partition.state.positions != self.written
            or partition.by_hand.control is not self._written_control
            or self._has_time_passed
        )

    @property
    def _has_time_passed(self) -> bool:
        """Whether the marker should know: with a clock on the wall time passes always."""
        passed = self.partition.watermark - self._written_watermark
        return passed >= QUIET_MS if self._wiring.clocks.wall else passed > 0

    async def _write_epoch(self) -> None:
        if self._has_changed:
            async with self._wiring.turn:
                epoch = self.partition.collect()
                records = self._records(epoch)
                await asyncio.sleep(0)
            started = self._wiring.clocks.monotonic()
            await self._wiring.log.append(records)
            self._torn = ()
            self.epoch += 1
            self.written = epoch.state.positions
            self._written_watermark = epoch.state.watermark
            self._written_control = epoch.state.control
            self._progressed()
            self.written_at = self.progressed_at
            self._wiring.committed(self, epoch, self.progressed_at - started)
        self._epoch_at = self._wiring.clocks.monotonic() + self._epoch_s

    def _records(self, epoch: Epoch) -> EpochRecords:
        """An epoch as it is written."""
        outputs = self._wiring.outputs
        said = [
            *outputs.changes(epoch.changes),
            *outputs.scores(epoch.scores),
            *outputs.triggers(epoch.triggers),
            *outputs.decisions(epoch.decisions),
            *examples(epoch.examples),
            *outputs.dead_letters(epoch.dead_letters),
        ]
        marker = Marker(
            generation=self.generation,
            epoch=self.epoch + 1,
            state=epoch.state,
            outputs=len(said) if self._wiring.log.stores_outputs else 0,
            partitions=self._wiring.partitions,
        )
        rows = [
            *self._torn,
            *((user.encode(), encoded) for user, encoded in epoch.rows.items()),
            *epoch.days.items(),
        ]
        return EpochRecords(self.epoch + 1, rows, said, marker_record(marker))

    def _progressed(self) -> None:
        self.progressed_at = self._wiring.clocks.monotonic()
