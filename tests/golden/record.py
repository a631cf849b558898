"""Records what a version of Rekindle writes to its changelog, so that every later version can be held to reading it.

Run it against a checkout of that version; the same checkout gives the same files:

    git worktree add /tmp/older f2882eb
    cd /tmp/older && PYTHONPATH=/tmp/older python .../tests/golden/record.py .../tests/golden 1

`history-1.jsonl`: the chunks of the input topics in the order in which they came, and how many of them the version had
seen (the last of those was cut off before its epoch was true); then what the version said. `changelog-1.jsonl`: the
records of the changelog, whole (with transactions) and in steps (without), key and value in base64.
"""

import asyncio
import base64
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from aiokafka.errors import KafkaError

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.live.chunk import Chunk
from app.live.outputs import Outputs
from app.live.task import Clocks, PartitionTask, Phase, Wiring
from schemas.partitioner import partition_of
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE
from tables.table import Table
from tests.live.fake_log import FakeBroker, FakeLog, Point
from tests.live.quick_loop import run_quickly
from tests.live.world import Record

Wire = dict[str, Any]

PARTITIONS: Final = 3
EPOCH_S: Final = 0.1
DAY_MS: Final = 24 * 60 * 60 * 1000
START: Final = 19_723 * DAY_MS  # 2024-01-01
DAYS: Final = 110
SPAN: Final = 10
"""Days in a chunk; its tick comes on the last of them."""
SEEN_DAYS: Final = 80
LATE_MS: Final = 6 * DAY_MS
EVENTS: Final = 130
USERS: Final = 9
SILENT_MS: Final = 30 * DAY_MS

KINDS: Final[tuple[Wire, ...]] = (
    {"type": "click", "item_id": "i1"},
    {"type": "click", "item_id": "用户", "action": "search", "query": "red shoes"},
    {"type": "cart", "item_id": "i1", "quantity": 2, "price": 19.99},
    {"type": "cart", "item_id": "i1", "action": "remove"},
    {"type": "cart", "item_id": "i2", "action": "checkout"},
    {"type": "order", "order_id": "o1", "total": 25},
    {"type": "order", "order_id": "o2", "status": "placed", "items": [{"item_id": "i1", "price": 3.5, "quantity": 2}]},
    {"type": "order", "order_id": "o1", "status": "cancelled"},
    {"type": "order", "order_id": "o2", "status": "returned"},
    {"type": "order", "order_id": "o1", "status": "returned", "total": 5},
    {"type": "profile", "kind": "registered", "attributes": {"region": "north", "age": 41, "vip": True, "score": 0.5}},
    {"type": "profile", "kind": "login"},
    {"type": "profile", "kind": "consent", "consent": {"sms": True, "email": False}, "reachable": ["sms", "email"]},
    {"type": "message", "kind": "sent", "trigger_id": "t1", "cost": 0.05},
    {"type": "message", "kind": "opened", "trigger_id": "t1", "recall_channel": "email"},
    {"type": "tag", "tag": "vip", "value": "gold"},
    {"type": "tag", "tag": "wave", "value": 7, "ttl_ms": 60 * DAY_MS},
    {"type": "tag", "tag": "short", "value": True, "ttl_ms": DAY_MS},
    {"type": "tag", "tag": "vip", "value": None},
)


class Arrival(NamedTuple):
    """A record of a topic, and when it came there, in event time."""

    at_ms: int
    partition: int
    topic: str
    payload: bytes


def arrivals(random: Random) -> list[Arrival]:
    """Most in time, some late, some twice; ticks, users who are erased, and what nobody can read."""
    found = [*_corrected()]
    found += _arriving(random, {**KINDS[0], "event_id": "once", "user_id": "gone", "ts": START + 50 * DAY_MS})
    for number in range(EVENTS):
        event = {"event_id": f"e{number}", **KINDS[number % len(KINDS)]}
        ts = START + random.randrange(DAYS * DAY_MS)
        found += _arriving(random, {**event, "user_id": f"u{int(USERS * random.random() ** 2)}", "ts": ts})
    for user, day in (("u1", 40), ("gone", 60), ("u2", SEEN_DAYS - 2)):
        erasure = {"type": "profile", "kind": "erased", "event_id": f"gone-{user}", "user_id": user}
        found += _arriving(random, {**erasure, "ts": START + day * DAY_MS})
    found += [Arrival(START + day * DAY_MS, day % PARTITIONS, "events.cart", b'{"type": "cart"}') for day in (31, 91)]
    ticks = [START + day * DAY_MS for day in range(SPAN - 1, DAYS + SPAN, SPAN)]
    found += [
        Arrival(ts, each, topic, _tick(ts)) for ts in ticks for topic in INPUT_TOPICS for each in range(PARTITIONS)
    ]
    return sorted(found)


def _corrected() -> Iterator[Arrival]:
    """Users who were said to be silent, until what they had done before came in; that of the last one is not seen."""
    for number, day in enumerate((8, 18, 28, SEEN_DAYS - 32)):
        first = START + day * DAY_MS
        for name, ts, at in (("a", first, first), ("b", first + SILENT_MS - 1, first + SILENT_MS + 5 * DAY_MS)):
            event = {"type": "order", "order_id": name, "event_id": f"{name}{number}", "user_id": f"late-{number}"}
            payload = json.dumps({**event, "ts": ts, "total": 19.99}).encode()
            yield Arrival(at, partition_of(event["user_id"].encode(), PARTITIONS), "events.order", payload)


def _arriving(random: Random, event: Wire) -> Iterator[Arrival]:
    payload = json.dumps(event, ensure_ascii=False).encode()
    place = partition_of(event["user_id"].encode(), PARTITIONS), TOPIC_OF_TYPE[event["type"]]
    late = random.choice((0, 0, 0, random.randrange(LATE_MS)))
    yield Arrival(event["ts"] + late, *place, payload)
    if random.random() < 0.1:
        yield Arrival(event["ts"] + LATE_MS, *place, payload)


def _tick(ts: int) -> bytes:
    return b'{"type": "tick", "ts": %d}' % (ts - 1)


def chunks(found: list[Arrival]) -> Iterator[tuple[int, str, list[bytes]]]:
    """Records that follow each other in one topic-partition, a span at a time."""
    for first in range(0, DAYS + SPAN, SPAN):
        span = range(START + first * DAY_MS, START + (first + SPAN) * DAY_MS)
        for partition in range(PARTITIONS):
            for topic in INPUT_TOPICS:
                here = [each.payload for each in found if each[1:3] == (partition, topic) and each.at_ms in span]
                if here:
                    yield partition, topic, here


class Writer:
    """One partition's tasks, each the owner for a part of the history, on a log in memory."""

    def __init__(self, number: int, lanes: Mapping[str, list[bytes]], *, transactional: bool) -> None:
        self.broker = FakeBroker()
        self.lanes = lanes
        self._ends = dict.fromkeys(lanes, 0)
        self._number = number
        self._transactional = transactional
        self.is_cut = False
        self._own()

    def _own(self) -> None:
        log = FakeLog(self.broker, transactional=self._transactional, at=self._at)
        clocks = Clocks(asyncio.get_running_loop().time, None)
        # the first version did not note the number
        known: dict[str, Any] = {"partitions": PARTITIONS} if "partitions" in Wiring.__dataclass_fields__ else {}
        wiring = Wiring(log, Outputs("golden"), self._ranges, lambda *_: None, clocks, **known)
        self.task = PartitionTask(self._number, self._partition, wiring, EPOCH_S, accept_loss=False)
        self._run = asyncio.create_task(self.task.run())

    def _partition(self) -> Partition:
        return Partition(self._number, DEFAULT_LIMITS, Table(max_hot=1), PARTITIONS)

    async def _ranges(self, _: int) -> Mapping[str, tuple[int, int]]:
        return {topic: (0, len(records)) for topic, records in self.lanes.items()}

    async def _at(self, _: FakeLog, point: Point) -> None:
        if self.is_cut and point is Point.COMMITTING:
            raise KafkaError("the power is cut")

    async def take(self, topic: str, payloads: list[bytes]) -> None:
        """A chunk, also of what a restart has to be given again; and time enough to write it."""
        await self.running()
        self._ends[topic] += len(payloads)
        for name, end in self._ends.items():
            if (start := self.task.expected[name]) < end:
                records = [Record(offset, self.lanes[name][offset]) for offset in range(start, end)]
                assert self.task.take(Chunk(name, self._number, start, end, len(self.lanes[name]), records))
        await asyncio.sleep(5 * EPOCH_S)

    async def running(self) -> None:
        while self.task.phase is not Phase.RUNNING:  # noqa: ASYNC110  the loop's clock jumps
            await asyncio.sleep(EPOCH_S)

    async def hand_over(self) -> None:
        """Another owner begins with a restore, of a changelog that was compacted."""
        await self.stop()
        self.broker.compact()
        self._own()

    async def stop(self) -> None:
        self.task.stop()
        await self._run

    async def cut_off(self, topic: str, payloads: list[bytes]) -> None:
        """Its epoch is written, but never becomes true."""
        self.is_cut = True
        await self.take(topic, payloads)
        await asyncio.gather(self._run, return_exceptions=True)


async def written(history: list[tuple[int, str, list[bytes]]], seen: int, *, transactional: bool) -> list[FakeBroker]:
    """The brokers of all partitions after the seen chunks, the last of which was cut off."""
    lanes: list[dict[str, list[bytes]]] = [{topic: [] for topic in INPUT_TOPICS} for _ in range(PARTITIONS)]
    for number, topic, payloads in history:
        lanes[number][topic] += payloads
    writers = [Writer(number, lanes[number], transactional=transactional) for number in range(PARTITIONS)]
    for turn, (number, topic, payloads) in enumerate(history[: seen - 1]):
        await writers[number].take(topic, payloads)
        if turn in {seen // 2, seen * 9 // 10}:
            for writer in writers:
                await writer.hand_over()
    number, topic, payloads = history[seen - 1]
    await writers[number].cut_off(topic, payloads)
    for writer in writers:
        if not writer.is_cut:
            await writer.stop()
    return [writer.broker for writer in writers]


def text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def main(folder: Path, version: str) -> None:
    """Write both files."""
    random = Random(1)  # noqa: S311  repeatable
    found = arrivals(random)
    history = list(chunks(found))
    seen = len(list(chunks([each for each in found if each.at_ms < START + SEEN_DAYS * DAY_MS]))) + len(INPUT_TOPICS)
    whole, steps = (run_quickly(written(history, seen, transactional=each)) for each in (True, False))
    said = [[json.loads(each.value) for each in broker.outputs if each.topic == "tag-changes"] for broker in whole]
    changelog = [
        {"log": log, "partition": number, "key": text(key), "value": text(value)}
        for log, brokers in (("whole", whole), ("in steps", steps))
        for number, broker in enumerate(brokers)
        for key, value in broker.changelog
    ]
    chunk_lines = [
        {"partition": number, "topic": topic, "payloads": [each.decode() for each in payloads]}
        for number, topic, payloads in history
    ]
    _write(folder / f"changelog-{version}.jsonl", changelog)
    _write(
        folder / f"history-{version}.jsonl", [*chunk_lines[:seen], {"seen": seen, "said": said}, *chunk_lines[seen:]]
    )


def _write(path: Path, lines: list[Wire]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
