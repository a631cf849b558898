"""The end of a name, or --format, says how a file is read."""

from pathlib import Path

import pytest

from app.history.csv_file import read_csv
from app.history.errors import HistoryError
from app.history.formats import FileFormat, Reader, reader_of
from app.history.jsonl_file import read_jsonl
from app.history.online_retail import read_online_retail
from app.history.parquet_file import read_parquet


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("a.jsonl", read_jsonl),
        ("a.jsonl.gz", read_jsonl),
        ("A.NDJSON", read_jsonl),
        ("2010.12.parquet", read_parquet),
        ("a.csv", read_csv),
    ],
)
def test_the_suffix_says_the_format(name: str, reader: Reader) -> None:
    assert reader_of(Path(name), FileFormat.WIRE) is reader


def test_online_retail_is_parquet_or_csv() -> None:
    assert reader_of(Path("a.csv"), FileFormat.ONLINE_RETAIL) is read_online_retail
    with pytest.raises(HistoryError, match=r"--format online-retail: its name must end in \.parquet, \.csv"):
        reader_of(Path("a.jsonl"), FileFormat.ONLINE_RETAIL)


@pytest.mark.parametrize("name", ["a.json", "a.csv.gz", "a", "a.xlsx"])
def test_an_unknown_suffix_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(
        HistoryError, match=r"must end in \.jsonl, \.jsonl\.gz, \.ndjson, \.ndjson\.gz, \.parquet, \.csv"
    ):
        reader_of(Path(name), FileFormat.WIRE)
