"""Small history files for the tests, and what becomes of them."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from app.history.formats import FileFormat
from app.history.history import MAX_AHEAD_MS, History
from schemas.dead_letter import DeadLetter
from schemas.events import AnyEvent

START = 1_291_161_600_000
NESTED = ("items", "attributes", "reachable", "consent", "value")


def click(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"type": "click", "event_id": f"e{number}", "user_id": "u", "ts": START + number, "item_id": "i", **fields}


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    body = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path


def write_csv(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    """As a producer would: nested fields and tag values as JSON, absent fields as empty cells."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(name for record in records for name in record)))
    writer.writeheader()
    for record in records:
        writer.writerow({name: json.dumps(cell) if name in NESTED else cell for name, cell in record.items()})
    path.write_bytes(text.getvalue().encode())
    return path


def write_parquet(path: Path, columns: Mapping[str, Any], **types: Any) -> Path:
    pl.DataFrame(columns, schema_overrides=types).write_parquet(path)
    return path


class Read:
    """A history read to its end: the events, the dead letters, and the counters."""

    def __init__(
        self,
        *paths: Path,
        file_format: FileFormat = FileFormat.WIRE,
        until: int | None = None,
        max_ahead_ms: int = MAX_AHEAD_MS,
    ) -> None:
        self.letters: list[DeadLetter] = []
        self.history = History(
            paths,
            dead_letters=self.letters.append,
            file_format=file_format,
            until=until,
            max_ahead_ms=max_ahead_ms,
        )
        self.events: list[AnyEvent] = list(self.history)

    @property
    def ids(self) -> list[str]:
        return [event.event_id for event in self.events]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(letter.offset, letter.reason) for letter in self.letters]
