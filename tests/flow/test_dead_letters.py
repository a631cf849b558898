"""Dead letters from a real worker to the command line and back: what was mended is applied, once."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from kafka import KafkaProducer

from agents.partition import MAX_FUTURE_MS
from app.clock import now
from schemas.dead_letter import MAX_PAYLOAD_BYTES
from schemas.partitioner import partition_of
from tests.flow.system import PATIENCE_S, System, Wire

PARTITIONS: Final = 3
SOON_MS: Final = 6_000
"""So long before its time comes near enough, the event from the future is read."""


class Shop(System):
    """A system whose records are sent one by one, also wrongly."""

    def put(self, topic: str, payload: bytes, partition: int = 0) -> None:
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka, enable_idempotence=False, acks="all")
        producer.send(self.settings.topic_prefix + topic, payload, partition=partition)
        producer.close()

    def dlq(self, *arguments: str, **settings: str) -> str:
        """What the command line says, as a process."""
        own = {f"REKINDLE_{name.upper()}": value for name, value in settings.items()}
        done = subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "app.cli", "dlq", *arguments], env={**self.environment, **own}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    def letters(self) -> dict[str, Wire]:
        """All letters by reason and state."""
        lines = [json.loads(line) for line in self.dlq("list", "--json").splitlines()]
        return {f"{line['reason']}: {line['state']}": line for line in lines}

    def wait_for(self, letters: int) -> None:
        """Return when so many dead letters are there."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.read(self.settings.topic_prefix + "dead-letters")) < letters:
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)

    def wait_for_users(self, *users: str) -> None:
        """Return when these users, and no others, have become active."""
        deadline = time.monotonic() + PATIENCE_S
        while self.active() != sorted(users):
            assert time.monotonic() < deadline, (self.active(), self.logs())
            time.sleep(0.1)

    def active(self) -> list[str]:
        return sorted(c["user_id"] for c in self.changes() if (c["tag"], c["to"]) == ("lifecycle", "active"))


@pytest.fixture
def shop(kafka: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    delivery = "at_least_once" if "embedded" in request.node.callspec.id else "exactly_once"
    with Shop(tmp_path, kafka=kafka, partitions=str(PARTITIONS), delivery=delivery) as shop:
        shop.start(0)
        shop.wait_until_ready()
        yield shop


def click(user: str, **more: Any) -> Wire:
    return {"type": "click", "event_id": f"of-{user}", "user_id": user, "ts": now(), "item_id": "i", **more}


def wire(event: Wire) -> bytes:
    return json.dumps(event).encode()


def elsewhere(user: str) -> int:
    """A partition that is not the user's."""
    return (partition_of(user.encode(), PARTITIONS) + 1) % PARTITIONS


def fixed(folder: Path, *lines: tuple[Wire, Wire]) -> str:
    """A file of letters, each with the event that it should have been."""
    path = folder / "fixed.jsonl"
    corrected = [{**{k: v for k, v in letter.items() if k != "payload"}, "event": event} for letter, event in lines]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in corrected))
    return str(path)


def test_what_is_mended_is_applied_once_and_what_fails_again_stays(shop: Shop, tmp_path: Path) -> None:
    near = now() + SOON_MS
    shop.put("events.click", wire(click("future", ts=near + MAX_FUTURE_MS)))
    shop.put("events.click", b'{"type": "click"')
    shop.put("events.click", wire(click("lost")), elsewhere("lost"))
    shop.put("events.click", wire({**click("buyer"), "type": "order", "order_id": "o"}))
    shop.put("events.click", wire(click("large", query="x" * MAX_PAYLOAD_BYTES)))
    shop.wait_for(letters=5)
    letters = shop.letters()
    assert sorted(letters) == [
        "invalid_json: waiting", "too_far_ahead: waiting", "too_large: cut", "wrong_partition: waiting",
        "wrong_topic: waiting",
    ]  # fmt: skip
    assert "user 'lost' belongs into" in shop.dlq("list", "--reason", "wrong_partition").replace("\n", " ")
    assert shop.active() == []

    assert shop.dlq("redrive", "--yes", "--reason", "wrong_topic") == (
        "1 event can be sent: events.order 1\n1 event sent\n"
    )
    shop.wait_for_users("buyer")
    assert shop.dlq("redrive", "--yes", "--reason", "wrong_partition").endswith("1 event sent\n")
    shop.wait_for_users("buyer", "lost")
    time.sleep(max(0, near - now()) / 1000)
    assert shop.dlq("redrive", "--yes") == (
        "1 event can be sent: events.click 1\n- left as they are: invalid_json 1\n1 event sent\n"
    )
    shop.wait_for_users("buyer", "future", "lost")
    assert shop.dlq("redrive", "--yes") == "there is nothing to send\n- left as they are: invalid_json 1\n"

    file = fixed(tmp_path, (letters["too_large: cut"], click("large")))
    assert shop.dlq("redrive", "--fixed", file, "--yes").endswith("1 event sent\n")
    shop.wait_for_users("buyer", "future", "large", "lost")
    file = fixed(tmp_path, (letters["invalid_json: waiting"], click("never", ts=now() + 2 * MAX_FUTURE_MS)))
    assert shop.dlq("redrive", "--fixed", file, "--yes", clock="event").endswith("1 event sent\n")
    shop.wait_for(letters=6)
    failed = shop.letters()["too_far_ahead: redriven and failed again"]
    assert failed["event"]["user_id"] == "never"
    assert shop.dlq("redrive", "--yes", clock="event") == "there is nothing to send\n"
    file = fixed(tmp_path, (failed, click("never")))
    assert shop.dlq("redrive", "--fixed", file, "--yes") == (
        "there is nothing to send\n- left as they are: redriven and failed again 1\n"
    )

    assert shop.stop() == [0]
    assert shop.active() == ["buyer", "future", "large", "lost"]
    _, markers = shop.restored()
    counters = [marker.state.counters for marker in markers]
    assert sum(each["applied"] for each in counters) == 4
    assert sum(each["duplicates"] for each in counters) == 0
    assert sum(each["dead_letters"] for each in counters) == 6


def test_a_copy_that_a_crash_left_without_its_mark_is_dropped_by_the_worker(shop: Shop) -> None:
    event = wire(click("lost"))
    shop.put("events.click", event, elsewhere("lost"))
    shop.wait_for(letters=1)
    shop.put("events.click", event, partition_of(b"lost", PARTITIONS))  # as a redrive that ends before its mark
    assert shop.dlq("redrive", "--yes").endswith("1 event sent\n")
    shop.wait_for_users("lost")
    shop.put("events.click", wire(click("last")), partition_of(b"last", PARTITIONS))
    shop.wait_for_users("last", "lost")
    assert shop.stop() == [0]
    _, markers = shop.restored()
    assert sum(marker.state.counters["applied"] for marker in markers) == 2
    assert sum(marker.state.counters["duplicates"] for marker in markers) == 1
