"""The number of partitions with which the changelog was written: it cannot change under the rows that lie there.

A user's row lies in the partition of the user's key. With another number keys lead elsewhere: a user would have a new
row beside the old one, and nobody would notice.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final, TypeAlias

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from app.settings import Settings
from app.topics import PATIENCE_S, BrokerError, TopicsError, changelog_name, one_line
from schemas.partitioner import partition_of
from tables.changelog import MARKER_KEY, Marker, is_user, read_marker

FIRST_LOOK: Final = 100
"""So many offsets before the end a marker is looked for first: it is the last record of each epoch."""
FURTHER: Final = 20
"""So many times further back each next look goes."""
USERS_ASKED: Final = 30
"""So many users tell by their keys whether they are at home: of more partitions, half or fewer would be the same."""

_UNTOLD: Final = 0

Offsets: TypeAlias = Mapping[TopicPartition, int]
Found: TypeAlias = dict[TopicPartition, list[Any]]


def check_written_count(settings: Settings) -> None:
    """Look at the end of each partition of the changelog, which must be there; nothing is written.

    Raises TopicsError where it was written with another number of partitions than is set, BrokerError where it cannot
    be read, UnreadableError for what this version does not know.
    """
    try:
        with closing(_consumer(settings)) as consumer:
            for place, records in _ends(consumer, changelog_name(settings), settings.partitions):
                _check(settings, place.partition, records)
    except KafkaError as error:
        raise _unread(settings, one_line(error)) from None


def check_marker(marker: Marker, partitions: int) -> None:
    """Raises TopicsError where a marker was written with another number of partitions than is set."""
    if marker.partitions not in {_UNTOLD, partitions}:
        raise _wrong(f"the changelog was written with {marker.partitions} partitions, but {partitions} are set")


def _check(settings: Settings, partition: int, records: list[Any]) -> None:
    marker = _last_marker(records)
    if marker is not None and marker.partitions != _UNTOLD:
        check_marker(marker, settings.partitions)
    elif any(partition_of(user, settings.partitions) != partition for user in _users(records)):
        raise _wrong(f"the changelog was written with another number of partitions than the {settings.partitions} set")


def _wrong(problem: str) -> TopicsError:
    return TopicsError(
        problem,
        "users would get a second row in another partition. Kafka takes no partitions back, so go on in new topics, as"
        " docs/upgrading.md says",
    )


def _last_marker(records: list[Any]) -> Marker | None:
    values = [record.value for record in records if record.key == MARKER_KEY and record.value is not None]
    return read_marker(values[-1]) if values else None


def _users(records: list[Any]) -> set[bytes]:
    return {record.key for record in records if is_user(record.key)}


def _tells(records: list[Any]) -> bool:
    """Whether enough was read to know the number."""
    marker = _last_marker(records)
    return marker is not None and (marker.partitions != _UNTOLD or len(_users(records)) >= USERS_ASKED)


def _ends(consumer: Any, name: str, partitions: int) -> Iterator[tuple[TopicPartition, list[Any]]]:
    """The last committed records of each partition: as many as tell the number, or else all."""
    places = [TopicPartition(name, number) for number in range(partitions)]
    begins, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
    left = {place for place in places if begins[place] < ends[place]}
    back = FIRST_LOOK
    while left:
        starts = {place: max(begins[place], ends[place] - back) for place in left}
        for place, records in _read(consumer, starts, ends).items():
            if starts[place] == begins[place] or _tells(records):
                left.remove(place)
                yield place, records
        back *= FURTHER


def _read(consumer: Any, starts: Offsets, ends: Offsets) -> Found:
    """What lies between some offsets; raises TimeoutError where the broker stops to answer."""
    consumer.assign(list(starts))
    consumer.resume(*starts)
    for place, offset in starts.items():
        consumer.seek(place, offset)
    found: Found = {place: [] for place in starts}
    unread = set(starts)
    deadline = time.monotonic() + PATIENCE_S
    while unread:
        for place, records in consumer.poll(timeout_ms=500).items():
            found[place] += records
            deadline = time.monotonic() + PATIENCE_S
        unread -= (come := {place for place in unread if consumer.position(place) >= ends[place]})
        consumer.pause(*come)
        if time.monotonic() > deadline:
            raise KafkaError("no answer in time")
    return found


def _consumer(settings: Settings) -> Any:
    return KafkaConsumer(
        **settings.kafka_connection.options(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )


def _unread(settings: Settings, why: str) -> BrokerError:
    return BrokerError(f"the changelog {changelog_name(settings)} cannot be read ({why})", "see the broker's log")
