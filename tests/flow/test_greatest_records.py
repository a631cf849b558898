"""The greatest records that events can make fit into what a broker takes by default: nobody can stop a partition."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from kafka import KafkaProducer

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from schemas.decode import decode
from schemas.events import AnyEvent, Tick
from schemas.times import DAY_MS, HOUR_MS
from tables import codec
from tables.table import Table
from tests.flow.system import START, System

MAX_MESSAGE_BYTES: Final = 1_048_588
"""Apache Kafka's max.message.bytes, where nobody has set it."""
GREATEST_ROW_BYTES: Final = 260_000

WIDE: Final = "\U0001f600"
"""Four bytes as UTF-8: limits count characters."""
USER: Final = WIDE * 128
LABEL: Final = WIDE * 256
POISON: Final = "\x7f" * 250_000
"""One byte each, and five where an error quotes it and JSON escapes that."""


def name(number: int, length: int = 128) -> str:
    return f"{number:03}".rjust(length, WIDE)


def event(number: int, ts: int, **fields: Any) -> dict[str, Any]:
    return {"event_id": name(number), "user_id": USER, "ts": ts, **fields}


def greedy() -> Iterator[dict[str, Any]]:
    """Events of one user that fill all that a row keeps, with the longest values that are taken."""
    for hour in range(71 * 24):
        ts = START + hour * HOUR_MS
        told = {each: f"{hour:04}".ljust(256, WIDE) for each in ("category", "brand", "channel")}
        items = [{"item_id": "i", "price": 1e10, **told}]
        yield event(hour % 999, ts, type="order", order_id=name(hour % 999), total=1e10, items=items, **told)
        yield event(hour % 999, ts + 1, type="cart", item_id=name(hour % 999), price=1e10, quantity=1_000_000, **told)
    end = START + 71 * DAY_MS
    for number in range(40):
        attributes = {name(32 * number + each): LABEL for each in range(32)}
        yield event(number, end, type="profile", attributes=attributes, reachable=["wechat", "phone", "email"] * 9)
    for number in range(80):
        yield event(number, end, type="tag", tag=name(number, 64), value=LABEL, ttl_ms=DAY_MS)
    for number, channel in enumerate(("sms", "email", "push", "wechat", "phone", "gift", "coupon", "event")):
        yield event(number, end, type="message", kind="unsubscribed", trigger_id="t", recall_channel=channel)


def decoded(fields: dict[str, Any]) -> AnyEvent:
    record = decode(json.dumps(fields).encode())
    assert not isinstance(record, Tick)
    return record


def test_the_greatest_row_is_a_quarter_of_what_a_broker_takes() -> None:
    partition = Partition(0, DEFAULT_LIMITS, Table())
    for fields in greedy():
        partition.apply(decoded(fields), fields["ts"])
    row = partition.table.get(USER)
    assert row is not None
    kept = (len(row.attributes), len(row.tags), len(row.cart), len(row.orders), len(row.consent))
    assert kept == (32, 64, 8, 32, 8)
    assert len(row.days) == 69 * 5
    assert 0.9 * GREATEST_ROW_BYTES < len(codec.encode(row)) < GREATEST_ROW_BYTES


@pytest.fixture
def system(apache_kafka: Any, tmp_path: Path) -> Iterator[System]:
    with System(tmp_path, kafka=apache_kafka.bootstrap, partitions="1", clock="event", rules="builtin") as system:
        yield system


def test_a_worker_goes_on_after_the_greatest_row_and_the_worst_dead_letters(system: System) -> None:
    end = START + 71 * DAY_MS
    system.start(0)
    system.publish(list(greedy()))
    poison = [
        json.dumps({**event(1, end, type="click", item_id="i"), **fields}, ensure_ascii=False).encode()
        for fields in ({"action": POISON}, {"type": POISON}, {"x": POISON + 20_000 * "y"}, {"item_id": POISON})
    ]
    nested = b'{"type": "click", "x": ' + 200_000 * b"["
    producer = KafkaProducer(bootstrap_servers=system.settings.kafka, max_request_size=2**20)
    for payload in (*poison, nested, b"\xff" * 1_000_000):
        producer.send(f"{system.settings.topic_prefix}events.click", payload, partition=0)
    producer.close()
    system.publish([event(2, end + DAY_MS, type="click", item_id="i")])
    system.wait_until_applied(end + DAY_MS)
    assert system.stop() == [0]
    letters = [json.loads(record.value) for record in system.read(f"{system.settings.topic_prefix}dead-letters")]
    reasons = ["invalid_value", "unknown_type", "too_large", "invalid_value", "invalid_json", "too_large"]
    assert [letter["reason"] for letter in letters] == reasons
    rows, _ = system.restored()
    assert 0.8 * GREATEST_ROW_BYTES < len(rows[USER.encode()]) < GREATEST_ROW_BYTES < MAX_MESSAGE_BYTES / 4
