"""What a person has to mend ends a worker with exit code 2 and one line that says what to do."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import NewTopic

from app.topics import admin
from tests.flow.system import System, ends_of, some_events

PATIENCE_S = 60


def ending_of(system: System, **settings: str) -> tuple[int, str]:
    """A worker's exit code, and what it said last."""
    system.start(9, **settings)
    code = system.workers.pop(9).wait(PATIENCE_S)
    return code, (system.folder / "worker-9.log").read_text().splitlines()[-1]


@pytest.fixture
def system(apache_kafka: Any, tmp_path: Path) -> Iterator[System]:
    with System(tmp_path, kafka=apache_kafka.bootstrap, partitions="2", clock="event") as system:
        yield system


def test_a_wrong_setting_is_named(system: System) -> None:
    code, line = ending_of(system, clock="sundial")
    assert code == 2
    assert line == "rekindle: REKINDLE_CLOCK (or clock in rekindle.toml): Input should be 'event' or 'wall'"


def test_no_broker_says_how_to_get_one(system: System) -> None:
    code, line = ending_of(system, kafka="127.0.0.1:1")
    assert code == 2
    assert line.startswith("rekindle: no Kafka broker answers at 127.0.0.1:1 (connection refused)")
    assert "REKINDLE_KAFKA" in line


def test_topics_with_different_partition_counts_are_refused(system: System) -> None:
    with admin(system.settings) as client:
        client.create_topics([NewTopic("odd.events.cart", 3, 1), NewTopic("odd.events.click", 2, 1)])
    code, line = ending_of(system, topic_prefix="odd.")
    assert code == 2
    assert "odd.events.click has 2 partitions, odd.events.cart 3" in line


def test_a_port_in_use_is_named(system: System) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, line = ending_of(system, web_port=str(port))
    assert code == 2
    assert line == (
        f"rekindle: 127.0.0.1:{port} cannot be used: Address already in use; set REKINDLE_WEB_PORT to a free one"
    )


def test_events_that_left_their_topic_unread_are_not_skipped_silently(system: System) -> None:
    events = some_events(3, 50, 400)
    system.start(0)
    system.publish(events[:200])
    system.wait_until_applied(ends_of(events[:200]))
    assert system.stop() == [0]
    system.publish(events[200:])
    clicks = [TopicPartition(f"{system.settings.topic_prefix}events.click", number) for number in range(2)]
    client = KafkaAdminClient(bootstrap_servers=system.settings.kafka)
    client.delete_records(dict.fromkeys(clicks, -1))
    client.close()
    code, line = ending_of(system)
    assert code == 2
    assert "of events.click goes on at offset" in line
    assert "REKINDLE_ON_LOST_EVENTS=accept" in line
    system.start(1, on_lost_events="accept")
    newest = max(events, key=lambda event: int(event["ts"]))
    system.publish([newest])  # with ticks: of the clicks' time nothing else is left
    system.wait_until_applied(ends_of(events))
    assert system.stop() == [0]
