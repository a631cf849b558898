"""Parquet: a bad row is a dead letter, a file or column that cannot be meant is one clear line."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.history import parquet_scan
from app.history.errors import HistoryError
from schemas.events import Cart, Click, Item, Order, Profile, Tag
from tests.history.files import START, Read, write_parquet


def table(**columns: Sequence[Any] | pl.Series) -> dict[str, Any]:
    """Two clicks, whose columns may be replaced or added to."""
    usual: Mapping[str, Any] = {
        "type": ["click", "click"],
        "event_id": ["e1", "e2"],
        "user_id": ["u", "u"],
        "ts": [START + 1, START + 2],
        "item_id": ["i", "i"],
    }
    return {**usual, **columns}


def read(path: Path, types: Mapping[str, Any] | None = None, **columns: Any) -> Read:
    return Read(write_parquet(path / "a.parquet", table(**columns), **(types or {})))


def test_nulls_are_absent_fields(tmp_path: Path) -> None:
    result = read(tmp_path, price=[2.5, None], action=[None, "share"], brand=[None, None], other=[b"\xff", None])
    assert result.events == [
        Click(event_id="e1", user_id="u", ts=START + 1, item_id="i", price=2.5),
        Click(event_id="e2", user_id="u", ts=START + 2, item_id="i", action="share"),
    ]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_with_a_zone_become_milliseconds(tmp_path: Path, unit: Any) -> None:
    times = pl.Series([datetime(2010, 12, 1, tzinfo=UTC), datetime(2010, 12, 1, 0, 0, 0, 1999, tzinfo=UTC)])
    shown = times.dt.cast_time_unit(unit).dt.convert_time_zone("Asia/Shanghai")
    assert [event.ts for event in read(tmp_path, ts=shown).events] == [START, START + 1]


@pytest.mark.parametrize("ts", [["2010-12-01T00:00:00Z", str(START)], [float(START), float(START)]])
def test_times_as_text_or_whole_floats_are_taken(tmp_path: Path, ts: list[Any]) -> None:
    assert [event.ts for event in read(tmp_path, ts=ts).events] == [START, START]


def test_whole_floats_are_integers_where_the_wire_has_integers(tmp_path: Path) -> None:
    result = read(tmp_path, type=["cart", "cart"], quantity=[2.0, 2.5])
    assert [event.quantity for event in result.events if isinstance(event, Cart)] == [2]
    assert [letter.detail for letter in result.letters] == ["`quantity`: Expected `int | null`, got `float`"]


def test_decimals_and_categories_are_numbers_and_text(tmp_path: Path) -> None:
    result = read(tmp_path, types={"type": pl.Categorical}, price=[Decimal("2.50"), None])
    assert [event.price for event in result.events if isinstance(event, Click)] == [2.5, None]


def test_lists_and_structs_are_nested_json_without_their_nulls(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        types={"consent": pl.Map(pl.String, pl.Boolean)},
        type=["order", "profile"],
        order_id=["o", None],
        items=[[{"item_id": "a", "price": 1.5, "quantity": 2.0}, {"item_id": "b", "price": None}], None],
        attributes=[None, {"birth_date": date(1990, 1, 1), "region": None, "score": 1.5}],
        reachable=[None, ["sms", "email"]],
        consent=[None, {"sms": True}],
    )
    order, profile = result.events
    assert isinstance(order, Order)
    assert order.items == [Item(item_id="a", price=1.5, quantity=2), Item(item_id="b", quantity=1)]
    assert isinstance(profile, Profile)
    assert profile.attributes == {"birth_date": "1990-01-01", "score": 1.5}
    assert profile.reachable == ["sms", "email"]
    assert profile.consent == {"sms": True}


def test_nested_fields_may_be_json_text(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        type=["profile", "tag"],
        attributes=['{"a": null, "b": 1}', None],
        tag=[None, "tier"],
        value=[None, "12"],
    )
    profile, tag = result.events
    assert isinstance(profile, Profile)
    assert profile.attributes == {"a": None, "b": 1}
    assert isinstance(tag, Tag)
    assert tag.value == 12


@pytest.mark.parametrize("value", [[True, False], [5, 6], [0.5, 1.5], ["gold", "new"]])
def test_a_tag_has_the_value_of_its_column(tmp_path: Path, value: list[Any]) -> None:
    result = read(tmp_path, type=["tag", "tag"], tag=["t", "t"], value=value)
    assert [event.value for event in result.events if isinstance(event, Tag)] == value


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("where", "columns"),
    [
        ("price", {"price": [1.0, "BAD"]}),
        ("ts", {"ts": [float(START), "BAD"]}),
        ("value", {"type": ["tag", "tag"], "tag": ["t", "t"], "value": [1.0, "BAD"]}),
        ("attributes.score", {"type": ["profile", "profile"], "attributes": [{"score": 1.0}, {"score": "BAD"}]}),
        (
            "items[...].price",
            {"type": ["order", "order"], "order_id": ["o", "o"], "items": [None, [{"item_id": "a", "price": "BAD"}]]},
        ),
    ],
)
def test_nan_is_never_an_absent_field(tmp_path: Path, bad: float, where: str, columns: dict[str, Any]) -> None:
    path = write_parquet(tmp_path / "a.parquet", table(**_put(columns, bad)))
    result = Read(path)
    assert result.ids == ["e1"]
    (letter,) = result.letters
    assert (letter.offset, letter.reason) == (2, "invalid_value")
    assert letter.detail == f"`{where}`: {bad} is no number that can be used"
    assert (b"NaN" if math.isnan(bad) else b"Infinity") in letter.payload


def _put(cell: Any, bad: float) -> Any:
    """The cell with `bad` where it says "BAD"."""
    match cell:
        case dict():
            return {key: _put(inner, bad) for key, inner in cell.items()}
        case list():
            return [_put(inner, bad) for inner in cell]
        case _:
            return bad if cell == "BAD" else cell


def test_nan_in_a_column_that_the_event_does_not_have_is_seen_too(tmp_path: Path) -> None:
    assert read(tmp_path, total=[1.0, math.nan]).reasons == [(2, "invalid_value")]


@pytest.mark.parametrize(
    ("columns", "reason", "detail"),
    [
        ({"price": [1.0, -1.0]}, "invalid_value", "`price`"),
        ({"price": ["1.5", "cheap"]}, "invalid_value", "`price`"),
        ({"ts": [START, None]}, "invalid_value", "`ts`"),
        ({"ts": [START, 7_258_118_400_000]}, "invalid_value", "`ts`"),
        ({"ts": ["2010-12-01T00:00:00Z", "2010-12-01T00:00:00"]}, "invalid_value", "`ts`: has no offset"),
        ({"user_id": ["u", None]}, "invalid_value", "`user_id`"),
        ({"user_id": ["u", ""]}, "invalid_value", "`user_id`"),
        ({"type": ["click", None]}, "unknown_type", "`type`"),
        ({"query": ["", "x" * 1_000_000]}, "too_large", "at most"),
        ({"type": ["click", "profile"], "attributes": [None, [1]]}, "invalid_value", "`attributes`"),
        ({"type": ["click", "profile"], "attributes": [None, {"a": b"\xff"}]}, "invalid_value", "`attributes.a`"),
        ({"type": ["click", "profile"], "attributes": [None, {"a": timedelta(1)}]}, "invalid_value", "`attributes.a`"),
    ],
)
def test_a_bad_row_is_a_counted_dead_letter(tmp_path: Path, columns: Any, reason: str, detail: str) -> None:
    result = read(tmp_path, **columns)
    assert result.ids == ["e1"]
    (letter,) = result.letters
    assert (letter.topic, letter.offset, letter.reason) == ("a.parquet", 2, reason)
    assert detail in letter.detail


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"ts": [datetime(2010, 12, 1)] * 2}, r"the times of column `ts` have no time zone; .*replace_time_zone"),  # noqa: DTZ001  what is tested
        (
            {"ts": [date(2010, 12, 1)] * 2},
            "column `ts` holds Date; make it number or datetime with a time zone or text",
        ),
        ({"user_id": [1, 2]}, "column `user_id` holds Int64; make it text"),
        ({"event_id": [b"1", b"2"]}, "column `event_id` holds Binary; make it text"),
        ({"price": [[1.0], [2.0]]}, r"column `price` holds List\(Float64\); make it number or text"),
        ({"items": [1, 2]}, "column `items` holds Int64; make it nested or text"),
    ],
)
def test_a_column_of_a_type_that_cannot_be_meant_is_one_clear_line(tmp_path: Path, columns: Any, said: str) -> None:
    with pytest.raises(HistoryError, match=said):
        read(tmp_path, **columns)


def test_a_missing_column_is_one_clear_line(tmp_path: Path) -> None:
    columns = table(userId=["u", "u"])
    del columns["user_id"]
    with pytest.raises(HistoryError, match=r"no column `user_id` \(rename `userId` to `user_id`\?\); its columns are"):
        Read(write_parquet(tmp_path / "a.parquet", columns))


@pytest.mark.parametrize("body", [b"", b"PAR1", b"this is not parquet, whatever its name says"])
def test_a_file_that_is_no_parquet_is_one_clear_line(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(body)
    with pytest.raises(HistoryError, match=r"a\.parquet: cannot be read as parquet; get a whole copy"):
        Read(tmp_path / "a.parquet")


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_file_that_is_cut_short_is_one_clear_line(tmp_path: Path, part: float) -> None:
    path = write_parquet(tmp_path / "a.parquet", table())
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * part)])
    with pytest.raises(HistoryError, match="cannot be read as parquet"):
        Read(path)


def test_a_file_that_is_broken_inside_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame(table()).write_parquet(path, compression="zstd")
    body = path.read_bytes()
    path.write_bytes(body[:4] + b"\xff" * 200 + body[204:])
    with pytest.raises(HistoryError, match="cannot be read as parquet") as caught:
        Read(path)
    assert "\n" not in str(caught.value)


def test_a_file_without_rows_is_no_events(tmp_path: Path) -> None:
    types = {"type": pl.String, "event_id": pl.String, "user_id": pl.String, "ts": pl.Int64}
    pl.DataFrame(schema=types).write_parquet(tmp_path / "a.parquet")
    assert Read(tmp_path / "a.parquet").events == []


def test_rows_are_numbered_over_slices_and_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_scan, "ROWS_A_SLICE", 7)
    count = 50
    frame = pl.DataFrame(
        {
            "type": ["click"] * count,
            "event_id": [f"e{number}" for number in range(count)],
            "user_id": ["u"] * count,
            "ts": [START + number if number % 10 else 0 for number in range(count)],
            "item_id": ["i"] * count,
        }
    )
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=11)
    result = Read(tmp_path / "a.parquet")
    assert result.ids == [f"e{number}" for number in range(count) if number % 10]
    assert result.reasons == [(number, "invalid_value") for number in (1, 11, 21, 31, 41)]
