"""The number of partitions that a changelog was written with, told by its end; on both brokers."""

from typing import Any

import pytest
from kafka import KafkaProducer

from app.doctor.check import Level
from app.doctor.diagnose import diagnose
from app.partition_count import FIRST_LOOK, check_written_count
from app.settings import Settings
from app.topics import TopicsError, changelog_name, prepare
from schemas.partitioner import partition_of
from tables.changelog import Marker, Record, State, marker_record
from tables.codec import VERSION, DamagedError, UnknownVersionError
from tests.servers import Given


@pytest.fixture
def settings(kafka: str, given: Given) -> Settings:
    settings = given(kafka=kafka, delivery="at_least_once")
    prepare(settings)
    return settings


def write(settings: Settings, partition: int, records: list[Record]) -> None:
    """Put records into a partition of the changelog."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka)
    for key, value in records:
        producer.send(changelog_name(settings), value, key=key, partition=partition)
    producer.flush()
    producer.close()


def marker(**fields: Any) -> Record:
    state = State(positions={}, watermark=5, census={}, counters={})
    return marker_record(Marker(**{"generation": 1, "epoch": 1, "state": state, **fields}))


def rows(partitions: int, partition: int, users: int) -> list[Record]:
    """Rows of users whose keys lead to a partition."""
    keys = [f"u{number}".encode() for number in range(users)]
    return [(key, b"row") for key in keys if partition_of(key, partitions) == partition]


def refusal(settings: Settings) -> str:
    with pytest.raises(TopicsError) as caught:
        check_written_count(settings)
    assert "docs/upgrading.md" in caught.value.advice
    return caught.value.problem


def test_a_changelog_without_records_was_written_with_no_number(settings: Settings) -> None:
    check_written_count(settings)


def test_the_number_in_the_last_markers_is_held_to(settings: Settings) -> None:
    for partition in range(3):
        write(settings, partition, [*rows(3, partition, 20), marker(partitions=3)])
    check_written_count(settings)
    write(settings, 2, [marker(partitions=4)])
    assert refusal(settings) == "the changelog was written with 4 partitions, but 3 are set"


def test_a_changelog_from_before_the_number_was_noted_is_told_by_its_users(settings: Settings) -> None:
    write(settings, 0, [*rows(3, 0, 300), marker()])
    check_written_count(settings)
    write(settings, 1, [*rows(2, 1, 300), marker()])
    assert refusal(settings) == "the changelog was written with another number of partitions than the 3 set"


def test_users_are_looked_for_behind_many_markers(settings: Settings) -> None:
    write(settings, 1, [*rows(2, 1, 20), *[marker()] * 2 * FIRST_LOOK])
    assert "with another number of partitions" in refusal(settings)


def test_the_last_marker_is_found_behind_much_that_has_none(settings: Settings) -> None:
    write(settings, 0, [marker(partitions=4), *rows(3, 0, 7 * FIRST_LOOK)])
    assert "with 4 partitions" in refusal(settings)


def test_what_a_newer_version_or_nobody_wrote_is_not_believed(settings: Settings) -> None:
    write(settings, 0, [marker(partitions=3, version=VERSION + 1)])
    with pytest.raises(UnknownVersionError):
        check_written_count(settings)
    (check,) = (check for check in diagnose() if check.name == "changelog")
    assert (check.level, check.advice) == (Level.FAILED, "upgrade this worker")
    write(settings, 0, [(marker()[0], b"{")])
    with pytest.raises(DamagedError):
        check_written_count(settings)


def test_the_doctor_says_it(settings: Settings) -> None:
    write(settings, 0, [marker(partitions=4)])
    (check,) = (check for check in diagnose() if check.name == "changelog")
    assert (check.level, check.finding) == (Level.FAILED, refusal(settings))
