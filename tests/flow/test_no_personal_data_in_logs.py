"""A worker that tells all it can (`--log-level debug`) tells nothing of what is in its events, whatever goes wrong."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest
from kafka import KafkaProducer
from redis import Redis

from schemas.partitioner import partition_of
from schemas.times import DAY_MS
from tests.flow.system import START, System, Wire

MARK: Final = "SENTINEL"
LOUD: Final = ("--log-level", "debug")
FAUST_PAGES: Final = (
    "/table/",
    "/tables/",
    "/router/",
    "/router/x/y/",
    "/stats/",
    "/graph/",
    "/performance/",
    "/static/",
)


def marked(what: str) -> str:
    return f"{MARK}-{what}"


def event(number: int, **fields: Any) -> Wire:
    return {
        "event_id": marked(f"event-{number}"), "user_id": marked(f"user-{number % 3}"), "ts": START + number * DAY_MS,
        "channel": marked("channel"), "session_id": marked("session"), "anonymous_id": marked("anonymous"), **fields,
    }  # fmt: skip


def good() -> list[Wire]:
    item = {name: marked(name) for name in ("item_id", "category", "brand")}
    return [
        event(0, type="click", query=marked("query"), coupon_id=marked("coupon"), **item),
        event(1, type="cart", **item),
        event(2, type="order", order_id=marked("order"), coupon_id=marked("coupon"), items=[item]),
        event(3, type="profile", attributes={marked("name"): marked("value")}),
        event(4, type="message", kind="opened", trigger_id=marked("trigger"), campaign=marked("campaign")),
        event(5, type="tag", tag=marked("tag"), value=marked("value"), actor=marked("actor")),
        event(80, type="click", **item),
        event(81, type="profile", kind="erased"),
    ]


def bad() -> list[bytes]:
    """Each is refused for another reason."""
    click = event(82, type="click", item_id="i")
    wrong = [
        {**click, "type": marked("type")},
        {**click, "action": marked("action")},
        {**click, "ts": marked("ts")},
        {**click, "ts": f"2020-13-01T00:00:00Z{MARK}"},
        {**click, "ts": "2020-13-01T00:00:00Z"},
        {**click, "price": marked("price")},
        {**click, "type": "order", "order_id": "o"},
        {**click, "type": "tag", "tag": f"{MARK} tag"},
        {**click, "ts": START + 9_000 * DAY_MS},
        {**click, "query": "x" * 300_000},
    ]
    return [
        *(json.dumps(fields).encode() for fields in wrong),
        json.dumps(click).encode()[:-9],
        MARK.encode() + b"\xff",
        f'"{MARK}"'.encode(),
        f'["{MARK}"]'.encode(),
    ]


@pytest.fixture
def system(apache_kafka: Any, redis_url: str, tmp_path: Path) -> Iterator[System]:
    with System(tmp_path, kafka=apache_kafka.bootstrap, partitions="2", clock="event", redis=redis_url) as system:
        yield system


def publish(system: System) -> None:
    """The good ones, the bad ones, and one in a partition that is not its user's."""
    system.publish(good())
    producer = KafkaProducer(bootstrap_servers=system.settings.kafka)
    topic = f"{system.settings.topic_prefix}events.click"
    stray = event(82, type="click", item_id="i")
    home = partition_of(stray["user_id"].encode(), 2)
    headers = [(marked("header"), MARK.encode())]
    for payload in bad():
        producer.send(topic, payload, key=MARK.encode(), partition=home, headers=headers)
    producer.send(topic, json.dumps(stray).encode(), key=MARK.encode(), partition=1 - home, headers=headers)
    producer.close()
    system.publish([event(number, type="click", item_id="i") for number in (83, 84, 85)])
    system.wait_until_applied(START + 85 * DAY_MS)


def test_the_log_holds_nothing_of_events(system: System, redis_url: str) -> None:
    with Redis.from_url(redis_url) as store:
        store.set(f"{system.settings.app_id}:partitions", "no hash")  # Redis refuses each change
    system.start(0, *LOUD)
    publish(system)
    system.start(1, *LOUD)  # partitions are handed over, and restored
    system.wait_until_ready()
    time.sleep(1)
    assert system.stop() == [0, 0]
    letters = [json.loads(each.value) for each in system.read(f"{system.settings.topic_prefix}dead-letters")]
    assert {letter["reason"] for letter in letters} == {
        "invalid_json", "invalid_value", "too_far_ahead", "too_large", "unknown_type", "wrong_partition", "wrong_topic",
    }  # fmt: skip
    assert any(change["user_id"].startswith(MARK) for change in system.changes())
    log = system.logs()
    assert "DEBUG" in log
    assert "Redis is not there (WRONGTYPE" in log
    assert MARK not in log


def test_a_fault_is_logged_without_what_it_was_about(system: System) -> None:
    system.environment["PYTHONPATH"] = str(system.folder)
    (system.folder / "sitecustomize.py").write_text(
        "import agents.steps as steps\n"
        "from schemas.events import Click\n"
        "def fail(row, event, now, limits):\n"
        "    raise KeyError(f'{event} of {event.user_id}')\n"
        "steps.STEPS[Click] = fail\n",
    )
    system.start(0, *LOUD)
    system.publish(good())
    assert system.workers.pop(0).wait(60) == 1
    log = system.logs()
    assert "an error that should not happen" in log
    assert log.rstrip().endswith("KeyError")
    assert MARK not in log


def test_nothing_but_our_own_routes_answers(system: System) -> None:
    system.start(0, *LOUD)
    system.wait_until_ready()
    for path in FAUST_PAGES:
        connection = HTTPConnection("127.0.0.1", system.ports[0], timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Server")) == (404, "Rekindle"), path
        connection.close()
    assert system.stop() == [0]
