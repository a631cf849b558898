"""POST /api/events on a real broker: all of a batch or nothing, where every producer would have put it."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from agents.partition import MAX_FUTURE_MS
from app.api.events import MOST
from app.api.publisher import ANSWER_S
from app.clock import now
from app.settings import Delivery, Settings
from app.topics import prepare
from schemas.dead_letter import MAX_PAYLOAD_BYTES, Rejected
from schemas.decode import decode
from schemas.events import Tick
from schemas.topics import TOPIC_OF_TYPE
from tests.api.served import Answer, Served, sources
from tests.api.test_problems import checked
from tests.schemas.test_decode import BAD_CASES, GOOD_CASES, wire

JSON: Final = {"Content-Type": "application/json"}
LINES: Final = {"Content-Type": "application/x-ndjson"}
PARTITIONS: Final = 3


def click(user: str, **more: Any) -> dict[str, Any]:
    return {"type": "click", "event_id": f"of-{user}", "user_id": user, "ts": now(), "item_id": "i", **more}


class Shop(Served):
    """An API whose events lie on a broker."""

    def __init__(self, settings: Settings) -> None:
        prepare(settings)
        self.settings = settings
        super().__init__(known=sources(settings))

    def post(self, body: bytes, headers: dict[str, str] = JSON) -> Answer:
        return self.ask("/api/events", "POST", data=body, headers=headers)

    def counts(self) -> dict[str, int]:
        """How many records each topic has."""
        consumer = KafkaConsumer(bootstrap_servers=self.settings.kafka)
        try:
            return {topic: sum(consumer.end_offsets(self.places(topic)).values()) for topic in TOPIC_OF_TYPE.values()}
        finally:
            consumer.close()

    def places(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(self.settings.topic_prefix + topic, number) for number in range(PARTITIONS)]

    def record(self, place: dict[str, Any]) -> Any:
        """The record at a place that was told."""
        here = TopicPartition(self.settings.topic_prefix + place["topic"], place["partition"])
        consumer = KafkaConsumer(bootstrap_servers=self.settings.kafka, isolation_level="read_committed")
        try:
            consumer.assign([here])
            consumer.seek(here, place["offset"])
            while not (found := consumer.poll(500)):
                pass
            return found[here][0]
        finally:
            consumer.close()


@pytest.fixture(scope="module")
def shop(embedded_kafka: str) -> Iterator[Shop]:
    shop = Shop(of(embedded_kafka, Delivery.AT_LEAST_ONCE))
    yield shop
    shop.stop()


def of(kafka: str, delivery: Delivery) -> Settings:
    return Settings(
        kafka=kafka, topic_prefix=f"{uuid4().hex[:8]}.", partitions=PARTITIONS, delivery=delivery, churn=False
    )


def test_an_event_lies_where_it_is_said_to_lie_as_it_came(shop: Shop) -> None:
    payload = json.dumps(click("one", query=" 用 ", unknown=[1.50]), indent=2).encode()
    answer = shop.post(b"\n " + payload)
    assert answer.status == 202
    (place,) = answer.json["events"]
    record = shop.record(place)
    assert (record.key, json.loads(record.value)) == (b"one", json.loads(payload))
    assert (place["topic"], record.offset) == ("events.click", place["offset"])


def test_with_transactions_too(apache_kafka: Any) -> None:
    shop = Shop(of(apache_kafka.bootstrap, Delivery.EXACTLY_ONCE))
    try:
        places = shop.post(json.dumps([click("one"), click("two")]).encode()).json["events"]
        assert [shop.record(place).key for place in places] == [b"one", b"two"]
    finally:
        shop.stop()


def test_a_broker_that_goes_is_told_in_time_and_what_is_sent_again_arrives(apache_kafka: Any) -> None:
    shop = Shop(of(apache_kafka.bootstrap, Delivery.EXACTLY_ONCE))
    body = json.dumps([click("one"), click("two")]).encode()
    try:
        assert shop.post(body).status == 202
        apache_kafka.stop()
        began = time.monotonic()
        found = checked(shop.post(body))
        assert (found["status"], time.monotonic() - began < ANSWER_S + 2) == (503, True)
        assert "send the same again" in found["detail"]
        apache_kafka.start()
        deadline = time.monotonic() + 60
        while (answer := shop.post(body)).status != 202:
            assert time.monotonic() < deadline, answer
        assert [shop.record(place).key for place in answer.json["events"]] == [b"one", b"two"]
    finally:
        apache_kafka.start()
        shop.stop()


def test_users_are_in_the_partition_into_which_other_producers_put_them(shop: Shop) -> None:
    users = [f"user-{number}" for number in range(50)] + ["用户", "a/b", " ", "x" * 125]
    places = shop.post(json.dumps([click(user) for user in users]).encode()).json["events"]
    producer = KafkaProducer(bootstrap_servers=shop.settings.kafka, enable_idempotence=False)
    name = f"{shop.settings.topic_prefix}events.cart"
    theirs = [producer.send(name, b"{}", key=user.encode()).get(30).partition for user in users]
    producer.close()
    assert [place["partition"] for place in places] == theirs
    assert len(set(theirs)) == PARTITIONS


def test_a_batch_keeps_its_order_and_each_type_goes_to_its_topic(shop: Shop) -> None:
    events = [
        click("same", event_id="1"),
        {**click("same"), "type": "order", "order_id": "o"},
        {**click("same"), "type": "cart"},
        click("same", event_id="2"),
        {**click("same"), "type": "tag", "tag": "vip", "value": "gold"},
        {**click("same"), "type": "profile", "kind": "login"},
        {**click("same"), "type": "message", "kind": "opened", "trigger_id": "t"},
    ]
    places = shop.post(json.dumps(events).encode()).json["events"]
    assert [place["topic"] for place in places] == [TOPIC_OF_TYPE[event["type"]] for event in events]
    assert places[0]["offset"] < places[3]["offset"]
    assert [json.loads(shop.record(place).value)["event_id"] for place in (places[0], places[3])] == ["1", "2"]


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/jsonl; charset=utf-8"])
def test_json_lines_may_end_in_any_way_and_have_empty_ones(shop: Shop, media_type: str) -> None:
    lines = [json.dumps(click(f"line-{number}")).encode() for number in range(3)]
    body = b"\n" + lines[0] + b"\r\n\n  \n" + lines[1] + b"\n" + lines[2]
    answer = shop.post(body, {"Content-Type": media_type})
    assert (answer.status, len(answer.json["events"])) == (202, 3)


def test_one_wrong_event_refuses_all_and_each_wrong_one_is_named(shop: Shop) -> None:
    before = shop.counts()
    events: list[Any] = [
        click("right"),
        click("wrong", price=-1),
        {"type": "view"},
        click("far", ts=now() + 2 * MAX_FUTURE_MS),
        {"type": "tick", "ts": 5},
        7,
        click("large", query="x" * MAX_PAYLOAD_BYTES),
        click("", channel="app"),
    ]
    found = checked(shop.post(json.dumps(events).encode()))
    assert found["status"] == 422
    assert [(error["index"], error["reason"]) for error in found["errors"]] == [
        (1, "invalid_value"), (2, "unknown_type"), (3, "too_far_ahead"), (4, "unknown_type"), (5, "invalid_value"),
        (6, "too_large"), (7, "invalid_value"),
    ]  # fmt: skip
    assert found["errors"][0]["detail"] == "`price`: Expected `float` >= 0.0"
    assert found["detail"] == "7 events are wrong, so none was sent: `errors` says which and why"
    assert shop.counts() == before


def test_a_line_that_is_no_json_is_named_by_its_place_among_the_events(shop: Shop) -> None:
    body = b"\n".join([json.dumps(click("a")).encode(), b"", b'{"type": "click"', json.dumps(click("b")).encode()])
    found = checked(shop.post(body, LINES))
    assert [(error["index"], error["reason"]) for error in found["errors"]] == [(1, "invalid_json")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"[]", 400), (b" [ ] ", 400), (b"[", 400), (b"[1,]", 400), (b"[" * 5_000, 400),
        (b"[{}] x", 400), (b"{", 422), (b"null", 422), (b"\xff", 422), (b'{"a":' * 5_000, 422),
        (b"[" + b"[" * 3_000 + b"]" * 3_000 + b"]", 400),
    ],
)  # fmt: skip
def test_a_body_that_is_none(shop: Shop, body: bytes, status: int) -> None:
    assert checked(shop.post(body))["status"] == status


def test_so_many_events_are_taken_at_once_and_no_more(shop: Shop) -> None:
    events = [click(f"of-many-{number}") for number in range(MOST + 1)]
    found = checked(shop.post(json.dumps(events).encode()))
    assert (found["status"], found["detail"]) == (413, "1,001 events are too many at once; send at most 1,000")
    answer = shop.post(json.dumps(events[:-1]).encode())
    assert (answer.status, len(answer.json["events"])) == (202, MOST)


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
CASES: Final = [wire(kind, field, raw) for kind, field, raw in GOOD_CASES] + [
    wire(kind, field, raw) for kind, field, raw, _ in BAD_CASES
]
EVENTS: Final = st.one_of(
    st.sampled_from(CASES),
    st.builds(
        lambda key, value: json.dumps({**click("u"), key: value}).encode(), st.sampled_from(sorted(click("u"))), VALUES
    ),
    VALUES.map(lambda value: json.dumps(value).encode()),
)
BODIES: Final = st.one_of(
    st.binary(max_size=200),
    EVENTS,
    st.lists(EVENTS, max_size=5).map(lambda events: b"[" + b", ".join(events) + b"]"),
    st.lists(EVENTS, max_size=5).map(b"\n".join),
)


def is_right(payload: bytes) -> bool:
    """Whether a worker would apply it now."""
    try:
        record = decode(payload)
    except Rejected:
        return False
    return not isinstance(record, Tick) and record.ts <= now() + MAX_FUTURE_MS


@example(b'{"type":"click","event_id":"e","user_id":"\\ud800","ts":1,"item_id":"i"}', JSON)
@example(b'{"type":"click","event_id":"e","user_id":"\\u0000","ts":1,"item_id":"i"}', JSON)
@example(b"\xef\xbb\xbf[]", JSON)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BODIES, st.sampled_from([JSON, LINES]))
def test_no_body_is_a_fault_of_ours_and_what_is_taken_is_what_a_worker_applies(
    shop: Shop, body: bytes, headers: dict[str, str]
) -> None:
    answer = shop.post(body, headers)
    if answer.status != 202:
        assert checked(answer)["status"] in {400, 422}
        assert not (headers is JSON and is_right(body))
        return
    for place in answer.json["events"][:2]:
        assert is_right(shop.record(place).value)
