"""docs/examples/follow.py, as its readers run it: killed and started again beside workers that are killed too."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, Final

import pytest

from tests.flow.system import PATIENCE_S, System, Wire, ends_of, some_events
from tests.oracle import TAGS, Change, effective, history

SCRIPT: Final = Path(__file__).parents[2] / "docs" / "examples" / "follow.py"
LINES: Final = 30
USERS: Final = 200
ERASED: Final = 20


class Follower:
    """The script on the changes of a system, and what it has written."""

    def __init__(self, system: System) -> None:
        self.file = system.folder / "follow.db"
        self._topic = f"{system.settings.topic_prefix}tag-changes"
        self._command = [sys.executable, str(SCRIPT), system.settings.kafka, self._topic, str(self.file)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)  # noqa: S603  our own script

    def kill(self) -> None:
        """As a power cut does."""
        assert self._process is not None
        assert self._process.poll() is None, "it has ended by itself"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file, timeout=30)) as state:
            return state.execute(question).fetchall()

    def wait_for(self, system: System) -> None:
        """Return when it has read all that was said."""
        ends = {record.partition: record.offset + 1 for record in system.read(self._topic)}
        deadline = time.monotonic() + PATIENCE_S
        while dict(self.ask("SELECT * FROM positions")) != ends:
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def history(self) -> dict[tuple[str, str], list[Change]]:
        found: dict[tuple[str, str], list[Change]] = {}
        asked = "SELECT user, tag, at, before, after FROM history WHERE NOT withdrawn ORDER BY at, rowid"
        for user, tag, *change in self.ask(asked):
            found.setdefault((user, tag), []).append((change[0], change[1], change[2]))
        return found


def events_with_erasures(seed: int, events: int) -> list[Wire]:
    """Late events and copies; at the end some users are erased, and every other of them comes back."""
    made = some_events(seed, USERS, events)
    end = ends_of(made)
    users = sorted({event["user_id"] for event in made})[:ERASED]
    erased = [{"type": "profile", "kind": "erased", "event_id": f"x{u}", "user_id": u, "ts": end + 1} for u in users]
    again = [
        {"type": "click", "item_id": "i", "event_id": f"y{user}", "user_id": user, "ts": end + 2} for user in users[::2]
    ]
    return [*made, *erased, *again]


def remembered(events: list[Wire]) -> dict[tuple[str, str], list[Change]]:
    """The oracle's history, of which nothing before an erasure is left."""
    told = history(events, ends_of(events) + 1)
    return {
        (user, tag): after
        for user, tags in told.items()
        for tag, changes in tags.items()
        if (after := since_erasure(changes))
    }


def since_erasure(changes: list[Change]) -> list[Change]:
    ends = [place for place, (_, _, to) in enumerate(changes) if to is None]
    return changes[ends[-1] + 1 :] if ends else changes


def check(follower: Follower, system: System, events: list[Wire]) -> None:
    follower.wait_for(system)
    follower.kill()
    true = remembered(events)
    assert follower.history() == true
    current = {(user, tag): value for user, tag, value in follower.ask("SELECT * FROM current")}
    assert current == {key: changes[-1][2] for key, changes in true.items()}
    assert {tag for _, tag in current} == set(TAGS)


@pytest.fixture
def followed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[System, Follower]]:
    with System(
        tmp_path, partitions="4", clock="event", session_timeout="2s", epoch_ms="20", **where(request)
    ) as system:
        yield system, Follower(system)


def where(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "apache":
        return {"kafka": request.getfixturevalue("apache_kafka").bootstrap}
    return {"kafka": request.getfixturevalue("embedded_kafka"), "delivery": "at_least_once"}


def test_the_example_is_short() -> None:
    assert len(SCRIPT.read_text().splitlines()) <= LINES


@pytest.mark.parametrize("followed", ["apache"], indirect=True)
def test_a_consumer_that_is_killed_in_the_middle_has_the_effective_history(followed: tuple[System, Follower]) -> None:
    system, follower = followed
    random = Random(8)  # noqa: S311  repeatable
    events = events_with_erasures(11, 4_000)
    producer = Thread(target=system.publish, args=[events, lambda _: time.sleep(0.001)])
    system.start(0)
    system.wait_until_ready()
    producer.start()
    for _ in range(3):
        follower.start()
        time.sleep(random.uniform(1, 2.5))
        follower.kill()
    follower.start()
    producer.join()
    system.wait_until_applied(ends_of(events))
    assert system.stop() == [0]
    assert any("corrects" in change for change in system.changes())
    check(follower, system, events)


@pytest.mark.parametrize("followed", ["embedded"], indirect=True)
def test_changes_that_come_twice_count_once(followed: tuple[System, Follower]) -> None:
    system, follower = followed
    events = events_with_erasures(12, 2_500)
    producer = Thread(target=system.publish, args=[events, lambda _: time.sleep(0.002)])
    system.start(0)
    system.wait_until_ready()
    follower.start()
    producer.start()
    while producer.is_alive():
        time.sleep(2)
        system.kill(0)
        system.start(0)
        system.wait_until_ready()
    system.wait_until_applied(ends_of(events))
    assert system.stop() == [0]
    said = system.changes()
    assert len({change["id"] for change in said}) < len(said), "nothing came twice"
    assert effective({change["id"]: change for change in said}.values()) == history(events, ends_of(events) + 1)
    check(follower, system, events)
