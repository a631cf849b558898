"""Recall, live: a worker is killed in the middle, and the topics alone tell what the ledger has to be."""

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from app.topics import changelog_name
from schemas.times import DAY_MS, HOUR_MS
from schemas.topics import INPUT_TOPICS
from tables.changelog import Restore
from tables.ledger import read_days
from tests.flow.system import START, System, Wire, ends_of, some_events
from tests.recall_laws import check_laws
from tests.recall_recount import recounted
from tests.recall_storms import FILES, World, added, windows

USERS: Final = 80
EVENTS: Final = 4_000
DAYS: Final = 80
FILE: Final = FILES[0].replace("{ max = 3, per", "{ max = 2, per")
"""With a cap by which no user gets more triggers than a row remembers."""


def history() -> list[Wire]:
    """Events in the order of their arrival; every third user stays away from the middle on, but for one day."""
    middle, back = START + 35 * DAY_MS, START + 45 * DAY_MS
    events = some_events(8, USERS, EVENTS, DAYS)
    return [
        event | ({"total": 12.5} if event["type"] == "order" else {})
        for event in events
        if int(event["user_id"].split("-")[1]) % 3 or event["ts"] < middle or 0 < event["ts"] - back < DAY_MS
    ]


def consents(random: Random) -> list[Wire]:
    """Most users say on the first day how they may be reached, and a day later some other one thinks better of it."""
    found = []
    for number in range(USERS):
        channels = random.sample(["push", "sms", "email"], random.randrange(4))
        agreed = {"consent": dict.fromkeys(channels, True), "reachable": channels}
        head = {"type": "profile", "kind": "consent", "user_id": f"user-{number}"}
        found.append(head | {"event_id": f"c{number}", "ts": START - DAY_MS + number} | agreed)
    return found


def reports(triggers: list[Wire], after: int, random: Random) -> list[Wire]:
    """What a messaging system tells of the triggers, all of it after a time."""
    found = []
    for trigger in triggers:
        kinds = random.choice((["sent"], ["sent", "delivered", "opened"], ["failed"], ["sent", "unsubscribed"], []))
        for kind in kinds:
            ident, ts = f"{kind}:{trigger['id']}", after + 1 + random.randrange(12 * HOUR_MS)
            head = {"type": "message", "event_id": ident, "user_id": trigger["user_id"], "ts": ts, "kind": kind}
            found.append(head | {"trigger_id": trigger["id"]} | ({"cost": 0.04} if random.random() < 0.5 else {}))
    return sorted(found, key=lambda each: each["ts"])


def said(system: System, topic: str, *, is_once: bool) -> list[Wire]:
    """Each record of a topic once; where nothing says that it comes once only, another one must be the same."""
    records = [json.loads(record.value) for record in system.read(system.settings.topic_prefix + topic)]
    known: dict[tuple[str, int], Wire] = {}
    for record in records:
        assert known.setdefault((record["id"], record.get("rev", 0)), record) == record
    assert len(known) == len(records) or not is_once
    return list(known.values())


def world_of(system: System, *, is_once: bool) -> tuple[World, dict[Any, int]]:
    """What the topics hold, and the ledger as the changelog has it, summed over partitions."""
    lanes: dict[tuple[int, str], list[Wire]] = {}
    for topic in INPUT_TOPICS:
        for record in system.read(system.settings.topic_prefix + topic):
            lanes.setdefault((record.partition, topic), []).append(json.loads(record.value))
    restores = [Restore() for _ in range(system.settings.partitions)]
    for record in system.read(changelog_name(system.settings)):
        restores[record.partition].read([(record.key, record.value)])
    marks = [restore.marker.state.watermark for restore in restores if restore.marker is not None]
    topics = ("recall-decisions", "recall-triggers", "tag-changes")
    decisions, triggers, changes = (said(system, topic, is_once=is_once) for topic in topics)
    world = World(FILE, 0, lanes, decisions, triggers, changes, min(marks))
    return world, added(read_days(restore.days) for restore in restores)


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_a_worker_that_is_killed_costs_no_decision_and_the_ledger_is_what_the_topics_tell(
    apache_kafka: Any, tmp_path: Path, delivery: str
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(FILE)
    random = Random(8)  # noqa: S311  repeatable
    events = history()
    middle = START + DAYS // 2 * DAY_MS
    first = [*consents(random), *(event for event in events if event["ts"] <= middle)]
    settings = {
        "partitions": "3", "rules": str(rules), "silent_after": "8d", "lost_after": "16d", "session_timeout": "6s",
        "clock": "event", "delivery": delivery,
    }  # fmt: skip
    with System(tmp_path, kafka=apache_kafka.bootstrap, **settings) as system:
        for number in range(2):
            system.start(number)
        system.wait_until_ready()
        half = len(first) // 2
        system.publish(first[:half])
        system.kill(0)
        system.start(0)
        system.publish(first[half:])
        system.wait_until_applied(ends_of(first))
        is_once = delivery == "exactly_once"
        told = reports(said(system, "recall-triggers", is_once=is_once), ends_of(first), random)
        later = [event for event in events if event["ts"] > middle]
        second = [event for event in later if event["ts"] > ends_of(first)]
        rest = sorted([*told, *second], key=lambda each: each["ts"])
        system.publish(rest[: len(rest) // 3])
        system.kill(1)
        system.start(1)
        system.publish(rest[len(rest) // 3 :])
        system.wait_until_applied(ends_of(rest))
        assert system.stop() == [0, 0]
        world, ledger = world_of(system, is_once=is_once)
    check_laws(world)
    outcomes = Counter(each["outcome"] for each in world.decisions)
    assert outcomes.keys() == {"triggered", "held_out", "suppressed", "deferred", "cancelled"}
    assert ledger == recounted(world.events(), world.decisions, world.triggers, windows(FILE), world.watermark)
    names = {name for *_, name in ledger}
    assert names >= {"sent", "failed", "unsubscribed", "recalled", "held_recalled", "revenue", "lost_again", "cost"}
