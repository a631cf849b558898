"""docs/examples/send.py, as its readers run it: killed and started again, it sends each message once, or not at all."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from kafka import KafkaProducer

from schemas.decode import decode
from schemas.events import Message
from schemas.partitioner import partition_of
from schemas.times import DAY_MS
from tests.flow.system import PATIENCE_S, System, Wire

SCRIPT: Final = Path(__file__).parents[2] / "docs" / "examples" / "send.py"
LINES: Final = 50
NOW: Final = int(time.time() * 1000)


def trigger(number: int, **fields: Any) -> Wire:
    """As on the wire."""
    known = {
        "id": f"user-{number}/silent/{NOW}/{number}", "rev": 0, "user_id": f"user-{number}", "campaign": "silent",
        "variant": None, "reason": "lifecycle: silent", "recall_channel": "email", "offer": "5 % off", "at": NOW,
        "expires_at": NOW + DAY_MS, "test": False, "churn_risk": None, "profile": {}, "cause": "c",
    }  # fmt: skip
    return known | fields


def say(system: System, triggers: list[Wire]) -> None:
    producer = KafkaProducer(bootstrap_servers=system.settings.kafka, acks="all", enable_idempotence=False)
    for each in triggers:
        key = each["user_id"].encode()
        producer.send(f"{system.settings.topic_prefix}recall-triggers", json.dumps(each).encode(), key=key)
    producer.close()


class Sender:
    """The script on the triggers of a system, and what it has noted."""

    def __init__(self, system: System) -> None:
        self.file, self.log = system.folder / "send.db", system.folder / "sent.txt"
        self._command = [
            sys.executable, str(SCRIPT), system.settings.kafka, system.settings.topic_prefix, str(self.file)
        ]  # fmt: skip

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until it is killed, as a power cut does."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(self._command, stdout=log)  # noqa: S603  our own script
        try:
            yield
            assert process.poll() is None, "it has ended by itself"
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def states(self) -> dict[str, str]:
        if not self.file.exists():
            return {}
        with closing(sqlite3.connect(self.file, timeout=30)) as state:
            return dict(state.execute("SELECT id, state FROM triggers").fetchall())

    def wait_for(self, states: dict[str, str]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.states() != states:
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.2)


def reports(system: System) -> list[Any]:
    return system.read(f"{system.settings.topic_prefix}events.message")


def test_the_example_is_short() -> None:
    assert len(SCRIPT.read_text().splitlines()) <= LINES


def test_each_is_sent_once_and_none_that_was_taken_back_has_expired_or_is_a_test(
    tmp_path: Path, embedded_kafka: str
) -> None:
    late, test, back = trigger(1, expires_at=NOW - 1), trigger(2, test=True), trigger(3)
    good = [trigger(number) for number in range(10, 60)]
    taken_back = back | {"rev": 1, "profile": {}, "reason": "cancelled"}
    with System(tmp_path, rules="builtin", kafka=embedded_kafka, delivery="at_least_once", partitions="3") as system:
        sender = Sender(system)
        say(system, [late, test, back, *good[:20], *good[:5], taken_back])
        expected = {each["id"]: "sent" for each in good[:20]} | {
            late["id"]: "expired", test["id"]: "test", back["id"]: "cancelled"
        }  # fmt: skip
        with sender.running():
            sender.wait_for(expected)
        say(system, [*good[10:], taken_back, good[0] | {"rev": 1}])
        with sender.running():
            time.sleep(1.5)
        with sender.running():
            sender.wait_for(expected | {each["id"]: "sent" for each in good})
        told = reports(system)
    events = [decode(record.value) for record in told]
    assert {event.trigger_id for event in events if isinstance(event, Message)} == {each["id"] for each in good}
    assert len({event.event_id for event in events if isinstance(event, Message)}) == len(good)
    assert all(isinstance(event, Message) and event.kind == "sent" for event in events)
    assert all(record.partition == partition_of(record.key, 3) for record in told)
