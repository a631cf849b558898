"""`rekindle rules check`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from app.commands.console import fail
from app.printable import printable
from app.settings import SettingsError, load

if TYPE_CHECKING:
    from agents.rules.rulebook import Rulebook
    from app.rules_file import Problem, RulesFileError

_SHOWN: Final = 120
_BEFORE: Final = 80
"""Of a long line so much is shown, from so much before the mistake."""


def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Default: the setting REKINDLE_RULES, else the built-in rules.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Look whether a file of rules can be used, and show every mistake with its place.

    Exit code 2 if there is one.
    """
    from app.rules_file import RulesFileError, load_rules

    path = file or _set()
    try:
        book = load_rules(path)
    except RulesFileError as error:
        _print_json(path, error.problems) if as_json else _print_problems(path, error)
        raise typer.Exit(2) from None
    except OSError as error:
        fail(f"{path}: {error.strerror or error}; name a file of rules that can be read")
    _print_json(path, [], book) if as_json else typer.echo(
        f"{_name(path)}: {len(book.rules)} rules, version {book.version}"
    )


def _set() -> Path | None:
    try:
        name = load().rules
    except SettingsError as error:
        fail(str(error))
    return Path(name) if name else None


def _name(path: Path | None) -> str:
    return "built-in rules" if path is None else str(path)


def _print_json(path: Path | None, problems: "list[Problem]", book: "Rulebook | None" = None) -> None:
    import msgspec

    found: dict[str, Any] = {"file": path and str(path), "valid": not problems, "problems": problems}
    if book is not None:
        found |= {"rules": sorted(book.names), "version": book.version, "fingerprint": book.fingerprint}
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _print_problems(path: Path | None, error: "RulesFileError") -> None:
    lines = error.text.split("\n")
    for problem in error.problems:
        typer.echo(f"{_name(path)}:{problem.line}:{problem.column}: {problem}")
        line = lines[problem.line - 1] if problem.line <= len(lines) else ""
        if line:
            typer.echo(_pointed(line, problem.column - 1))


def _pointed(line: str, column: int) -> str:
    """A line, and below it a caret under that column, also where letters are two cells wide."""
    from rich.cells import cell_len

    start = max(column - _BEFORE, 0) if len(line) > _SHOWN else 0
    shown = printable(line[start : start + _SHOWN].replace("\t", " "))
    return f"    {shown}\n    {' ' * cell_len(shown[: column - start])}^"
