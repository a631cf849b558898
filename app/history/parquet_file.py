"""Parquet with the wire's fields as columns: a record a row, nulls are absent fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from app.history.columns import (
    AMOUNTS,
    INTEGERS,
    KNOWN,
    NESTED,
    REQUIRED,
    SCALAR,
    TEXTS,
    Convert,
    from_text,
    require_columns,
    wire_hint,
)
from app.history.errors import HistoryError
from app.history.parquet_scan import readable, slices
from app.history.rows import Column, record_of
from app.history.source import Raw, Source
from app.history.typed import from_nested, from_number

_TAKEN: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(TEXTS, ("text",)),
    **dict.fromkeys(INTEGERS | AMOUNTS, ("number", "text")),
    **dict.fromkeys(NESTED, ("nested", "text")),
    SCALAR: ("text", "number", "boolean"),
    "ts": ("number", "datetime with a time zone", "text"),
}
"""Which kinds of columns can be meant by a field."""


def read_parquet(source: Source) -> Iterator[Raw]:
    """Every row, by its number from 1. A cell of text means what it means in CSV.

    Raises HistoryError for what is no parquet, lacks a required column, or holds one in a type that cannot be meant.
    """
    with readable(source):
        schema = pl.scan_parquet(source.path, glob=False).collect_schema()
    require_columns(source.path, REQUIRED, schema.names(), wire_hint(schema.names()))
    types = {name: dtype for name, dtype in schema.items() if name in KNOWN and dtype != pl.Null}
    for name, dtype in types.items():
        _check_type(source.path, name, dtype)
    columns = [Column(index, name, _convert(name, dtype)) for index, (name, dtype) in enumerate(types.items())]
    row = 0
    for frame in slices(source, [_selected(name, dtype) for name, dtype in types.items()]):
        for row, cells in enumerate(frame.iter_rows(), row + 1):  # noqa: B020  counts on over the slices
            yield record_of(row, columns, cells, None)


def _check_type(path: Path, name: str, dtype: pl.DataType) -> None:
    kind = _kind(dtype)
    if kind in _TAKEN[name]:
        return
    if name == "ts" and isinstance(dtype, pl.Datetime):
        todo = 'say which it is in, as by polars\' .dt.replace_time_zone("UTC") or pandas\' .dt.tz_localize("UTC")'
        raise HistoryError(f"{path}: the times of column `ts` have no time zone; {todo}")
    raise HistoryError(f"{path}: column `{name}` holds {dtype}; make it {' or '.join(_TAKEN[name])}")


def _kind(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "text"
    if isinstance(dtype, pl.Datetime):
        return "datetime with a time zone" if dtype.time_zone else "datetime"
    if dtype.is_numeric():
        return "number"
    if dtype.is_nested():
        return "nested"
    return "boolean" if dtype == pl.Boolean else str(dtype)


def _selected(name: str, dtype: pl.DataType) -> pl.Expr:
    return pl.col(name).dt.timestamp("ms") if isinstance(dtype, pl.Datetime) else pl.col(name)


def _convert(name: str, dtype: pl.DataType) -> Convert | None:
    match _kind(dtype):
        case "text":
            return from_text(name)
        case "number":
            return None if dtype.is_integer() else from_number(name)
        case "nested":
            return from_nested(name)
        case _:
            return None
