"""Apache Kafka, several workers, power cuts: the history is the oracle's, and nothing is said twice."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, Final

import pytest

from agents.partition import Partition
from schemas.topics import INPUT_TOPICS
from tables import codec
from tables.row import Row
from tables.table import Table
from tests.flow.system import System, Wire, ends_of, some_events
from tests.oracle import effective, history

EVENTS: Final = 20_000
USERS: Final = 2_000
PARTITIONS: Final = 8
KILLS: Final = 5
SLEEP_S: Final = 6


@pytest.fixture
def system(apache_kafka: Any, tmp_path: Path) -> Iterator[System]:
    system = System(
        tmp_path, kafka=apache_kafka.bootstrap, app_id=f"eos-{tmp_path.name}", topic_prefix=f"{tmp_path.name}.",
        partitions=str(PARTITIONS), clock="event", session_timeout="2s", redis="redis://127.0.0.1:1",
    )  # fmt: skip
    yield system
    for number in list(system.workers):
        system.kill(number)


def test_topics_at_their_own_pace_and_three_workers_say_what_the_oracle_says(system: System) -> None:
    # each topic has its own producer, which stalls now and then; workers die between the ticks
    random = Random(5)  # noqa: S311  repeatable
    events = some_events(2, 500, 10_000)
    for number in range(3):
        system.start(number)
    producers = [
        Thread(target=system.publish, args=[events, stalls(Random(topic)), [topic]])  # noqa: S311  repeatable
        for topic in INPUT_TOPICS
    ]
    for producer in producers:
        producer.start()
    for victim in random.sample(range(3), 2):
        time.sleep(random.uniform(1, 4))
        system.kill(victim)
        system.start(victim)
    for producer in producers:
        producer.join()
    system.wait_until_applied(ends_of(events))
    assert system.stop() == [0, 0, 0]
    check(system, events)


def test_a_worker_that_slept_through_its_session_is_fenced(system: System) -> None:
    # worker 0   ----------|zzzzzzzzzzzzz|---- wakes up, and may write nothing of what it had begun
    # worker 1   -------------| owns all |----
    events = some_events(3, 500, 8_000)
    for number in (0, 1):
        system.start(number)
    producer = Thread(target=system.publish, args=[events, lambda _: time.sleep(0.001)])
    producer.start()
    system.wait_until_ready()
    sleeper = system.workers[0]
    sleeper.send_signal(signal.SIGSTOP)
    time.sleep(SLEEP_S)
    sleeper.send_signal(signal.SIGCONT)
    producer.join()
    system.wait_until_applied(ends_of(events))
    assert system.stop() == [0, 0]
    check(system, events)


def stalls(random: Random) -> Callable[[int], None]:
    """A producer's pauses."""

    def pause(_: int) -> None:
        if random.random() < 0.002:
            time.sleep(random.random())

    return pause


def check(system: System, events: list[Wire]) -> None:
    """What was said is the oracle's history, nothing was said twice, and rows and counters are whole."""
    said = system.changes()
    assert len({change["id"] for change in said}) == len(said)
    assert effective(said) == history(events, ends_of(events) + 1)
    rows, markers = system.restored()
    assert {user: timeless(codec.decode(row)) for user, row in rows.items()} == uninterrupted(system)
    applied, copies = (sum(marker.state.counters[name] for marker in markers) for name in ("applied", "duplicates"))
    assert applied == len({event["event_id"] for event in events})
    assert applied + copies == len(events)


def uninterrupted(system: System) -> dict[bytes, Row]:
    """The rows that the same topics make in one process, without a broker, epochs or restores."""
    settings = system.settings
    partitions = [
        Partition(number, settings.limits, Table(), settings.partitions) for number in range(settings.partitions)
    ]
    for topic in INPUT_TOPICS:
        for record in system.read(settings.topic_prefix + topic):
            partitions[record.partition].take(topic, [(record.offset, record.value)])
    for partition in partitions:
        while not partition.run():
            pass
    rows = {user: row for partition in partitions for user, row in partition.collect().rows.items()}
    return {user.encode(): timeless(codec.decode(row)) for user, row in rows.items() if row is not None}


def timeless(row: Row) -> Row:
    """A row without what depends on when time was looked at: its timer, and the numbers of its changes."""
    row.due = row.sequence = 0
    for life in (row.lifecycle, row.purchase):
        life.said = []
    return row


def test_power_cuts_of_two_workers_leave_no_trace(system: System) -> None:
    random = Random(4)  # noqa: S311  repeatable
    events = some_events(1, USERS, EVENTS)
    for number in (0, 1):
        system.start(number)
    producer = Thread(target=system.publish, args=[events, lambda _: time.sleep(0.0008)])
    producer.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(1, 4))
        victim = random.choice((0, 1))
        system.kill(victim)
        system.start(victim)
    producer.join()
    system.wait_until_applied(ends_of(events))
    assert system.stop() == [0, 0]
    check(system, events)
