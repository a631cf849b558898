"""Workers whose time follows the clock on the wall: silence is told by nobody, and every `at` is the due time."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from kafka import KafkaProducer

from agents.partition import GRACE_MS
from app.clock import now
from schemas.partitioner import partition_of
from schemas.times import DAY_MS, MINUTE_MS, SECOND_MS
from tests.flow.system import System, Wire, ends_of
from tests.oracle import OracleLimits, effective, history

PARTITIONS: Final = 8
SEEN: Final = 6
"""Partitions that users belong to; the others never see a record."""
HOUR_MS: Final = 60 * MINUTE_MS


def some_users(count: int, partitions: int = SEEN) -> list[str]:
    """Users of the first partitions alone."""
    named = (f"user-{number}" for number in range(100 * count))
    return [user for user in named if partition_of(user.encode(), PARTITIONS) < partitions][:count]


def event(kind: str, user: str, ts: int) -> Wire:
    subject = {"click": {"item_id": "i"}, "order": {"order_id": f"{user}-{ts}"}, "cart": {"item_id": "i"}}[kind]
    return {"type": kind, "event_id": f"{kind}-{ts}", "user_id": user, "ts": ts, **subject}


@pytest.fixture
def start(apache_kafka: Any, tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as systems:
        common = {"kafka": apache_kafka.bootstrap, "partitions": str(PARTITIONS), "session_timeout": "2s"}
        yield lambda **settings: systems.enter_context(System(tmp_path, **common, **settings))


def tick(system: System, topic: str, ts: int) -> None:
    producer = KafkaProducer(bootstrap_servers=system.settings.kafka, enable_idempotence=False)
    for number in range(SEEN):
        producer.send(system.settings.topic_prefix + topic, b'{"type": "tick", "ts": %d}' % ts, partition=number)
    producer.close()


# users      o o o o            one event each, 30 days ago; then nothing comes any more
# time       --------F------|S S S X S|L L L L      F: events and ticks of the future; X: a worker is killed
def test_silent_and_lost_are_said_once_at_their_due_time_though_nobody_sends_anything(start: Any) -> None:
    span_ms, later_ms, step_ms = 30 * DAY_MS, 6 * SECOND_MS, 400
    system: System = start(silent_after="30d", lost_after=f"{(span_ms + later_ms) // SECOND_MS}s")
    first = now() + 15 * SECOND_MS
    users = some_users(40)
    kinds = ("click", "order", "cart")
    quiet = [event(kinds[n % 3], user, first - span_ms + n * step_ms) for n, user in enumerate(users)]
    system.send(sorted(quiet, key=lambda each: Random(each["user_id"]).random()))  # noqa: S311  repeatable
    for number in (0, 1):
        system.start(number)
    system.wait_until_ready()
    lively = [event("click", f"lively-{user}", now()) for user in some_users(4)]
    lively = [each for each in lively if partition_of(each["user_id"].encode(), PARTITIONS) < SEEN]
    future = now() + 6 * MINUTE_MS
    system.send([*lively, *(event("click", users[n], future + n * 365 * DAY_MS) for n in (0, 1))])
    for ts in (future, future + 365 * DAY_MS):
        tick(system, "events.order", ts)
    time.sleep(max(first + 8 * SECOND_MS - now(), 0) / SECOND_MS)
    system.kill(0)
    due = first + len(users) * step_ms + later_ms
    system.wait_until_applied(due)
    assert system.newest_watermark() <= now() - GRACE_MS
    assert system.stop() == [0]

    records = system.read(f"{system.settings.topic_prefix}tag-changes")
    said = [json.loads(record.value) for record in records]
    assert len({change["id"] for change in said}) == len(said)
    assert not any("corrects" in change for change in said)
    limits = OracleLimits(span_ms, span_ms + later_ms, span_ms, span_ms + later_ms)
    assert effective(said) == history([*quiet, *lively], now(), limits)
    for record, change in zip(records, said, strict=True):
        if change["cause"] == "timer":
            assert record.timestamp > change["at"] + GRACE_MS
    letters = [json.loads(record.value) for record in system.read(f"{system.settings.topic_prefix}dead-letters")]
    assert Counter((each["topic"], each["reason"]) for each in letters) == {
        ("events.click", "too_far_ahead"): 2,
        ("events.order", "too_far_ahead"): 2 * SEEN,
    }


def some_days(random: Random, users: list[str], kinds: dict[str, int], days: range, now: int) -> list[Wire]:
    """Events of some days before now, in the order of time; none is due, 30 or 60 days later, within an hour of now."""
    made = []
    for kind, count in kinds.items():
        for _ in range(count):
            ts = now - random.choice(days) * DAY_MS - random.randrange(HOUR_MS, 23 * HOUR_MS)
            made.append(event(kind, random.choice(users), ts))
    found = {(each["type"], each["event_id"], each["user_id"]): each for each in made}
    return sorted(found.values(), key=lambda each: each["ts"])


# clicks     o o o o o o o o o o o o     by the events' clock until 3 days ago, then by the clock on the wall
# orders     o o o o o o |
#            ------------|- X ----- X --W      X: killed while it catches up
def test_a_worker_that_was_down_for_three_days_says_nothing_wrong_while_it_catches_up(start: Any) -> None:
    random = Random(13)  # noqa: S311  repeatable
    began = now()
    users = some_users(1_500)
    before = some_days(random, users, {"click": 3_000, "order": 1_000}, range(3, 150), began)
    after = some_days(random, users[:900], {"click": 15_000, "order": 300}, range(3), began)
    after = [each for each in after if each["type"] == "click" or each["ts"] < began - DAY_MS]
    aborted = [event("order", user, began - HOUR_MS) for user in users[900:]]
    system: System = start()
    system.start(0, clock="event")
    system.publish(before)
    system.wait_until_applied(ends_of(before))
    system.kill(0)
    system.send([each for each in after if each["type"] == "click"])
    orders = [each for each in after if each["type"] == "order"]
    system.send(orders, transactional_id=f"{system.settings.app_id}-orders", enable_idempotence=True)
    abort(system, aborted)
    for _ in range(2):
        system.start(0, clock="wall")
        seen = system.events()
        while system.events() <= seen:
            time.sleep(0.02)
        system.kill(0)
    system.start(0, clock="wall")
    system.wait_until_applied(began - MINUTE_MS)
    assert system.stop() == [0]

    said = system.changes()
    assert len({change["id"] for change in said}) == len(said)
    assert not any("corrects" in change for change in said)
    events = [*before, *after]
    assert effective(said) == history(events, began)
    _, markers = system.restored()
    assert sum(marker.state.counters["applied"] for marker in markers) == len(events)


def abort(system: System, events: list[Wire]) -> None:
    """A transaction that never was: it takes offsets at the topic's end."""
    producer = KafkaProducer(
        bootstrap_servers=system.settings.kafka, acks="all", transactional_id=f"{system.settings.app_id}-aborted"
    )
    producer.init_transactions()
    producer.begin_transaction()
    for each in events:
        producer.send(f"{system.settings.topic_prefix}events.order", json.dumps(each).encode(),
                      key=each["user_id"].encode())  # fmt: skip
    producer.flush()
    producer.abort_transaction()
    producer.close()
