"""How users are written into a file, in each of its formats."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol, TypeAlias

import msgspec

Format: TypeAlias = Literal["csv", "jsonl", "json"]
Cells: TypeAlias = Mapping[str, Any]

MEDIA_TYPES: Final[Mapping[Format, str]] = {
    "csv": "text/csv", "jsonl": "application/x-ndjson", "json": "application/json"
}  # fmt: skip
_ACTING: Final = ("=", "+", "-", "@", "\t", "\r")
_ENCODE: Final = msgspec.json.Encoder().encode


class Writer(Protocol):
    """Writes the head, some users at a time, and the end."""

    def head(self) -> bytes:
        """Before all users."""

    def users(self, users: Iterable[Cells]) -> bytes:
        """Some of them."""

    def end(self) -> bytes:
        """Behind them all."""


class Csv:
    """RFC 4180, with a line of names; what is neither a number nor a text is JSON in a cell."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def head(self) -> bytes:
        """The names."""
        return self._lines([[harmless(name) for name in self._names]])

    def users(self, users: Iterable[Cells]) -> bytes:
        """A line each."""
        return self._lines([_cell(user[name]) for name in self._names] for user in users)

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def _lines(self, lines: Iterable[Iterable[str]]) -> bytes:
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        return text.getvalue().encode()


class JsonLines:
    """An object a line."""

    def __init__(self, _names: Sequence[str]) -> None:
        pass

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def users(self, users: Iterable[Cells]) -> bytes:
        """A line each."""
        return b"".join(_ENCODE(user) + b"\n" for user in users)

    def end(self) -> bytes:
        """Nothing."""
        return b""


class JsonArray:
    """One array of objects."""

    def __init__(self, _names: Sequence[str]) -> None:
        self._is_first = True

    def head(self) -> bytes:
        """The bracket."""
        return b"["

    def users(self, users: Iterable[Cells]) -> bytes:
        """Objects, with a comma between any two."""
        found = b",\n".join(map(_ENCODE, users))
        before = b"" if self._is_first or not found else b",\n"
        self._is_first = self._is_first and not found
        return before + found

    def end(self) -> bytes:
        """The other bracket."""
        return b"]\n"


WRITERS: Final[Mapping[Format, type[Csv | JsonLines | JsonArray]]] = {"csv": Csv, "jsonl": JsonLines, "json": JsonArray}


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection).

    >>> harmless("=1+1"), harmless("a-b")
    ("'=1+1", 'a-b')
    """
    return f"'{text}" if text.startswith(_ACTING) else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    return _ENCODE(value).decode()
