"""Where each key and each value of a TOML document stands.

tomllib tells what a document says, and where its syntax is wrong, but not where a value stands. This walks through a
document that tomllib has read already, so it need not check anything; tests compare what both find.
"""

import re
from typing import Final, NamedTuple

from agents.rules.mistake import KeyPath
from app.toml_strings import STRING, string_at

_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN: Final = re.compile(r"[^,\]}#\n]*")


class Place(NamedTuple):
    """Offsets in the document: of a key (or of the header of a table), and of its value."""

    key: int
    value: int


class Places:
    """All places of a document, by the path of keys. Lines end with a line feed alone."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lists: dict[KeyPath, int] = {}
        self.by_path: dict[KeyPath, Place] = {(): Place(0, 0)}
        self._document()

    def place(self, path: KeyPath) -> Place:
        """The place of a path, or of the nearest one above it that stands in the document."""
        while path not in self.by_path:
            path = path[:-1]
        return self.by_path[path]

    def _document(self) -> None:
        table: KeyPath = ()
        while self._skip() < len(self._text):
            start = self._at
            if self._text[start] == "[":
                table = self._header(start)
            else:
                self._pair(table)

    def _header(self, start: int) -> KeyPath:
        """`[a.b]` or `[[a.b]]`: the path that follows."""
        is_list = self._text.startswith("[[", start)
        self._at += 2 if is_list else 1
        *parents, last = self._keys()
        path = (*self._below((), parents), last)
        self._implied(path, start)
        self._at += 2 if is_list else 1
        if is_list:
            self._lists[path] = self._lists.get(path, -1) + 1
            path = (*path, self._lists[path])
        self.by_path[path] = Place(start, start)
        return path

    def _implied(self, path: KeyPath, start: int) -> None:
        """Tables that stand nowhere but in the path of another."""
        for length in range(1, len(path) + 1):
            self.by_path.setdefault(path[:length], Place(start, start))

    def _below(self, path: KeyPath, keys: list[str]) -> KeyPath:
        """The path of a table: of a list of tables the last one is meant."""
        for key in keys:
            path = (*path, key)
            if path in self._lists:
                path = (*path, self._lists[path])
        return path

    def _pair(self, table: KeyPath) -> None:
        """`key = value`."""
        start = self._skip()
        *parents, last = self._keys()
        path = self._below(table, parents)
        self._implied((*path, last), start)
        self._at += 1  # =
        self._value((*path, last), start)

    def _keys(self) -> list[str]:
        """The parts of a key: `a."b c".d`."""
        keys = []
        while True:
            self._skip()
            if self._text[self._at] in "\"'":
                keys.append(string_at(self._text, self._at)[0])
                self._pass(STRING)
            else:
                keys.append(self._pass(_BARE))
            if self._text[self._skip()] != ".":
                return keys
            self._at += 1

    def _value(self, path: KeyPath, key: int | None = None) -> None:
        start = self._skip()
        self.by_path[path] = Place(start if key is None else key, start)
        first = self._text[start]
        if first == "[":
            self._items(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._pass(STRING if first in "\"'" else _PLAIN)

    def _items(self, path: KeyPath) -> None:
        self._at += 1
        number = 0
        while self._text[self._skip()] != "]":
            self._value((*path, number))
            number += 1
            self._comma()
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._text[self._skip()] != "}":
            self._pair(path)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        if self._text[self._skip()] == ",":
            self._at += 1

    def _skip(self) -> int:
        """Go on to what is neither blank nor a comment."""
        self._pass(_BLANK)
        return self._at

    def _pass(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise AssertionError(f"tomllib took what cannot be found again at {self._at}")
        self._at = match.end()
        return match[0]
