"""What lies on the broker when a campaign is over."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from msgspec.structs import replace

from agents.partition import Epoch, Partition
from app.rules_file import load_rules
from app.settings import Settings
from app.topics import all_names, input_names
from schemas.dead_letter import Rejected
from schemas.decode import decode
from schemas.topics import INPUT_TOPICS
from tables import codec
from tables.ledger import read_days
from tables.moves import read_moves
from tables.row import Row
from tables.table import Table
from tests.flow.system import System, Wire
from tests.recall_storms import World, added

RULES: Final = Path(__file__).with_name("rules.toml")
_OPEN: Final = frozenset({"Ongoing", "PrepareCommit", "PrepareAbort"})


class Stored:
    """Reads it, once."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._settings = system.settings
        self.group_lag = group_lag(system.settings)
        restores = system.restores()
        self.rows = {user: row for restore in restores for user, row in restore.rows.items()}
        self.markers = [restore.marker for restore in restores if restore.marker]
        self.ledger = added(read_days(restore.days) for restore in restores)
        self.moves = [read_moves(restore.days) for restore in restores]
        self.changes = system.changes()
        self.decisions, self.triggers = map(self._said, ("recall-decisions", "recall-triggers"))
        self.dead_letters = system.read(self._named("dead-letters"))
        self.inputs: Mapping[str, Sequence[Any]] = {topic: system.read(self._named(topic)) for topic in INPUT_TOPICS}

    def _named(self, topic: str) -> str:
        return self._settings.topic_prefix + topic

    def _said(self, topic: str) -> list[Wire]:
        return [json.loads(record.value) for record in self._system.read(self._named(topic))]

    @cached_property
    def world(self) -> World:
        """What lies on the topics, as the laws of recall look at it."""
        lanes: dict[tuple[int, str], list[Wire]] = {}
        for topic, records in self.inputs.items():
            for record in filter(lambda each: _is_readable(each.value), records):
                lanes.setdefault((record.partition, topic), []).append(json.loads(record.value))
        until = min(marker.state.watermark for marker in self.markers)
        return World(RULES.read_text(), 0, lanes, self.decisions, self.triggers, self.changes, until)

    @cached_property
    def arrivals(self) -> list[Wire]:
        """All events that can be read, as they have to be applied: merged by time, each topic in its own order."""
        keyed = [
            (key, rank, record.partition, record.offset, event)
            for rank, topic in enumerate(INPUT_TOPICS)
            for _, lane in groupby(self.inputs[topic], key=lambda record: record.partition)
            for key, record, event in _timed(lane)
        ]
        return [event for *_, event in sorted(keyed, key=lambda each: each[:4])]

    @property
    def unreadable(self) -> int:
        """Records of input topics that are neither events nor ticks."""
        return sum(not _is_readable(record.value) for records in self.inputs.values() for record in records)

    @cached_property
    def uninterrupted(self) -> Sequence[Epoch]:
        """What each partition makes of the same topics in one process: no broker, one epoch, no restore."""
        settings = self._settings
        book = load_rules(RULES)
        limits = replace(settings.limits, portraits=bool(book.names))
        partitions = [Partition(n, limits, Table(), settings.partitions, book) for n in range(settings.partitions)]
        for topic, records in self.inputs.items():
            for record in records:
                partitions[record.partition].take(topic, [(record.offset, record.value)])
        for partition in partitions:
            while not partition.run():
                pass
        return [partition.collect() for partition in partitions]

    def gaps(self) -> dict[str, int]:
        """Records that a read-committed consumer cannot see yet, because a transaction before them is open."""
        found = {isolation: ends(self._settings, isolation) for isolation in ("read_committed", "read_uncommitted")}
        behind = {
            f"{place.topic}/{place.partition}": end - found["read_committed"][place]
            for place, end in found["read_uncommitted"].items()
        }
        return {place: gap for place, gap in behind.items() if gap}

    def open_transactions(self) -> list[str]:
        """Transactions of this application that are neither committed nor aborted."""
        client = KafkaAdminClient(bootstrap_servers=self._settings.kafka)
        try:
            found = [each for listed in client.list_transactions().values() for each in listed]
        finally:
            client.close()
        mine = [each for each in found if each.transactional_id.startswith(f"{self._settings.app_id}-")]
        assert len(mine) == self._settings.partitions, mine
        return [f"{each.transactional_id}: {each.state.value}" for each in mine if each.state.value in _OPEN]


def ends(settings: Settings, isolation: str) -> Mapping[TopicPartition, int]:
    """Where each topic-partition of an application ends, for consumers of that isolation."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, isolation_level=isolation)
    try:
        places = [TopicPartition(name, n) for name in all_names(settings) for n in range(settings.partitions)]
        found: Mapping[TopicPartition, int] = consumer.end_offsets(places)
        return found
    finally:
        consumer.close()


def group_lag(settings: Settings) -> dict[str, int]:
    """Records of input topics that the group has not committed."""
    client = KafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        committed: Any = client.list_group_offsets({settings.app_id: None})[settings.app_id]
    finally:
        client.close()
    done = {(place.topic, place.partition): each.offset for place, each in committed.items()}
    inputs = input_names(settings)
    told = {p: end - done.get((p.topic, p.partition), 0) for p, end in ends(settings, "read_committed").items()}
    return {f"{place.topic}/{place.partition}": lag for place, lag in told.items() if lag and place.topic in inputs}


def _timed(lane: Iterator[Any]) -> Iterator[tuple[int, Any, Wire]]:
    """The events of a topic-partition, each with how far its topic had come after it."""
    bound = 0
    for record in lane:
        if not _is_readable(record.value):
            continue
        event = json.loads(record.value)
        is_tick = event["type"] == "tick"
        bound = max(bound, event["ts"] + is_tick)
        if not is_tick:
            yield bound, record, event


def _is_readable(value: bytes | None) -> bool:
    try:
        decode(value)
    except Rejected:
        return False
    return True


def timeless(encoded: bytes) -> Row:
    """A row without what depends on when time was looked at: its timer, the numbers of its changes, its triggers.

    A late event is decided on as of how far time had come. So what was decided is judged by laws of its own.
    """
    row = codec.decode(encoded)
    row.due = row.sequence = row.recall_due = row.recall_until = 0
    row.packed_recalls = None
    for life in (row.lifecycle, row.purchase):
        life.said = []
    tags = row.tags
    for tag in tags.values():
        tag.ended_sequence = tag.ended_sequence and 0
    row.tags = tags
    for name, rule_tag in row.rule_tags.items():
        rule_tag.said = [replace(each, sequence=0) for each in rule_tag.said[-1:]]
        rule_tag.answers = rule_tag.answers[-1:]
        row.rule_tags[name] = rule_tag
    return row
