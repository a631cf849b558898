"""Two workers, one partition, and a fate: crashes, chunks, hand-overs at every point of an epoch.

Partitions are watched: what each epoch applied is noted, so that a reference, which never stores or restores anything,
can do exactly what was committed.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import msgspec
from aiokafka.errors import KafkaError

from agents.limits import DEFAULT_LIMITS, Limits
from agents.partition import Epoch, Partition
from app.live.chunk import Chunk
from app.live.outputs import Outputs
from app.live.task import Clocks, PartitionTask, Phase, Wiring
from schemas.events import AnyEvent
from schemas.times import Millis
from schemas.topics import INPUT_TOPICS
from tables.changelog import MARKER_KEY, Marker
from tables.table import Table
from tests.live.fake_log import FakeBroker, FakeLog, Point
from tests.live.fates import EPOCH_S, MAX_FAULTS, Fate, Fault
from tests.live.histories import History

WORKERS: Final = 2
MANY: Final = 3_000
"""More turns than any fate needs: it has come to a standstill."""


class Step(NamedTuple):
    """What a partition did: applied an event, or let time pass up to `now`."""

    now: Millis
    event: AnyEvent | None


class Watched(Partition):
    """A partition that notes what it does."""

    def __init__(self, taken: "dict[int, Sequence[Step]]", worker: int, limits: Limits) -> None:
        super().__init__(0, limits, Table(max_hot=2))
        self._taken = taken
        self._worker = worker
        self._steps: list[Step] = []

    def apply(self, event: AnyEvent, now: Millis) -> None:
        """Note it, and apply it."""
        self._steps.append(Step(now, event))
        super().apply(event, now)

    def advance(self, bound: Millis, at_most: int | None = None) -> bool:
        """Note it, and let time pass."""
        self._steps.append(Step(bound, None))
        return super().advance(bound, at_most)

    def collect(self) -> Epoch:
        """What was done since the last time belongs to this epoch."""
        self._taken[self._worker], self._steps = self._steps, []
        return super().collect()


@dataclass
class Record:
    """A record as a consumer hands it over."""

    offset: int
    value: bytes | None
    timestamp: int = -1


class Audit(Protocol):
    """Is told of each epoch that became true, and of what was done in it; and may look at the log after each crash."""

    def committed(self, broker: FakeBroker, marker: Marker, steps: Sequence[Step]) -> None:
        """The newest epoch."""

    def crashed(self, broker: FakeBroker) -> None:
        """Somebody was cut off."""


class Unaudited:
    """Nobody looks until the end."""

    def committed(self, broker: FakeBroker, marker: Marker, steps: Sequence[Step]) -> None:
        """Fine."""

    def crashed(self, broker: FakeBroker) -> None:
        """Fine."""


class World:
    """Everything of one run."""

    def __init__(
        self, history: History, fate: Fate, audit: Audit, *, transactional: bool, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.broker = FakeBroker()
        self.hits: Counter[tuple[Point, str]] = Counter()
        self._history = history
        self._fate = fate
        self._limits = limits
        self._audit = audit
        self._transactional = transactional
        self._faults = MAX_FAULTS
        self._taken: dict[int, Sequence[Step]] = {}
        self._newest: Marker | None = None
        self._runs: dict[int, asyncio.Task[None]] = {}
        self._owner = 0
        self._logs = [FakeLog(self.broker, transactional=transactional, at=self._at) for _ in range(WORKERS)]
        self.tasks = [self._new_task(number) for number in range(WORKERS)]

    async def live(self) -> None:
        """Until everything is applied and written."""
        for _ in range(MANY):
            if self._is_done():
                await self._end()
                return
            self._start()
            await self._turn()
        raise AssertionError("it came to a standstill")

    def _new_task(self, number: int) -> PartitionTask:
        loop = asyncio.get_running_loop()
        wiring = Wiring(self._logs[number], Outputs("app"), self._ranges, lambda *_: None, Clocks(loop.time, None))
        return PartitionTask(0, lambda: Watched(self._taken, number, self._limits), wiring, EPOCH_S, accept_loss=False)

    async def _ranges(self, _: int) -> Mapping[str, tuple[int, int]]:
        return {topic: (0, len(entries)) for topic, entries in self._history.lanes.items()}

    def _is_done(self) -> bool:
        if self._newest is None:
            return False
        state = self._newest.state
        offsets = {topic: position.offset for topic, position in state.positions.items()}
        ends = {topic: len(entries) for topic, entries in self._history.lanes.items()}
        return offsets == ends and state.watermark > self._history.until

    def _start(self) -> None:
        """Let the owner run, if it does not; after a crash it may be another one."""
        run = self._runs.get(self._owner)
        if run is not None and run.done():
            self._audit.crashed(self.broker)
            if not run.cancelled() and (error := run.exception()) is not None and not isinstance(error, KafkaError):
                raise error
            self._owner = self._fate.worker(WORKERS)
            run = self._runs.get(self._owner)
        if run is None or run.done():
            self._runs[self._owner] = run = asyncio.create_task(self.tasks[self._owner].run())
            run.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may ever ask a zombie

    async def _turn(self) -> None:
        self._feed()
        if self._fate.is_handed_over():
            await self._hand_over()
        await asyncio.sleep(self._fate.pause_s())

    async def _hand_over(self) -> None:
        """Another worker becomes the owner; with transactions the older one may not know it yet."""
        before, self._owner = self._owner, self._fate.worker(WORKERS)
        if self._fate.is_told() or before == self._owner or not self._transactional:
            await self._stop(before)

    async def _end(self) -> None:
        """Without further faults: a last owner publishes what may have been cut off."""
        self._faults = 0
        for number in range(WORKERS):
            await self._stop(number)
        self._start()
        await asyncio.sleep(EPOCH_S)
        await self._stop(self._owner)

    async def _stop(self, number: int) -> None:
        run = self._runs.get(number)
        if run is not None and not run.done():
            self.tasks[number].stop()
            if self.tasks[number].phase is not Phase.RUNNING:
                run.cancel()
            with suppress(KafkaError, asyncio.CancelledError):
                await run

    def _feed(self) -> None:
        """Hand a chunk to one who may want it; now and then it is not the next."""
        ready = [(task, topics) for task in self.tasks if (topics := self._unread(task))]
        if not ready:
            return
        worker, number, size, astray = self._fate.handing()
        task, topics = ready[worker % len(ready)]
        topic = topics[number % len(topics)]
        entries = self._history.lanes[topic]
        start = task.expected[topic] if astray is None else astray % len(entries)
        end = min(start + size, len(entries))
        records = [Record(entry.offset, entry.payload) for entry in entries[start:end]]
        is_next = start == task.expected[topic]
        assert task.take(Chunk(topic, 0, start, end, len(entries), records)) is is_next

    def _unread(self, task: PartitionTask) -> list[str]:
        """The topics of which a task wants to read what is left."""
        lanes = self._history.lanes
        return [topic for topic in INPUT_TOPICS if task.wants(topic) and task.expected[topic] < len(lanes[topic])]

    async def _at(self, log: FakeLog, point: Point) -> None:
        """Something happens where the log waits, or nothing."""
        if point is Point.COMMITTED:
            (value,) = [value for key, value in self.broker.changelog[-1:] if key == MARKER_KEY and value is not None]
            self._newest = msgspec.json.decode(value, type=Marker)
            self._audit.committed(self.broker, self._newest, self._taken[self._logs.index(log)])
        for _ in range(self._fate.meanwhile()):
            self.hits[point, "chunk"] += 1
            self._feed()
        if point is Point.COMMITTING and self._fate.compacts():
            self.broker.compact()
        if self._faults > 0 and point is not Point.CLOSING and (fault := self._fate.fault()) is not None:
            await self._strike(log, point, fault)

    async def _strike(self, log: FakeLog, point: Point, fault: Fault) -> None:
        if fault is Fault.TAKEN_OVER and not (self._transactional and self._owner == self._logs.index(log)):
            return
        self._faults -= 1
        self.hits[point, fault.value] += 1
        if fault is Fault.CRASH:
            raise KafkaError(f"cut off {point.value}")
        if fault is Fault.CANCELLED:
            self._cancel(log)
            await asyncio.sleep(0)
        else:
            self._owner = (self._owner + 1) % WORKERS
            self._start()
            await asyncio.sleep(self._fate.pause_s())

    def _cancel(self, log: FakeLog) -> None:
        run = self._runs.get(self._logs.index(log))
        if run is not None:
            run.cancel()
