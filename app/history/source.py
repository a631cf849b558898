"""One history file, and the raw records that a reader finds in it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from app.history.errors import HistoryError
from schemas.dead_letter import Rejected


class Raw(Struct, frozen=True):
    """A record as it would be on the wire, not yet checked.

    `offset` is its line or row, from 1. `rejected` is set where the file's own form is broken, so that there is no
    payload that could be checked; the payload is then only what a person needs to find the mistake.
    """

    offset: int
    payload: bytes
    rejected: Rejected | None = None


@dataclass(eq=False)
class Source:
    """A file to read; its reader moves `position` (bytes of `size`) and counts what it leaves out in `skipped`."""

    path: Path
    name: str
    size: int
    position: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def sources_of(paths: list[Path]) -> list[Source]:
    """The files behind some paths, named as short as keeps them apart.

    Raises HistoryError for a path that is no file.
    """
    if not paths:
        raise HistoryError("no history file was named: name one or more .jsonl, .jsonl.gz, .parquet or .csv files")
    shared = Counter(path.name for path in paths)
    return [Source(path, path.name if shared[path.name] == 1 else str(path), _size(path)) for path in paths]


def _size(path: Path) -> int:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise HistoryError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise HistoryError(f"{path}: cannot be read ({error})") from None
    if path.is_dir():
        raise HistoryError(f"{path}: is a directory; name the files in it, such as {path / '*.jsonl'}")
    return size
