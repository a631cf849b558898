"""One history is the same events in every format."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AnyEvent, order_key
from tests.history.files import NESTED, START, Read, write_csv, write_jsonl

TYPES: dict[str, Any] = {
    "ts": pl.Int64,
    "price": pl.Float64,
    "total": pl.Float64,
    "discount": pl.Float64,
    "cost": pl.Float64,
    "quantity": pl.Int64,
    "ttl_ms": pl.Int64,
    "items": pl.List(pl.Struct({"item_id": pl.String, "brand": pl.String, "price": pl.Float64, "quantity": pl.Int64})),
    "reachable": pl.List(pl.String),
    "consent": pl.Map(pl.String, pl.Boolean),
}

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
amounts = st.floats(0, 1e6)
quantities = st.integers(1, 1_000_000)
values = st.one_of(words, st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9))
channels = st.sampled_from(["sms", "email", "push", "wechat", "phone"])
items = st.fixed_dictionaries(
    {"item_id": words}, optional={"brand": words, "price": amounts, "quantity": st.integers(1, 1000)}
)


def event(kind: str, needed: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    common = {
        "type": st.just(kind),
        "event_id": words,
        "user_id": words,
        "ts": st.integers(START, START + 3) | st.integers(1, 4_102_444_799_999),
    }
    return st.fixed_dictionaries(common | needed, optional=optional | {"channel": words, "session_id": words})


events = st.one_of(
    event("click", {"item_id": words}, {"action": st.just("share"), "price": amounts, "query": words}),
    event("cart", {"item_id": words}, {"action": st.just("remove"), "quantity": quantities, "brand": words}),
    event(
        "order",
        {"order_id": words},
        {
            "status": st.sampled_from(["placed", "paid", "cancelled", "returned"]),
            "total": amounts,
            "discount": amounts,
            "items": st.lists(items, max_size=3),
        },
    ),
    event(
        "profile",
        {},
        {
            "kind": st.sampled_from(["registered", "login", "updated", "consent", "erased"]),
            "attributes": st.dictionaries(words, values | st.none(), max_size=3),
            "reachable": st.lists(channels, max_size=3),
            "consent": st.dictionaries(channels, st.booleans(), max_size=3),
        },
    ),
    event("message", {"kind": st.just("opened"), "trigger_id": words}, {"cost": amounts, "campaign": words}),
    event("tag", {"tag": st.just("tier")}, {"value": values, "ttl_ms": st.integers(1, 10**9), "actor": words}),
)


def write_parquet(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for record in records for name in record))
    as_text = set(NESTED) - set(TYPES)
    rows = [
        {name: json.dumps(record[name]) if name in as_text and name in record else record.get(name) for name in names}
        for record in records
    ]
    pl.DataFrame(rows, schema={name: TYPES.get(name, pl.String) for name in names}).write_parquet(path)
    return path


def all_formats(folder: Path, records: list[dict[str, Any]]) -> list[list[AnyEvent]]:
    files = [
        write_jsonl(folder / "a.jsonl", records),
        write_jsonl(folder / "a.jsonl.gz", records),
        write_csv(folder / "a.csv", records),
        write_parquet(folder / "a.parquet", records),
    ]
    results = [Read(path, max_ahead_ms=2**62) for path in files]
    assert [result.letters for result in results] == [[], [], [], []]
    return [result.events for result in results]


@settings(deadline=None)  # it writes four files
@given(st.lists(events, min_size=1, max_size=8))
def test_every_format_gives_the_same_events(records: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        jsonl, packed, table, parquet = all_formats(Path(folder), records)
    assert len(jsonl) == len(records)
    assert jsonl == packed == table == parquet
    assert [order_key(event) for event in jsonl] == sorted(order_key(event) for event in jsonl)
