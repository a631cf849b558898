"""CSV: a bad row is a dead letter, a bad header one clear line."""

import csv
from pathlib import Path
from typing import Any

import pytest

from app.history import csv_file
from app.history.errors import HistoryError
from schemas.events import Cart, Click, Order, Profile, Tag
from tests.history.files import START, Read, click, write_csv

HEADER = b"type,event_id,user_id,ts,item_id,price\n"


def read(path: Path, body: bytes) -> Read:
    path.write_bytes(body)
    return Read(path)


def row(event_id: bytes = b"e1", ts: bytes = b"1291161600001", price: bytes = b"2.50", end: bytes = b"\n") -> bytes:
    return b",".join([b"click", event_id, b"u", ts, b"i", price]) + end


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_row_is_an_event_and_an_empty_cell_is_absent(tmp_path: Path, mark: bytes) -> None:
    result = read(tmp_path / "a.csv", mark + HEADER + row() + row(b"e2", price=b"", end=b"\r\n"))
    assert result.events == [
        Click(event_id="e1", user_id="u", ts=START + 1, item_id="i", price=2.5),
        Click(event_id="e2", user_id="u", ts=START + 1, item_id="i"),
    ]


def test_every_kind_of_cell_comes_through(tmp_path: Path) -> None:
    common = {"user_id": "42", "ts": "2010-12-01T01:00:00+01:00"}
    records: list[dict[str, Any]] = [
        {"type": "cart", "event_id": "1", "item_id": "007", "quantity": "2", **common},
        {"type": "order", "event_id": "2", "order_id": "9", "items": [{"item_id": "a", "price": 1}], **common},
        {"type": "profile", "event_id": "3", "attributes": {"age": 7}, "reachable": ["sms"], **common},
        {"type": "tag", "event_id": "4", "tag": "tier", "value": "5", "ttl_ms": "60000", **common},
        {"type": "tick", "ts": "5"},
    ]
    result = Read(write_csv(tmp_path / "a.csv", records))
    cart, order, profile, tag = result.events
    assert isinstance(cart, Cart)
    assert (cart.user_id, cart.ts, cart.item_id, cart.quantity) == ("42", START, "007", 2)
    assert isinstance(order, Order)
    assert order.amount == 100
    assert isinstance(profile, Profile)
    assert (profile.attributes, profile.reachable) == ({"age": 7}, ["sms"])
    assert isinstance(tag, Tag)
    assert (tag.value, tag.ttl_ms) == ("5", 60_000)
    assert result.history.ticks == 1


def test_a_cell_may_hold_line_ends_and_rows_keep_the_number_of_their_first_line(tmp_path: Path) -> None:
    body = HEADER + b'click,e1,u,1291161600000,"two\nlines",\n\n' + row(b"e2", ts=b"x") + row(b"e3")
    result = read(tmp_path / "a.csv", body)
    assert [event.item_id for event in result.events if isinstance(event, Click)] == ["two\nlines", "i"]
    assert result.reasons == [(5, "invalid_value")]


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        (row(price=b"NaN"), "invalid_value", "`price`"),
        (row(price=b"inf"), "invalid_value", "`price`"),
        (row(price=b"1e999"), "invalid_value", "`price`"),
        (row(price=b"-1"), "invalid_value", "`price`"),
        (row(price=b"cheap"), "invalid_value", "`price`"),
        (row(ts=b""), "invalid_value", "`ts`"),
        (row(ts=b"2010-12-01T00:00:00"), "invalid_value", "`ts`: has no offset"),
        (row(ts=b"7258118400000"), "invalid_value", "`ts`"),
        (row(event_id=b""), "invalid_value", "`event_id`"),
        (row(event_id=b"e" * 1_000_000), "too_large", "at most"),
        (row(event_id=b"\xe9t\xe9"), "invalid_json", "not UTF-8"),
        (row()[:-1] + b",more\n", "invalid_value", "7 cells in a row, 6 in the header"),
        (b"click,e1,u\n", "invalid_value", "3 cells in a row, 6 in the header"),
        (b",,,,,\n", "unknown_type", "`type`"),
        (b'click,"e"1,u,1,i,\n', "invalid_value", "not CSV"),
    ],
)
def test_a_bad_row_is_a_counted_dead_letter(tmp_path: Path, bad: bytes, reason: str, detail: str) -> None:
    result = read(tmp_path / "a.csv", HEADER + row(b"a") + bad + row(b"b"))
    assert result.ids == ["a", "b"]
    (letter,) = result.letters
    assert (letter.topic, letter.offset, letter.reason) == ("a.csv", 3, reason)
    assert detail in letter.detail
    assert result.history.dead == 1


def test_a_row_that_is_no_record_is_kept_as_it_stands(tmp_path: Path) -> None:
    result = read(tmp_path / "a.csv", HEADER + b"click,\xe9\n" + b"click,\xe9,u,1,i,\n")
    assert [letter.payload for letter in result.letters] == [
        b"click,\xe9",
        b'{"type": "click", "event_id": "\xe9", "user_id": "u", "ts": "1", "item_id": "i"}',
    ]


def test_broken_text_in_a_column_that_nobody_reads_hurts_nobody(tmp_path: Path) -> None:
    result = read(tmp_path / "a.csv", b"type,event_id,user_id,ts,item_id,note\nclick,e1,u,1,i,\xe9\n")
    assert result.ids == ["e1"]


def test_json_that_is_broken_is_rejected_by_its_field(tmp_path: Path) -> None:
    body = b'type,event_id,user_id,ts,order_id,items\norder,e1,u,1,o,[{\norder,e2,u,1,o,"[{}]"\n'
    result = read(tmp_path / "a.csv", body)
    assert [letter.detail.split(":")[0] for letter in result.letters] == ["`items`", "`items[0]`"]


def test_no_cell_can_bring_fields_of_its_own(tmp_path: Path) -> None:
    record = click(type="order", order_id="o") | {"items": "ITEMS"}
    path = write_csv(tmp_path / "a.csv", [record])
    path.write_text(path.read_text().replace('"""ITEMS"""', '"[], ""user_id"": ""other"""'))
    result = Read(path)
    assert result.events == []
    assert result.letters[0].detail.startswith("`items`")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty; it needs a header"),
        (b"\n\n", "is empty; it needs a header"),
        (b"type,event_id,userid,ts\n", "rename `userid` to `user_id`"),
        (b"type, event_id, user_id, ts\n", "rename ` event_id` to `event_id`"),
        (b"type;event_id;user_id;ts\n", "put commas between the columns"),
        (b'"type"x,ts\n', "its first line is no CSV header"),
        (b"type,event_id\rclick,e1\r", "its first line is no CSV header"),
        (b"type,event_id,user_id,ts,ts\n", "`ts` is there more than once"),
    ],
)
def test_a_header_that_cannot_be_used_is_one_clear_line(tmp_path: Path, body: bytes, said: str) -> None:
    with pytest.raises(HistoryError, match=said) as caught:
        read(tmp_path / "a.csv", body)
    assert "\n" not in str(caught.value)


def test_a_header_alone_is_no_events(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", HEADER).events == []


def test_a_quote_that_is_never_closed_is_not_one_bad_row(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"the row at line 3 opens a quote \(\"\) that is not closed"):
        read(tmp_path / "a.csv", HEADER + row() + b'click,"e2,u,1,i,\n' + row() * 10)


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_LINE_BYTES", 1000)
    with pytest.raises(HistoryError, match="the row at line 3 opens a quote"):
        read(tmp_path / "a.csv", HEADER + row() + b'click,"e2,u,1,i,\n' + row() * 100 + b'"\n')


def test_the_limit_of_a_cell_is_left_at_least_as_large_as_it_was(tmp_path: Path) -> None:
    before = csv.field_size_limit(1 << 30)
    try:
        read(tmp_path / "a.csv", HEADER)
        assert csv.field_size_limit() == 1 << 30
    finally:
        csv.field_size_limit(before)
