"""Which reader a history file is for, by its format and the end of its name."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

from app.history.csv_file import read_csv
from app.history.errors import HistoryError
from app.history.jsonl_file import read_jsonl
from app.history.online_retail import read_online_retail
from app.history.parquet_file import read_parquet
from app.history.source import Raw, Source

Reader: TypeAlias = Callable[[Source], Iterator[Raw]]


class FileFormat(StrEnum):
    """What the columns or records of a history file mean."""

    WIRE = "wire"
    ONLINE_RETAIL = "online-retail"


_READERS: Final[dict[FileFormat, dict[str, Reader]]] = {
    FileFormat.WIRE: {
        ".jsonl": read_jsonl,
        ".jsonl.gz": read_jsonl,
        ".ndjson": read_jsonl,
        ".ndjson.gz": read_jsonl,
        ".parquet": read_parquet,
        ".csv": read_csv,
    },
    FileFormat.ONLINE_RETAIL: {".parquet": read_online_retail, ".csv": read_online_retail},
}


def reader_of(path: Path, file_format: FileFormat) -> Reader:
    """The reader for a file of that name.

    Raises HistoryError for a name that says no format.
    """
    readers = _READERS[file_format]
    for suffix, reader in readers.items():
        if path.name.lower().endswith(suffix):
            return reader
    raise HistoryError(f"{path}: cannot be read as --format {file_format}: its name must end in {', '.join(readers)}")
