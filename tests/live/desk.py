"""One task at a time, on a log in memory, with topics and clocks that a test turns by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from agents.limits import DEFAULT_LIMITS
from agents.partition import Epoch, Partition
from app.live.chunk import Chunk
from app.live.outputs import Outputs
from app.live.task import Clocks, PartitionTask, Phase, Wiring
from schemas.control import Told
from schemas.times import DAY_MS, Millis
from schemas.topics import DEAD_LETTERS, INPUT_TOPICS, TAG_CHANGES
from tables.changelog import Marker, Restore
from tables.table import Table
from tests.live.fake_log import FakeBroker, FakeLog, Hook, undisturbed
from tests.live.world import Record

CLICKS: Final = "events.click"
START: Final[Millis] = 19_723 * DAY_MS
EPOCH_S: Final = 0.1


def day(number: float, ms: int = 0) -> Millis:
    return START + int(number * DAY_MS) + ms


def click(at: Millis, user: str = "u", event_id: str | None = None) -> bytes:
    fields = {"type": "click", "event_id": event_id or f"{at}", "user_id": user, "ts": at, "item_id": "i"}
    return json.dumps(fields).encode()


def tick(at: Millis) -> bytes:
    return b'{"type": "tick", "ts": %d}' % at


class Desk:
    """A broker with topics of one partition, and tasks for it."""

    def __init__(self, *, transactional: bool = True, at: Hook = undisturbed) -> None:
        self.broker = FakeBroker()
        self.topics: dict[str, list[bytes]] = {topic: [] for topic in INPUT_TOPICS}
        self.begins = dict.fromkeys(INPUT_TOPICS, 0)
        self.epochs: list[Epoch] = []
        self.wall: Millis | None = None
        self.told: list[Told] = []
        self.at = at
        self._transactional = transactional

    def task(
        self, number: int = 0, *, accept_loss: bool = False, at: Hook | None = None,
        new_partition: Callable[[], Partition] | None = None,
    ) -> PartitionTask:  # fmt: skip
        """A task that waits to be run."""
        log = FakeLog(self.broker, transactional=self._transactional, at=at or self.at)
        wall = None if self.wall is None else lambda: self.wall or 0
        wiring = Wiring(
            log, Outputs("app"), self._ranges, lambda _, epoch, __: self.epochs.append(epoch),
            Clocks(asyncio.get_running_loop().time, wall), told=lambda position: self.told[position:],
        )  # fmt: skip
        make = new_partition or (lambda: Partition(number, DEFAULT_LIMITS, Table()))
        return PartitionTask(number, make, wiring, EPOCH_S, accept_loss=accept_loss)

    async def _ranges(self, _: int) -> Mapping[str, tuple[int, int]]:
        return {topic: (self.begins[topic], len(records)) for topic, records in self.topics.items()}

    def put(self, topic: str, *payloads: bytes) -> None:
        """Let records come into a topic."""
        self.topics[topic] += payloads

    def tick(self, at: Millis) -> None:
        """Tick every topic."""
        for topic in INPUT_TOPICS:
            self.put(topic, tick(at))

    def chunk(self, topic: str, start: int, end: int, number: int = 0) -> Chunk:
        """Records of a topic as they are fetched."""
        records = [Record(offset, self.topics[topic][offset]) for offset in range(start, end)]
        return Chunk(topic, number, start, end, len(self.topics[topic]), records)

    def feed(self, task: PartitionTask) -> None:
        """All that a task has not read yet."""
        for topic, records in self.topics.items():
            if task.expected[topic] < len(records):
                assert task.take(self.chunk(topic, task.expected[topic], len(records), task.number))

    def said(self) -> list[Any]:
        """The ids of the changes that were published."""
        return [json.loads(each.value)["id"] for each in self.broker.outputs if each.topic == TAG_CHANGES]

    def dead(self) -> list[str]:
        """Why records were not used."""
        return [json.loads(each.value)["reason"] for each in self.broker.outputs if each.topic == DEAD_LETTERS]

    def restored(self) -> Restore:
        """What a restore would find."""
        restore = Restore()
        restore.read(self.broker.changelog)
        return restore

    def marker(self) -> Marker:
        """The newest marker."""
        marker = self.restored().marker
        assert marker is not None, "no epoch was written"
        return marker


@asynccontextmanager
async def running(task: PartitionTask) -> AsyncIterator[None]:
    """A task that runs; at the end it has time for what it was given, is stopped, and has written what it applied."""
    run = asyncio.create_task(task.run())
    while task.phase is not Phase.RUNNING:
        await asyncio.sleep(0)
        if run.done():
            run.result()
    try:
        yield
        await soon()
    finally:
        task.stop()
        await run


async def soon() -> None:
    """Enough time for a few epochs."""
    await asyncio.sleep(10 * EPOCH_S)
