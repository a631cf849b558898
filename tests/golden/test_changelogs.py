"""Changelogs that older versions wrote are read, row for row, and gone on from as if there had been one version."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.live.chunk import Chunk
from app.live.outputs import Outputs
from app.live.task import Clocks, PartitionTask, Wiring
from app.moves import added, flows, population
from app.topics import TopicsError
from schemas.changes import LIFECYCLE
from schemas.times import DAY_MS
from schemas.topics import INPUT_TOPICS, TAG_CHANGES, Topic
from tables import codec
from tables.changelog import MARKER_KEY, Record, Restore, is_user
from tables.codec import VERSION, UnknownVersionError
from tables.panes import DAYS_KEPT
from tables.row import Row
from tables.table import Table
from tests.live.desk import EPOCH_S, running
from tests.live.fake_log import FakeBroker, FakeLog
from tests.live.quick_loop import run_quickly
from tests.live.world import Record as Fetched
from tests.oracle import Wire, effective, history, instant
from tests.properties.test_moves_are_the_oracles import known_of, users_at

HERE: Final = Path(__file__).parent
VERSIONS: Final = sorted(file.stem.removeprefix("changelog-") for file in HERE.glob("changelog-*.jsonl"))
LOGS: Final = ("whole", "in steps")
PARTITIONS: Final = 3


class Step(NamedTuple):
    """A chunk of a topic-partition."""

    partition: int
    topic: Topic
    payloads: list[bytes]


class Golden:
    """What a version was given, said and wrote."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._changelog = _lines(HERE / f"changelog-{version}.jsonl")
        lines = _lines(HERE / f"history-{version}.jsonl")
        (summary,) = (line for line in lines if "said" in line)
        self.steps = [
            Step(line["partition"], line["topic"], [payload.encode() for payload in line["payloads"]])
            for line in lines
            if "payloads" in line
        ]
        self.written = self.steps[: summary["seen"] - 1]
        self.said: list[list[Wire]] = summary["said"]

    def changelog(self, log: str, partition: int) -> list[Record]:
        """The records of a partition's changelog."""
        return [
            (base64.b64decode(line["key"]), base64.b64decode(line["value"]) if line["value"] is not None else None)
            for line in self._changelog
            if (line["log"], line["partition"]) == (log, partition)
        ]

    def lanes(self, partition: int) -> Mapping[Topic, list[bytes]]:
        """All that ever comes into a partition."""
        return {
            topic: [each for step in self.steps if step[:2] == (partition, topic) for each in step.payloads]
            for topic in INPUT_TOPICS
        }

    @cached_property
    def truth(self) -> Any:
        """What the oracle says of all that ever came."""
        events = [event for partition in range(PARTITIONS) for event in _released(self.lanes(partition))]
        until = max(instant(json.loads(each)) for step in self.steps for each in step.payloads if b"tick" in each)
        return history(events, until + 1)


def _lines(path: Path) -> list[Wire]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _released(lanes: Mapping[Topic, list[bytes]]) -> list[Wire]:
    """The events of a partition in the order of the merge, worked out without it: ticks stand for what they tell."""
    found = []
    for rank, (topic, payloads) in enumerate(lanes.items()):
        bound = 0
        for offset, payload in enumerate(payloads):
            event = json.loads(payload)
            if "ts" in event:  # nobody can read the others
                bound = max(bound, instant(event) + (event["type"] == "tick"))
                found.append((bound, rank, offset, event))
        assert topic in INPUT_TOPICS
    return [event for *_, event in sorted(found, key=lambda each: each[:3]) if event["type"] != "tick"]


def new_partition(number: int) -> Partition:
    return Partition(number, DEFAULT_LIMITS, Table(max_hot=1), PARTITIONS)


def folded(golden: Golden, number: int) -> Partition:
    """A partition of this version that was given the same chunks, without a log."""
    partition = new_partition(number)
    for _, topic, payloads in (step for step in golden.written if step.partition == number):
        partition.take(topic, enumerate(payloads, partition.merge.next_offset(topic)))
        while not partition.run():
            pass
    partition.collect()
    return partition


def restored(records: Iterable[Record]) -> Restore:
    restore = Restore()
    restore.read(records)
    return restore


KNOWN: Final = {"1": 19, "2": 46}
"""So many fields of a row each version wrote; 68 days of panes and more are kept since."""


def known_to(version: str, row: Row) -> list[Any]:
    """What a version could know of a row, taken apart; but for when it is looked at next."""
    names = Row.__struct_fields__[: KNOWN[version]]
    parts: dict[str, Any] = {"packed_orders": row.orders, "packed_cart": row.cart, "packed_tags": row.tags}
    for order in parts["packed_orders"].values():
        order.cancelled_at = None
    panes = row.days
    oldest = panes[-5] - DAYS_KEPT if panes else 0
    parts["day_window"] = [panes[n : n + 5] for n in range(0, len(panes), 5) if panes[n] >= oldest]
    return [parts.get(name, getattr(row, name)) for name in names if name != "due"]


async def gone_on(golden: Golden, broker: FakeBroker, number: int, *, transactional: bool, partitions: int) -> None:
    """A worker of this version takes a partition over, and is given the rest of its history."""
    lanes = golden.lanes(number)

    async def ranges(_: int) -> Mapping[Topic, tuple[int, int]]:
        return {topic: (0, len(payloads)) for topic, payloads in lanes.items()}

    log = FakeLog(broker, transactional=transactional)
    clocks = Clocks(lambda: 0.0, None)
    wiring = Wiring(log, Outputs("golden"), ranges, lambda *_: None, clocks, partitions=partitions)
    task = PartitionTask(number, lambda: new_partition(number), wiring, EPOCH_S, accept_loss=False)
    async with running(task):
        for topic, payloads in lanes.items():
            start, end = task.expected[topic], len(payloads)
            records = [Fetched(offset, payloads[offset]) for offset in range(start, end)]
            assert task.take(Chunk(topic, number, start, end, end, records))


def continued(golden: Golden, log: str, number: int, partitions: int = PARTITIONS) -> FakeBroker:
    """The changelog as an older version left it, with what this one added; and what this one said."""
    broker = FakeBroker()
    broker.changelog = golden.changelog(log, number)
    broker.end = len(broker.changelog)
    run_quickly(gone_on(golden, broker, number, transactional=log == "whole", partitions=partitions))
    return broker


def said_by(broker: FakeBroker) -> list[Wire]:
    return [json.loads(output.value) for output in broker.outputs if output.topic == TAG_CHANGES]


@pytest.fixture(params=VERSIONS)
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.param)


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("number", range(PARTITIONS))
def test_every_row_and_the_marker_are_what_this_version_makes_of_the_same_events(
    golden: Golden, log: str, number: int
) -> None:
    restore, twin = restored(golden.changelog(log, number)), folded(golden, number)
    rows = {user.decode(): known_to(golden.version, codec.decode(row)) for user, row in restore.rows.items()}
    twins = twin.table.encoded_rows().items()
    assert rows == {user: known_to(golden.version, codec.decode(row)) for user, row in twins}
    assert restore.marker is not None
    assert restore.marker.state == msgspec.structs.replace(twin.state, moves_since=None)
    assert restore.marker.partitions in {0, PARTITIONS}


@pytest.mark.parametrize("log", LOGS)
def test_history_goes_on_as_if_there_had_been_one_version(golden: Golden, log: str) -> None:
    said = []
    for number in range(PARTITIONS):
        before, after = golden.said[number], said_by(continued(golden, log, number))
        again = [change for change in after if change in before]
        assert not again or log == "in steps"  # where a restore publishes the last epoch's outputs again
        said += [*before, *(change for change in after if change not in before)]
    assert effective(said) == golden.truth


@pytest.mark.parametrize("log", LOGS)
def test_moves_are_counted_from_the_upgrade_on_and_tell_the_days_since(golden: Golden, log: str) -> None:
    partitions = []
    for number in range(PARTITIONS):
        restore = restored(continued(golden, log, number).changelog)
        assert restore.marker is not None
        partition = new_partition(number)
        partition.resume(restore.marker.state, restore.rows, restore.days)
        partitions.append(partition)
    known = added(map(known_of, partitions))
    assert known.first is not None
    assert any(users < 0 for number, day in known.days.items() for users in day.get(LIFECYCLE, {}).values()
               if number < known.first), "a change of before that was withdrawn"  # fmt: skip
    for tag, (days, users) in population(known).items():
        assert len(days) == known.last - known.first + 2 > 20
        for place, day in enumerate(days):
            end = (day - date(1970, 1, 1)).days * DAY_MS + DAY_MS
            assert {state: counts[place] for state, counts in users.items()} == users_at(golden.truth, tag, end)
        assert all(users > 0 for users in flows(known, tag, days[0], days[-1]).values())


def test_the_recorded_history_is_a_rich_one(golden: Golden) -> None:
    restores = [restored(golden.changelog("in steps", number)) for number in range(PARTITIONS)]
    rows = [codec.decode(row) for restore in restores for row in restore.rows.values()]
    assert any(row.erased_at and row.is_blank for row in rows), "a stub of an erased user"
    assert any(tag.expires_at < 2**62 and tag.ended_sequence is None for row in rows for tag in row.tags.values())
    assert any(tag.ended_sequence for row in rows for tag in row.tags.values())
    assert any(row.cart for row in rows)
    assert any(row.attributes for row in rows)
    assert any(row.consent and row.reachable for row in rows)
    assert {order.is_cancelled for row in rows for order in row.orders.values()} == {True, False}
    assert any(order.whole_return_ts for row in rows for order in row.orders.values())
    assert {"active", "silent", "lost"} <= {row.lifecycle.state for row in rows}
    assert {row.purchase.state for row in rows} >= {"unactivated", "active", "silent"}
    records = [record for number in range(PARTITIONS) for record in golden.changelog("in steps", number)]
    assert any(value is None for _, value in records), "a row that was deleted"
    assert any(restore.torn for restore in restores), "an epoch that never became true"
    assert any(restore.outputs for restore in restores)
    assert {restore.marker.generation for restore in restores if restore.marker} == {3}
    assert any("corrects" in change for said in golden.said for change in said)
    assert any(
        "corrects" in change for number in range(PARTITIONS) for change in said_by(continued(golden, "whole", number))
    )


def test_the_number_of_partitions_is_noted_from_now_on_and_held_to(golden: Golden) -> None:
    broker = continued(golden, "whole", 0)
    marker = restored(broker.changelog).marker
    assert marker is not None
    assert marker.partitions == PARTITIONS
    run = gone_on(golden, broker, 0, transactional=True, partitions=PARTITIONS + 1)
    before = list(broker.changelog)
    with pytest.raises(TopicsError, match="written with 3 partitions, but 4 are set"):
        run_quickly(run)
    assert broker.changelog == before


def newer_row(value: bytes) -> bytes:
    return bytes([VERSION + 1]) + value[1:]


def newer_marker(value: bytes) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(value), "version": VERSION + 1})


def marker_of_more_topics(value: bytes) -> bytes:
    marker = msgspec.json.decode(value)
    marker["state"]["positions"]["events.review"] = [7, None]
    return msgspec.json.encode(marker)


@pytest.mark.parametrize("change", [newer_row, newer_marker, marker_of_more_topics])
def test_what_a_newer_version_wrote_is_refused_before_anything_is_written(
    golden: Golden, change: Callable[[bytes], bytes]
) -> None:
    broker = continued(golden, "whole", 0)
    wanted = is_user if change is newer_row else MARKER_KEY.__eq__
    place = max(n for n, (key, value) in enumerate(broker.changelog) if value and wanted(key))
    key, value = broker.changelog[place]
    broker.changelog[place] = key, change(value or b"")
    before = list(broker.changelog), list(broker.outputs)
    with pytest.raises(UnknownVersionError, match="upgrade this worker"):
        run_quickly(gone_on(golden, broker, 0, transactional=True, partitions=PARTITIONS))
    assert (broker.changelog, broker.outputs) == before


def test_what_a_newer_version_only_added_is_passed_over(golden: Golden) -> None:
    plain, grown = FakeBroker(), FakeBroker()
    plain.changelog = golden.changelog("whole", 0)
    grown.changelog = [(key, with_more(key, value)) for key, value in plain.changelog]
    for broker in (plain, grown):
        run_quickly(gone_on(golden, broker, 0, transactional=True, partitions=PARTITIONS))
    assert said_by(grown) == said_by(plain)
    assert restored(grown.changelog).marker == restored(plain.changelog).marker


def with_more(key: bytes, value: bytes | None) -> bytes | None:
    """A record as a later version with more fields writes it."""
    if value is None or (key[:1] == b"\xff" and key != MARKER_KEY):
        return value
    if key == MARKER_KEY:
        return msgspec.json.encode({**msgspec.json.decode(value), "mood": "fine"})
    fields = msgspec.msgpack.decode(codec.encode(codec.decode(value))[codec.HEADER.size :])
    return value[: codec.HEADER.size] + msgspec.msgpack.encode([*fields, {"more": 1}])
