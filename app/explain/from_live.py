"""What is known of one user by a live system: its changelog, its input topics, what it said. Nothing is written."""

import asyncio
from typing import Any, Final

import msgspec
from aiokafka.errors import KafkaError

from agents.churn.snapshot import Snapshot
from app.churn.train import read_models
from app.committed import Progress, committed
from app.explain.known import Known, UnknownUserError, moment_of
from app.explain.lane import Lane, lane_of
from app.explain.phrases import plain
from app.explain.standing import sequence_of
from app.explain.trail import Trail
from app.partition_count import check_marker
from app.settings import Settings
from app.topics import BrokerError, one_line
from schemas.changes import TagChange
from schemas.dead_letter import Rejected
from schemas.decode import decode
from schemas.events import AnyEvent, Profile, Tick, UserId, cause_of
from tables import codec
from tables.changelog import Marker, Restore, is_user
from tables.row import Row

PROFILES: Final = "events.profile"

_CHANGE: Final = msgspec.json.Decoder(TagChange)
_NONSENSE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Whose(msgspec.Struct):
    """As much of a record as tells whose it is."""

    user_id: UserId = ""


_WHOSE: Final = msgspec.json.Decoder(_Whose)


def read_live(settings: Settings, user_id: UserId, progress: Progress) -> Known:
    """The user's row as it was last committed, the events behind it that are still there, and what was said.

    Raises BrokerError where Kafka is away or gives nothing, TopicsError where there is no such system,
    UnknownUserError, and UnreadableError for what this version cannot read.
    """
    lane = lane_of(settings, user_id)
    try:
        return asyncio.run(_read(lane, user_id, progress))
    except KafkaError as error:
        raise BrokerError(f"the topics cannot be read ({one_line(error)})", "try again when the broker is up") from None


def read_live_models(settings: Settings) -> Snapshot | None:
    """The models that are in force; None before there are any. Raises SnapshotError, BrokerError."""
    try:
        return asyncio.run(read_models(settings, settings.kafka_connection)).snapshot()
    except KafkaError as error:
        raise BrokerError(f"the models cannot be read ({one_line(error)})", "try again when the broker is up") from None


async def _read(lane: Lane, user_id: UserId, progress: Progress) -> Known:
    restore, key = Restore(), user_id.encode()
    async for record in committed(lane.settings.kafka_connection, lane.places([lane.changelog]), progress):
        if record.key == key or not is_user(record.key):
            restore.read([(record.key, record.value)])
    marker, encoded = restore.marker, restore.rows.get(key)
    if marker is not None:
        check_marker(marker, lane.partitions)
    if marker is None or encoded is None:
        there = f"partition {lane.partition} of {lane.changelog}"
        raise UnknownUserError(f"no user {plain(user_id)!r} is known: there is no row of theirs in {there}")
    row = codec.decode(encoded)
    story = _Story(lane, user_id, row, marker)
    await story.read(progress)
    where = f"live system {lane.settings.app_id}, partition {lane.partition}"
    return Known(user_id, row, moment_of(row, marker.state.watermark), story.changes, story.trail, where)


class _Story:
    """What was said of a user up to the row that is known, and the events that were applied to it."""

    def __init__(self, lane: Lane, user_id: UserId, row: Row, marker: Marker) -> None:
        self._lane = lane
        self._user_id = user_id
        self._sequence = row.sequence
        self._erased_at = row.erased_at or 0
        self._positions = marker.state.positions
        self._events: set[str] = set()
        self.changes: list[TagChange] = []
        self.trail = Trail()

    async def read(self, progress: Progress) -> None:
        """Read all that is still there; profiles first: what is older than an erasure is nobody's business."""
        names = sorted(self._lane.inputs, key=lambda name: self._lane.inputs[name] != PROFILES)
        kafka, lane = self._lane.settings.kafka_connection, self._lane
        async for record in committed(kafka, lane.places(names[:1]), progress):
            self._erase(record)
        async for record in committed(kafka, lane.places([*names, *lane.changes]), progress):
            if record.topic in self._lane.changes:
                self._hear(record)
            elif (event := self._event(record)) is not None and event.ts > self._erased_at:
                self._take(event)

    def _erase(self, record: Any) -> None:
        event = self._event(record)
        if isinstance(event, Profile) and event.kind == "erased":
            self._erased_at = max(self._erased_at, event.ts)

    def _take(self, event: AnyEvent) -> None:
        """Take in an event that is no copy."""
        cause = cause_of(event)
        if cause not in self._events:
            self._events.add(cause)
            self.trail.add(event)

    def _event(self, record: Any) -> AnyEvent | None:
        """The user's event in a record that was applied; None for all else."""
        applied = self._positions.get(self._lane.inputs[record.topic])
        if applied is None or record.offset >= applied.offset or not self._is_theirs(record.value):
            return None
        try:
            event = decode(record.value)
        except Rejected:
            return None
        return None if isinstance(event, Tick) else event

    def _is_theirs(self, payload: bytes | None) -> bool:
        try:
            return _WHOSE.decode(payload or b"").user_id == self._user_id
        except _NONSENSE:
            return False

    def _hear(self, record: Any) -> None:
        """Take in a change, if the row knows of it already."""
        if record.key != self._user_id.encode():
            return
        try:
            change = _CHANGE.decode(record.value or b"")
            is_known = sequence_of(change) <= self._sequence
        except (*_NONSENSE, ValueError):
            return
        if is_known:
            self.changes.append(change)
