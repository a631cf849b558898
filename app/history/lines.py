"""The lines of a text file, packed by gzip or not, none of which can fill the memory."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import IO, Final

from app.history.errors import HistoryError
from app.history.source import Source

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""Far above any payload that is taken (256 KB), so that a long record is a dead letter, and only a file without
line ends is refused."""

_POSITION_EVERY: Final = 4096
_GZIP: Final = b"\x1f\x8b"
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def lines(source: Source) -> Iterator[bytes]:
    """Each line with its end, without the byte order mark that some editors put before the first.

    Raises HistoryError where the file cannot be read, unpacked, or told apart into lines.
    """
    try:
        with source.path.open("rb") as file:
            yield from _lines(source, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise HistoryError(f"{source.path}: its gzip data is broken or cut short; get a whole copy ({error})") from None
    except OSError as error:
        raise HistoryError(f"{source.path}: cannot be read ({error.strerror or error})") from None


def _lines(source: Source, file: io.BufferedReader) -> Iterator[bytes]:
    _check_start(source, file.peek(2)[:2])
    with closing(_unpacked(source, file)) as text:
        for number, line in enumerate(iter(partial(text.readline, MAX_LINE_BYTES), b""), 1):
            if len(line) == MAX_LINE_BYTES:
                raise HistoryError(
                    f"{source.path}: line {number} is longer than {MAX_LINE_BYTES >> 20} MiB; write one record a line"
                )
            if number % _POSITION_EVERY == 0:
                source.position = file.tell()
            yield line.removeprefix(_UTF_8_MARK) if number == 1 else line


def _unpacked(source: Source, file: io.BufferedReader) -> IO[bytes]:
    if _is_packed(source):
        return io.BufferedReader(gzip.GzipFile(fileobj=file))
    return file


def _is_packed(source: Source) -> bool:
    return source.path.suffix.lower() == ".gz"


def _check_start(source: Source, start: bytes) -> None:
    """Say in words what the first two bytes give away."""
    if start in _UTF_16_MARKS:
        raise HistoryError(f"{source.path}: is written in UTF-16; save it as UTF-8")
    if start == _GZIP and not _is_packed(source):
        raise HistoryError(f"{source.path}: is packed by gzip; unpack it, or let its name end in .jsonl.gz")
    if start != _GZIP and _is_packed(source):
        what = "is not packed by gzip; take .gz off its name" if start else "is empty; get a whole copy"
        raise HistoryError(f"{source.path}: {what}")
