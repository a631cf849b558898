"""The UCI Online Retail data as a history: each customer's invoices are orders.

An invoice whose number starts with C is a credit note. It names no original order, so it is an order of its own that
was returned: its total comes off spend, and it is no activity.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import polars as pl

from app.history.columns import require_columns
from app.history.errors import HistoryError
from app.history.parquet_scan import readable
from app.history.source import Raw, Source
from schemas.money import MAX_AMOUNT

NO_CUSTOMER: Final = "lines without a customer"
NO_ITEM: Final = "lines that are no item of an order"

_NEEDED: Final = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
_TIME_FORMATS: Final = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M")
_ID_LENGTH: Final = 128
_MAX_QUANTITY: Final = 1_000_000


def read_online_retail(source: Source) -> Iterator[Raw]:
    """One `order` for each invoice and customer, by the row of its first line.

    Lines without a customer, and lines that cannot be an item (no whole quantity from 1, no price from 0, no time), are
    left out and counted. The data is one known file of about 45 MB unpacked: it is held whole, as an invoice's lines
    need not follow each other.

    Raises HistoryError for a file that cannot be read or is not this data.
    """
    lines = _lines(source)
    sold = lines.filter(pl.col("customer").is_not_null())
    items = sold.filter(_is_item())
    source.skipped[NO_CUSTOMER] += lines.height - sold.height
    source.skipped[NO_ITEM] += sold.height - items.height
    source.position = source.size
    for order in _orders(items).iter_rows(named=True):
        yield Raw(order["row"], msgspec.json.encode(_event(order)))


def _lines(source: Source) -> pl.DataFrame:
    is_csv = source.path.suffix.lower() == ".csv"
    with readable(source, "CSV" if is_csv else "parquet"):
        table = _scan_csv(source) if is_csv else pl.scan_parquet(source.path, glob=False)
        schema = table.collect_schema()
        require_columns(source.path, _NEEDED, schema.names())
        return table.select(
            row=pl.int_range(1, pl.len() + 1),
            invoice=_id("InvoiceNo"),
            item_id=pl.col("StockCode").cast(pl.String),
            quantity=pl.col("Quantity").cast(pl.Float64, strict=False),
            price=pl.col("UnitPrice").cast(pl.Float64, strict=False),
            ts=_time("InvoiceDate", schema["InvoiceDate"]).dt.timestamp("ms"),
            customer=_id("CustomerID"),
        ).collect()


def _scan_csv(source: Source) -> pl.LazyFrame:
    if source.size == 0:
        raise HistoryError(f"{source.path}: is empty; get a whole copy")
    # descriptions in the published CSV are not UTF-8, and nothing here reads them
    return pl.scan_csv(source.path, infer_schema=False, encoding="utf8-lossy", glob=False)


def _id(name: str) -> pl.Expr:
    """An identifier as text; the published file holds its customers as floats."""
    text = pl.col(name).cast(pl.String).str.strip_chars().str.strip_suffix(".0")
    return pl.when(~text.str.to_lowercase().is_in(["", "nan"])).then(text)


def _time(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype != pl.String:
        return pl.col(name).cast(pl.Datetime("ms"))
    forms = [pl.col(name).str.to_datetime(form, time_unit="ms", strict=False) for form in _TIME_FORMATS]
    return pl.coalesce(forms)


def _is_returned() -> pl.Expr:
    return pl.col("invoice").str.starts_with("C")


def _is_item() -> pl.Expr:
    size = pl.col("quantity").abs()
    return pl.all_horizontal(
        pl.col("invoice").is_not_null(),
        pl.col("ts").is_not_null(),
        pl.col("item_id").str.len_chars().is_between(1, _ID_LENGTH),
        pl.col("price").is_between(0, MAX_AMOUNT),
        size.is_between(1, _MAX_QUANTITY) & (size == size.floor()),
        (pl.col("quantity") > 0) | _is_returned(),
    ).fill_null(value=False)


def _orders(items: pl.DataFrame) -> pl.DataFrame:
    quantity = pl.col("quantity").abs()
    return (
        items.with_columns(shared=pl.col("customer").n_unique().over("invoice") > 1)
        .group_by("invoice", "customer", maintain_order=True)
        .agg(
            pl.col("row", "shared").first(),
            pl.col("ts").min(),
            total=(quantity * pl.col("price")).sum().round(2),
            items=pl.struct("item_id", "price", quantity.cast(pl.Int64).alias("quantity")),
            returned=_is_returned().first(),
        )
    )


def _event(order: dict[str, Any]) -> dict[str, Any]:
    invoice, customer = order["invoice"], order["customer"]
    return {
        "type": "order",
        "event_id": f"{invoice}-{customer}" if order["shared"] else invoice,
        "user_id": customer,
        "ts": order["ts"],
        "channel": "web",
        "order_id": invoice,
        "status": "returned" if order["returned"] else "paid",
        "total": order["total"],
        "items": order["items"],
    }
