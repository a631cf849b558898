"""Strings of TOML, and where each of their characters stands."""

import re
from typing import Final

STRING: Final = re.compile(
    r"""
      \"\"\" (?: [^\\] | \\. )*? \"\"\" (?!")
    | ''' .*? ''' (?!')
    | " (?: [^"\\] | \\. )* "
    | ' [^']* '
    """,
    re.DOTALL | re.VERBOSE,
)
"""A string of any of the four sorts, in a document that is valid."""

_QUOTES: Final = ('"""', "'''", '"', "'")
_ESCAPE: Final = re.compile(
    r"\\(?:u(?P<short>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8})|(?P<fold>[ \t]*\n[ \t\n]*)|(?P<one>.))"
)
_ONE: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def string_at(text: str, start: int) -> tuple[str, list[int]]:
    r"""The string that begins at an offset, and the offset of each of its characters; one more for its end.

    >>> string_at(r'a = "b\tc"', 4)
    ('b\tc', [5, 6, 8, 9])
    """
    quotes = next(each for each in _QUOTES if text.startswith(each, start))
    match = STRING.match(text, start)
    end = (match.end() if match else len(text)) - len(quotes)
    at = start + len(quotes)
    if len(quotes) == len(_QUOTES[0]) and text.startswith("\n", at):
        at += 1
    letters, offsets = [], []
    while at < end:
        escape = _ESCAPE.match(text, at) if quotes[0] == '"' and text[at] == "\\" else None
        letter = text[at] if escape is None else _unescaped(escape)
        letters.append(letter)
        offsets += [at] * len(letter)
        at += 1 if escape is None else len(escape[0])
    return "".join(letters), [*offsets, end]


def _unescaped(escape: re.Match[str]) -> str:
    """What an escape stands for: nothing, where it only folds lines."""
    if escape["fold"]:
        return ""
    if digits := escape["short"] or escape["long"]:
        return chr(int(digits, 16))
    return _ONE.get(escape["one"], escape["one"])
