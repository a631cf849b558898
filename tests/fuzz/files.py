"""History files: every record is an event, a tick, or a dead letter that can be written; or the file is refused."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import polars as pl
from hypothesis import strategies as st

from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.history.history import History
from schemas.dead_letter import DeadLetter
from tests.fuzz.apart import Apart
from tests.fuzz.mutate import alone, mutated
from tests.fuzz.target import Target
from tests.fuzz.wire import SEEDS, odd_events

_NESTED: Final = ("items", "attributes", "reachable", "consent", "value")
_COLUMNS: Final = list(dict.fromkeys(name for seed in SEEDS for name in seed))


def _jsonl() -> bytes:
    return b"\n".join(json.dumps(seed).encode() for seed in SEEDS)


def _csv() -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    writer.writerows({k: json.dumps(v) if k in _NESTED else v for k, v in seed.items()} for seed in SEEDS)
    return text.getvalue().encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file, compression="uncompressed")
    return file.getvalue()


_RETAIL: Final = pl.DataFrame(
    {
        "InvoiceNo": ["536365", "536365", "C536379", "A5"],
        "StockCode": ["85123A", "71053", "D", "B"],
        "Description": ["WHITE HANGING HEART", "LANTERN", "Discount", None],
        "Quantity": [6, 6, -1, 1],
        "InvoiceDate": ["2010-12-01 08:26:00", "12/1/2010 8:26", "2010-12-01 09:41:00", "2011-08-12 14:50:00"],
        "UnitPrice": [2.55, 3.39, 27.5, 11062.06],
        "CustomerID": ["17850.0", "17850", "14527.0", None],
    }
)
_TABLE: Final = pl.DataFrame(
    {
        "type": ["click", "order", "tick"], "event_id": ["a", "b", None], "user_id": ["u", "u", None],
        "ts": [1_709_164_800_000, 1_709_164_800_001, 1_709_164_800_002], "item_id": ["i", None, None],
        "order_id": [None, "o", None], "items": [None, [{"item_id": "i", "price": 1.5, "quantity": 2}], None],
        "total": [None, 19.99, None], "value": [None, "gold", "7"],
    }
)  # fmt: skip


def read_file(suffix: str, file_format: FileFormat, content: bytes) -> None:
    """Write a file, and read it to its end."""
    with TemporaryDirectory(prefix="rekindle-fuzz-") as folder:
        path = Path(folder) / f"history{suffix}"
        path.write_bytes(content)
        read(path, file_format)


def read(path: Path, file_format: FileFormat) -> None:
    """Read a file to its end."""
    letters: list[DeadLetter] = []
    try:
        history = History([path], dead_letters=letters.append, file_format=file_format)
        events = list(history.wire())
    except HistoryError as error:
        assert str(error)
        return
    assert history.events == len(events)
    assert history.dead == len(letters)
    assert history.records == history.events + history.ticks + history.dead
    assert msgspec.json.encode(letters)
    assert all(first[0].ts <= then[0].ts for first, then in pairwise(events))


def reader(suffix: str, file_format: FileFormat) -> Callable[[bytes], None]:
    """What reads a file of that kind to its end."""
    return partial(read_file, suffix, file_format)


_lines: Final = st.lists(odd_events, max_size=6).map(b"\n".join)

FILES: Final = (
    Target("jsonl", alone(mutated(_jsonl()) | _lines), reader(".jsonl", FileFormat.WIRE)),
    Target(
        "jsonl.gz",
        alone(mutated(gzip.compress(_jsonl(), mtime=0)) | _lines.map(gzip.compress)),
        reader(".jsonl.gz", FileFormat.WIRE),
    ),
    Target("csv", alone(mutated(_csv())), reader(".csv", FileFormat.WIRE)),
    Target("parquet", alone(mutated(_parquet(_TABLE))), Apart(reader(".parquet", FileFormat.WIRE))),
    Target("online retail csv", alone(mutated(_RETAIL.write_csv().encode())), reader(".csv", FileFormat.ONLINE_RETAIL)),
    Target(
        "online retail parquet", alone(mutated(_parquet(_RETAIL))), Apart(reader(".parquet", FileFormat.ONLINE_RETAIL))
    ),
)
