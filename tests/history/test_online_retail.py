"""The UCI Online Retail data: its invoices as orders, and its totals as a plain group-by gives them."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.history.online_retail import NO_CUSTOMER, NO_ITEM
from schemas.events import Item, Order
from schemas.money import to_minor
from schemas.times import parse_instant, to_datetime
from tests.history.files import Read

NAMES = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
NOON = datetime(2010, 12, 1, 12)  # noqa: DTZ001  the file's times have no zone  the published times have no zone


def read(path: Path) -> Read:
    return Read(path, file_format=FileFormat.ONLINE_RETAIL)


def read_lines(path: Path, *lines: tuple[Any, ...]) -> Read:
    pl.DataFrame(lines, schema=NAMES, orient="row", strict=False).write_parquet(path / "a.parquet")
    return read(path / "a.parquet")


def orders(result: Read) -> list[Order]:
    return [event for event in result.events if isinstance(event, Order)]


def test_an_invoice_is_an_order_at_its_first_moment(tmp_path: Path) -> None:
    result = read_lines(
        tmp_path,
        ("536365", "A", 6.0, NOON.replace(minute=1), 2.55, 17850.0),
        ("536366", "B", 1.0, NOON.replace(minute=5), 1.0, 13047.0),
        ("536365", "C", 2.0, NOON, 3.39, 17850.0),
    )
    assert orders(result) == [
        Order(
            event_id="536365",
            user_id="17850",
            ts=parse_instant("2010-12-01T12:00:00Z"),
            channel="web",
            order_id="536365",
            status="paid",
            total=22.08,
            items=[Item(item_id="A", price=2.55, quantity=6), Item(item_id="C", price=3.39, quantity=2)],
        ),
        Order(
            event_id="536366",
            user_id="13047",
            ts=parse_instant("2010-12-01T12:05:00Z"),
            channel="web",
            order_id="536366",
            status="paid",
            total=1.0,
            items=[Item(item_id="B", price=1.0, quantity=1)],
        ),
    ]
    assert result.history.skipped == {}


def test_a_credit_note_is_a_return_of_positive_quantities(tmp_path: Path) -> None:
    (order,) = orders(read_lines(tmp_path, ("C536379", "D", -2.0, NOON, 27.5, 14527.0)))
    assert (order.status, order.total) == ("returned", 55.0)
    assert order.items == [Item(item_id="D", price=27.5, quantity=2)]


def test_an_invoice_of_several_customers_is_an_order_of_each(tmp_path: Path) -> None:
    lines = [("1", "A", 1.0, NOON, 1.0, 7.0), ("1", "A", 2.0, NOON, 1.0, 8.0), ("2", "A", 1.0, NOON, 1.0, 8.0)]
    found = [(order.event_id, order.order_id, order.user_id) for order in orders(read_lines(tmp_path, *lines))]
    assert found == [("1-7", "1", "7"), ("1-8", "1", "8"), ("2", "2", "8")]


def test_lines_that_are_nobodys_or_no_item_are_left_out_and_counted(tmp_path: Path) -> None:
    result = read_lines(
        tmp_path,
        ("1", "A", 1.0, NOON, 1.0, None),
        ("1", "A", 1.0, NOON, 1.0, float("nan")),
        ("1", "A", 3.0, NOON, 1.0, 7.0),
        ("1", "A", -1.0, NOON, 1.0, 7.0),
        ("1", "A", 0.5, NOON, 1.0, 7.0),
        ("1", "A", 1.0, NOON, -1.0, 7.0),
        ("1", "A", 1.0, NOON, float("nan"), 7.0),
        ("1", "", 1.0, NOON, 1.0, 7.0),
        ("1", None, 1.0, NOON, 1.0, 7.0),
        ("1", "A", None, NOON, 1.0, 7.0),
        ("1", "A", 1.0, None, 1.0, 7.0),
        (None, "A", 1.0, NOON, 1.0, 7.0),
        ("C2", "A", 0.0, NOON, 1.0, 7.0),
    )
    (order,) = orders(result)
    assert order.total == 3.0
    assert result.letters == []
    assert result.history.skipped == {NO_CUSTOMER: 2, NO_ITEM: 10}


@pytest.mark.parametrize("when", ["2010-12-01 08:26:00", "2010-12-01T08:26:00.000000", "12/1/2010 8:26"])
def test_csv_is_taken_too_in_the_forms_in_which_it_is_found(tmp_path: Path, when: str) -> None:
    body = f"{','.join(NAMES)},Description\n536365,85123A,6,{when},2.55,17850,CAF\u00c9\n,,,,,,\n"
    (tmp_path / "a.csv").write_bytes(body.encode("latin-1"))
    result = read(tmp_path / "a.csv")
    (order,) = orders(result)
    assert (order.user_id, order.total) == ("17850", 15.3)
    assert order.ts == parse_instant("2010-12-01T08:26:00Z")
    assert result.history.skipped == {NO_CUSTOMER: 1}


def test_dead_letters_would_name_the_first_line_of_the_invoice(tmp_path: Path) -> None:
    result = read_lines(
        tmp_path,
        ("1", "A", 1.0, NOON, 1.0, None),
        ("1", "A", 1.0, NOON, 1.0, 7.0),
        ("2", "A", 1.0, datetime(2200, 1, 1), 1.0, 7.0),  # noqa: DTZ001  the file's times have no zone
        ("2", "B", 1.0, datetime(2200, 1, 1), 1.0, 7.0),  # noqa: DTZ001  the file's times have no zone
    )
    assert result.reasons == [(3, "invalid_value")]


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.csv", b"", "is empty; get a whole copy"),
        ("a.csv", b"type,ts\n", "has no column `InvoiceNo`"),
        ("a.csv", b"Invoice,StockCode,Quantity,InvoiceDate,Price,CustomerID\n", "rename `Invoice` to `InvoiceNo`"),
        ("a.parquet", b"", "cannot be read as parquet"),
        ("a.parquet", b"PAR1 not really", "cannot be read as parquet"),
    ],
)
def test_a_file_that_is_not_this_data_is_one_clear_line(tmp_path: Path, name: str, body: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(HistoryError, match=said):
        read(tmp_path / name)


@pytest.fixture(scope="module")
def result(published: Path) -> Read:
    return read(published)


@pytest.fixture(scope="module")
def lines(published: Path) -> pl.DataFrame:
    """The published lines of known customers, with what each is worth."""
    return (
        pl.read_parquet(published)
        .filter(pl.col("CustomerID").is_not_null())
        .with_columns(worth=pl.col("Quantity") * pl.col("UnitPrice"))
    )


def test_the_published_data_is_4372_customers_from_2010_to_2011(result: Read) -> None:
    assert len({event.user_id for event in result.events}) == 4372
    assert {len(event.user_id) for event in result.events} == {5}
    assert result.history.first_ts is not None
    assert result.history.last_ts is not None
    assert to_datetime(result.history.first_ts).isoformat() == "2010-12-01T08:26:00+00:00"
    assert to_datetime(result.history.last_ts).isoformat() == "2011-12-09T12:50:00+00:00"


def test_every_invoice_of_the_published_data_is_an_order_or_a_return(result: Read, lines: pl.DataFrame) -> None:
    numbers = lines["InvoiceNo"].unique()
    returned = numbers.str.starts_with("C").sum()
    assert Counter(order.status for order in orders(result)) == {"paid": len(numbers) - returned, "returned": returned}
    assert set(result.ids) == set(numbers)
    assert result.letters == []
    assert result.history.skipped == {NO_CUSTOMER: 135_080}


def test_the_published_spend_is_what_a_group_by_gives(result: Read, lines: pl.DataFrame) -> None:
    invoices = lines.group_by("InvoiceNo").agg(pl.col("worth").sum(), pl.col("InvoiceDate").min(), pl.len())
    wanted = {
        number: (round(abs(worth) * 100), when.replace(tzinfo=None), count)
        for number, worth, when, count in invoices.iter_rows()
    }
    found = {
        order.order_id: (
            to_minor(order.total or 0),
            to_datetime(order.ts).replace(tzinfo=None),
            len(order.items or ()),
        )
        for order in orders(result)
    }
    assert found == wanted


def test_the_published_spend_of_each_customer_is_what_a_group_by_gives(result: Read, lines: pl.DataFrame) -> None:
    spend: Counter[str] = Counter()
    for order in orders(result):
        spend[order.user_id] += to_minor(order.total or 0) * (1 if order.status == "paid" else -1)
    by_customer = lines.group_by(pl.col("CustomerID").cast(pl.Int64).cast(pl.String)).agg(pl.col("worth").sum())
    assert {user: minor / 100 for user, minor in spend.items()} == pytest.approx(
        dict(by_customer.iter_rows()), abs=0.02
    )
