"""A year of a shop's real invoices: the backtest and a live partition say what the oracle says of the raw file."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import polars as pl
import pytest

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.backtest import Backtest
from app.history.formats import FileFormat
from schemas.times import DAY_MS, Millis
from schemas.topics import INPUT_TOPICS
from tables.table import Table
from tests.oracle import History, Wire, effective, follow, history
from tests.storms import encode, partition_of

CUSTOMERS: Final = 4372
PARTITIONS: Final = 3
CHUNK: Final = 400
LATENESS: Final = DEFAULT_LIMITS.allowed_lateness_ms


@pytest.fixture(scope="module")
def orders(published: Path) -> list[Wire]:
    """Each customer's invoices from the raw lines, by none of the product's code; in the order of the file."""
    lines = pl.read_parquet(published, columns=["InvoiceNo", "CustomerID", "InvoiceDate"])
    invoices = (
        lines.filter(pl.col("CustomerID").is_not_null())
        .group_by("InvoiceNo", "CustomerID", maintain_order=True)
        .agg(pl.col("InvoiceDate").min().dt.replace_time_zone(None).dt.timestamp("ms"))
    )
    return [
        {
            "type": "order",
            "event_id": f"{number}/{customer:.0f}",
            "user_id": f"{customer:.0f}",
            "ts": ts,
            "order_id": number,
            "status": "returned" if number.startswith("C") else "paid",
        }
        for number, customer, ts in invoices.iter_rows()
    ]


@pytest.fixture(scope="module")
def end(orders: list[Wire]) -> Millis:
    return max(int(order["ts"]) for order in orders)


@pytest.fixture(scope="module")
def expected(orders: list[Wire], end: Millis) -> History:
    """What the oracle says of each customer alone, as it looks at every event of all for each."""
    by_customer: dict[str, list[Wire]] = {}
    for order in orders:
        by_customer.setdefault(order["user_id"], []).append(order)
    told: History = {}
    for mine in by_customer.values():
        told |= history(mine, end + 1)
    return told


def test_the_backtest_says_what_the_oracle_says(
    published: Path, orders: list[Wire], expected: History, tmp_path: Path
) -> None:
    found = Backtest(DEFAULT_LIMITS, tmp_path).run([published], FileFormat.ONLINE_RETAIL, None, lambda *_: None)
    said = [json.loads(line) for line in (tmp_path / "tag-changes.jsonl").read_bytes().splitlines()]
    assert len({order["user_id"] for order in orders}) == CUSTOMERS
    assert (found.users, found.history.events["order"]) == (CUSTOMERS, len(orders))
    assert not [change for change in said if "corrects" in change]
    assert effective(said) == expected


def test_six_topics_late_and_in_three_partitions_say_the_same(
    orders: list[Wire], expected: History, end: Millis
) -> None:
    random = Random(20_111_209)  # noqa: S311  repeatable
    on_the_way = sorted(orders, key=lambda order: order["ts"] + random.randint(0, LATENESS))
    said: list[Wire] = []
    for number in range(PARTITIONS):
        mine = [order for order in on_the_way if partition_of(order["user_id"], PARTITIONS) == number]
        partition = Partition(number, DEFAULT_LIMITS, Table(max_hot=100))
        said += list(live(partition, mine, end))
        assert partition.dead_letters == []
        assert (partition.counters.applied, partition.counters.too_late) == (len(mine), 0)
        assert partition.counters.late > len(mine) // 2
    assert sum("corrects" in change for change in said) > 100
    assert effective(said) == expected
    assert follow(said) == {user: {tag: moves[-1][2] for tag, moves in tags.items()} for user, tags in expected.items()}


def live(partition: Partition, orders: list[Wire], end: Millis) -> Iterator[Any]:
    """Chunk after chunk of orders, while the other topics tick along, and an epoch after each."""
    offsets = dict.fromkeys(INPUT_TOPICS, 0)
    reached = 0
    chunks = [orders[start : start + CHUNK] for start in range(0, len(orders), CHUNK)]
    for chunk in [*chunks, []]:
        reached = max([reached, *(order["ts"] for order in chunk)]) if chunk else end
        records = {topic: [{"type": "tick", "ts": reached}] for topic in INPUT_TOPICS}
        if chunk:
            records["events.order"] = chunk
        for topic, found in records.items():
            partition.take(topic, enumerate(map(encode, found), offsets[topic]))
            offsets[topic] += len(found)
        while not partition.run():
            pass
        yield from msgspec.json.decode(msgspec.json.encode(partition.table.collect().changes))


def test_a_year_has_what_the_lifecycles_are_about(expected: History) -> None:
    """The data is worth the test: customers fall silent, are lost, come back, and some only ever returned goods."""
    moves = {(before, after) for tags in expected.values() for _, before, after in tags["lifecycle"]}
    assert moves == {
        (None, "active"),
        ("active", "silent"),
        ("silent", "lost"),
        ("silent", "active"),
        ("lost", "active"),
    }
    assert CUSTOMERS - 100 < len(expected) < CUSTOMERS
    assert all(tags["lifecycle"] == tags["lifecycle.purchase"] for tags in expected.values())
    assert all(at % DAY_MS for tags in expected.values() for at, *_ in tags["lifecycle"])
