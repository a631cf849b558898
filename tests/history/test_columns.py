"""What a cell of text means, and what is said of a table that lacks a column."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.history.columns import KNOWN, TEXTS, from_text, require_columns, wire_hint
from app.history.errors import HistoryError

HERE = Path("a.csv")
WIRE = ("type", "event_id", "user_id", "ts")


def said_of(*found: str) -> str:
    with pytest.raises(HistoryError) as caught:
        require_columns(HERE, WIRE, found, wire_hint(found))
    return str(caught.value)


def test_every_field_of_the_wire_is_known() -> None:
    assert {"type", "ts", "item_id", "trigger_id", "attributes", "ttl_ms", "cost"} <= KNOWN
    assert {"item_id", "channel", "tag", "query"} <= TEXTS


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    assert said_of("type", "event_id", "ts", "price") == (
        "a.csv: has no column `user_id`; its columns are `type`, `event_id`, `ts`, `price`"
    )


def test_the_nearest_name_is_offered() -> None:
    assert (
        "has no column `event_id`, `user_id` (rename `eventId` to `event_id` and `User ID` to `user_id`?)"
        in said_of("type", "eventId", "User ID", "ts")
    )


def test_a_column_that_is_right_is_not_offered_for_another() -> None:
    assert "rename" not in said_of("type", "event_id", "session_id", "ts")


def test_a_column_twice_is_refused() -> None:
    assert "the column `ts` is there more than once" in said_of(*WIRE, "ts", "other", "other")


def test_the_online_retail_data_is_known_by_its_columns() -> None:
    assert "--format online-retail" in said_of("InvoiceNo", "StockCode")


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_marks_between_columns_are_noticed(mark: str) -> None:
    assert "put commas between the columns" in said_of(mark.join(WIRE))


def test_whatever_the_header_holds_the_message_stays_one_short_line() -> None:
    text = said_of("\udcff\n\x1b[31m", *(f"column {number}" + "x" * 1000 for number in range(1000)))
    assert text.encode()
    assert text.isprintable()
    assert len(text) < 2000
    assert "and 981 more" in text


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("ts", "1291161600000", 1_291_161_600_000),
        ("ts", "1291161600000.0", 1_291_161_600_000),
        ("ts", "2010-12-01T00:00:00Z", "2010-12-01T00:00:00Z"),
        ("ts", "9" * 5000, "9" * 5000),
        ("quantity", "3", 3),
        ("quantity", "3.0", 3),
        ("quantity", "2.5", 2.5),
        ("quantity", "-2", -2),
        ("price", "12.50", 12.5),
        ("price", ".5", 0.5),
        ("price", "-1e3", -1000.0),
        ("price", "NaN", "NaN"),
        ("price", "inf", "inf"),
        ("price", "1e999", "1e999"),
        ("price", "1_000", "1_000"),
        ("price", "12,50", "12,50"),
        ("price", "\u0665", "\u0665"),
        ("value", "gold", "gold"),
        ("value", "007", "007"),
        ("value", "null", msgspec.Raw(b"null")),
        ("value", '"5"', msgspec.Raw(b'"5"')),
        ("items", '[{"item_id": "a"}]', msgspec.Raw(b'[{"item_id": "a"}]')),
        ("items", "[NaN]", "[NaN]"),
        ("items", '1, "user_id": "other"', '1, "user_id": "other"'),
        ("items", "[" * 100_000, "[" * 100_000),
        ("attributes", '"\udcff"', '"\udcff"'),
    ],
)
def test_a_cell_of_text_means_what_its_column_says(name: str, text: str, meant: Any) -> None:
    convert = from_text(name)
    assert convert is not None
    got = convert(text)
    assert (type(got), got) == (type(meant), meant)


def test_text_stays_text() -> None:
    assert from_text("user_id") is None
