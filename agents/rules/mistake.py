"""Mistakes in rules, as people are told of them."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys (and places in lists, from 0) that lead to a part of a rules file: ("tag", 2, "when")."""

MAX_NUMBER: Final = 2**53
"""Beyond it, a double cannot tell whole numbers apart; expressions have none there."""
_SHOWN: Final = 60


class Mistake(NamedTuple):
    """What is wrong at one place of a rules file, in one line."""

    path: KeyPath
    text: str
    near: str | None = None
    """The right name that is nearest to the one that was written."""
    column: int | None = None
    """Where in the text at that place, in characters from 0."""
    at_key: bool = False
    """Whether the key itself is wrong, not its value."""


class ExpressionError(Exception):
    """What is wrong in an expression, and where: `column` is in characters from 0."""

    def __init__(self, column: int, text: str, near: str | None = None) -> None:
        super().__init__(text)
        self.column = column
        self.text = text
        self.near = near


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that may have been meant.

    >>> nearest("ordres", ["orders", "spend"]), nearest("x", ["orders"])
    ('orders', None)
    """
    close = get_close_matches(name, names, n=1)
    return close[0] if close else None


def shown(value: Any) -> str:
    """A value of a rules file in a few words; its first characters, where it is long.

    >>> shown("a"), shown(True), shown(1.5), shown([1]), shown([]), shown({})
    ("'a'", 'true', '1.5', 'a list', 'an empty list', 'a table')
    """
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        return "so large a number"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\N{HORIZONTAL ELLIPSIS}"
