"""A parquet file a slice at a time, so that memory does not grow with the file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import polars as pl

from app.history.errors import HistoryError
from app.history.source import Source

ROWS_A_SLICE: Final = 65_536
"""Smaller slices decode a large row group more often, larger ones hold more at once."""


@contextmanager
def readable(source: Source, form: str = "parquet") -> Iterator[None]:
    """Turns what polars says of a file that it cannot read into a HistoryError."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = next(iter(str(error).splitlines()), "no reason given")
        raise HistoryError(f"{source.path}: cannot be read as {form}; get a whole copy ({reason})") from None


def slices(source: Source, selected: Sequence[pl.Expr]) -> Iterator[pl.DataFrame]:
    """The selected columns, some rows at a time. `collect_batches` would read ahead of us without bound.

    Raises HistoryError where the file turns out to be broken.
    """
    table = pl.scan_parquet(source.path, glob=False, hive_partitioning=False)
    with readable(source):
        height = table.select(pl.len()).collect().item()
    for start in range(0, height, ROWS_A_SLICE):
        with readable(source):
            frame = table.slice(start, ROWS_A_SLICE).select(selected).collect()
        yield frame
        source.position = source.size * min(height, start + ROWS_A_SLICE) // height
