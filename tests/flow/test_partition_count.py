"""Partitions that were added to topics with rows are refused; the documented way to another number works."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from kafka import KafkaConsumer, TopicPartition

from app.partition_count import check_written_count
from app.settings import Settings
from app.topics import admin, all_names, changelog_name
from schemas.times import DAY_MS
from tables.codec import VERSION, UnknownVersionError
from tests.flow.system import System, Wire, ends_of, some_events
from tests.oracle import effective, history
from tests.test_partition_count import marker, rows, write

DUMP: Final = Path(__file__).parents[2] / "docs" / "examples" / "dump.py"
PATIENCE_S: Final = 60
REFUSED: Final = (
    "the changelog was written with 2 partitions, but 4 are set",
    (
        "users would get a second row in another partition. Kafka takes no partitions back, so go on in new topics, as"
        " docs/upgrading.md says"
    ),
)


@pytest.fixture
def system(apache_kafka: Any, tmp_path: Path) -> Iterator[System]:
    with System(tmp_path, kafka=apache_kafka.bootstrap, app_id="count", partitions="2", clock="event") as system:
        yield system


def live(system: System, events: list[Wire]) -> None:
    """A worker applies some events, and ends."""
    system.start(0)
    system.publish(events)
    system.wait_until_applied(ends_of(events))
    assert system.stop() == [0]


def enlarge(settings: Settings, partitions: int) -> None:
    """Add partitions to every topic, as Kafka's tools do."""
    with admin(settings) as client:
        client.create_partitions(dict.fromkeys(all_names(settings), partitions))


def ends(settings: Settings, partitions: int) -> dict[Any, int]:
    """Where every topic-partition ends."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka)
    places = [TopicPartition(name, number) for name in all_names(settings) for number in range(partitions)]
    found: dict[Any, int] = consumer.end_offsets(places)
    consumer.close()
    return found


def rekindle(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )


def dumped(system: System) -> str:
    """What the documented script writes."""
    done = rekindle(system.environment, str(DUMP))
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_four(system: System) -> dict[str, str]:
    return {**system.environment, "REKINDLE_PARTITIONS": "4"}


def test_partitions_that_were_added_are_refused_before_anything_is_read_or_written(system: System) -> None:
    live(system, some_events(1, 60, 600))
    enlarge(system.settings, 4)
    before = ends(system.settings, 4)

    worker = rekindle(with_four(system), "-m", "app.cli", "worker")
    assert worker.returncode == 2
    assert worker.stderr.splitlines() == [f"rekindle: {': '.join(REFUSED)}"]
    assert ends(system.settings, 4) == before

    doctor = rekindle(with_four(system), "-m", "app.cli", "doctor", "--json")
    (check,) = (check for check in json.loads(doctor.stdout)["checks"] if check["name"] == "changelog")
    assert check == {"name": "changelog", "level": "failed", "finding": REFUSED[0], "advice": REFUSED[1]}
    assert ends(system.settings, 4) == before

    still_set = rekindle(system.environment, "-m", "app.cli", "worker")
    assert still_set.returncode == 2
    assert "the topics have 4 partitions, but 2 are set" in still_set.stderr
    assert "docs/upgrading.md" in still_set.stderr


def test_the_documented_way_leads_to_another_number(system: System, tmp_path: Path) -> None:
    # partitions are added while producers go on, which nobody applies any more
    events = some_events(2, 60, 600)
    live(system, events[:400])
    enlarge(system.settings, 4)
    system.environment = with_four(system)
    system.publish(events[400:])

    (tmp_path / "history.jsonl").write_text(dumped(system))
    new = System(
        tmp_path, kafka=system.settings.kafka, topic_prefix=f"{system.settings.topic_prefix}v2.", app_id="count-v2",
        partitions="4",
    )  # fmt: skip
    replay = rekindle(new.environment, "-m", "app.cli", "replay", str(tmp_path / "history.jsonl"))
    assert replay.returncode == 0, replay.stderr
    new.start(0)
    all_are_lost = ends_of(events) + 61 * DAY_MS
    new.wait_until_applied(all_are_lost)
    assert new.stop() == [0]
    assert effective(new.changes()) == history(events, all_are_lost)


def test_a_dump_tells_no_more_of_erased_users(system: System) -> None:
    old = {"type": "click", "event_id": "a", "user_id": "u", "ts": 1_600_000_000_000, "item_id": "secret"}
    erasure = {"type": "profile", "event_id": "b", "user_id": "u", "ts": 1_600_000_000_001, "kind": "erased"}
    new = {**old, "event_id": "c", "ts": 1_600_000_000_002, "item_id": "later"}
    system.publish([new, old, erasure])
    assert [json.loads(line)["event_id"] for line in dumped(system).splitlines()] == ["c", "b"]


def test_a_changelog_of_a_newer_version_is_refused_with_what_to_do(system: System) -> None:
    write(system.settings, 0, [marker(partitions=2, version=VERSION + 1)])
    with pytest.raises(UnknownVersionError):
        check_written_count(system.settings)
    worker = rekindle(system.environment, "-m", "app.cli", "worker")
    assert worker.returncode == 2
    assert worker.stderr.splitlines() == [
        f"rekindle: the changelog is of version {VERSION + 1}; this Rekindle knows {VERSION}: upgrade this worker"
    ]


def test_rows_of_a_newer_version_are_refused_when_they_are_restored(system: System) -> None:
    user, _ = rows(2, 0, 10)[0]
    write(system.settings, 0, [(user, bytes([VERSION + 1]) + bytes(20)), marker(partitions=2)])
    system.start(0)
    worker = system.workers.pop(0)
    assert worker.wait(PATIENCE_S) == 2
    assert system.logs().splitlines()[-1] == (
        f"rekindle: row of version {VERSION + 1}; this Rekindle knows {VERSION}: upgrade this worker"
    )
    assert len(system.read(changelog_name(system.settings))) == 2
