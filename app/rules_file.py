"""A file of rules, read together with the built-in ones: a rulebook, or everything that is wrong with the file."""

import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from agents.rules.build import RulesError, build
from agents.rules.mistake import KeyPath, Mistake
from agents.rules.rulebook import Rulebook
from app.checked_structs import Checker
from app.printable import printable
from app.rules_drafts import builtin_drafts, builtin_rules, drafts_of
from app.toml_places import Places
from app.toml_strings import string_at

__all__ = ["MAX_BYTES", "Problem", "RulesFileError", "builtin_rules", "load_rules", "read_rules"]

MAX_BYTES: Final = 1024 * 1024
_POSITION: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Problem(msgspec.Struct, frozen=True):
    """What is wrong at one place of a file, in one line; line and column count from 1."""

    line: int
    column: int
    key: str
    text: str
    near: str | None = None

    def __str__(self) -> str:
        """In one line, with what may have been meant."""
        return f"{self.text} (did you mean {self.near}?)" if self.near else self.text


class RulesFileError(Exception):
    """A file of rules that cannot be used: all that is wrong with it, and its text."""

    def __init__(self, name: str, problems: Sequence[Problem], text: str = "") -> None:
        first = problems[0]
        more = f"; and {len(problems) - 1} more: see `rekindle rules check`" if len(problems) > 1 else ""
        super().__init__(f"{name}:{first.line}:{first.column}: {first}{more}")
        self.problems = list(problems)
        self.text = text


def load_rules(path: Path | None = None) -> Rulebook:
    """The rules of a file and the built-in ones that it does not replace; without a file, the built-in ones.

    Raises RulesFileError with all mistakes, OSError where the file cannot be read.
    """
    if path is None:
        return _builtin_book()
    with path.open("rb") as file:
        return read_rules(file.read(MAX_BYTES + 1), str(path))


def read_rules(content: bytes, name: str = "rules.toml") -> Rulebook:
    """The rules in the bytes of a file, and the built-in ones that they do not replace.

    Raises RulesFileError with all mistakes.
    """
    text = _text(content, name)
    document = _document(text, name)
    checker = Checker()
    drafts = drafts_of(document, checker)
    mistakes = checker.mistakes
    try:
        book = build(drafts)
    except RulesError as error:
        mistakes = [*mistakes, *_fresh(error.mistakes, mistakes)]
    if not mistakes:
        return book
    places = Places(text)
    found = {_problem(mistake, text, places) for mistake in mistakes}
    problems = sorted(found, key=lambda each: (each.line, each.column, each.text))
    raise RulesFileError(name, problems, text)


@cache
def _builtin_book() -> Rulebook:
    return build(builtin_drafts())


def _text(content: bytes, name: str) -> str:
    """The text of a file, with line feeds alone at the ends of lines."""
    if len(content) > MAX_BYTES:
        raise RulesFileError(name, [Problem(1, 1, "", f"the file has more than {MAX_BYTES:,} bytes")])
    body = content.removeprefix(BOM_UTF8)
    try:
        return body.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode()
        line, column = _line_and_column(before, len(before))
        text = f"the byte {body[error.start]:#04x} is not UTF-8: save the file as UTF-8"
        raise RulesFileError(name, [Problem(line, column, "", text)], before) from None


def _document(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        problem = Problem(1, 1, "", "this is not valid TOML: nested too deeply")
    except ValueError as error:
        problem = _syntax(str(error), text)
    raise RulesFileError(name, [problem], text) from None


def _syntax(message: str, text: str) -> Problem:
    """The message of tomllib, with the place taken out of it."""
    found = _POSITION.search(message)
    if found is None:
        return Problem(1, 1, "", "this is not valid TOML: a number has too many digits")
    line, column = (int(found[1]), int(found[2])) if found[1] else _line_and_column(text, len(text))
    reason = printable(_POSITION.sub("", message), instead="?")
    return Problem(line, column, "", f"this is not valid TOML: {reason[:1].lower()}{reason[1:]}")


def _fresh(found: Sequence[Mistake], known: Sequence[Mistake]) -> list[Mistake]:
    """Without those that may only follow from what is known to be wrong with a tag: that it lacks a key."""
    wrong = {mistake.path[:2] for mistake in known}
    return [mistake for mistake in found if not (mistake.at_key and mistake.path[:2] in wrong)]


def _problem(mistake: Mistake, text: str, places: Places) -> Problem:
    """A mistake with its line and column."""
    place = places.place(mistake.path)
    offset = place.key if mistake.at_key else place.value
    if mistake.column is not None:
        _, offsets = string_at(text, place.value)
        offset = offsets[min(mistake.column, len(offsets) - 1)]
    near = mistake.near and printable(mistake.near, instead="?")
    return Problem(*_line_and_column(text, offset), _key(mistake.path), printable(mistake.text, instead="?"), near)


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _key(path: KeyPath) -> str:
    """A path as people write it: tag[2].values[0].when, counted from 1."""
    return "".join(
        f"[{key + 1}]" if isinstance(key, int) else f".{printable(key, instead='?')}" for key in path
    ).lstrip(".")
