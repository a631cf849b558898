"""What is wrong with a file of rules, shown to people: each mistake with its line, and a caret below its place."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from app.printable import printable

if TYPE_CHECKING:
    from app.rules_file import RulesFileError

_SHOWN: Final = 120
_BEFORE: Final = 80
"""Of a long line so much is shown, from so much before the mistake."""


def name_of(path: Path | None) -> str:
    """What a file of rules is called; None: the built-in rules."""
    return "built-in rules" if path is None else str(path)


def print_problems(path: Path | None, error: "RulesFileError") -> None:
    """Show all mistakes."""
    lines = error.text.split("\n")
    for problem in error.problems:
        typer.echo(f"{name_of(path)}:{problem.line}:{problem.column}: {problem}")
        line = lines[problem.line - 1] if problem.line <= len(lines) else ""
        if line:
            typer.echo(_pointed(line, problem.column - 1))


def _pointed(line: str, column: int) -> str:
    """A line, and below it a caret under that column, also where letters are two cells wide."""
    from rich.cells import cell_len

    start = max(column - _BEFORE, 0) if len(line) > _SHOWN else 0
    shown = printable(line[start : start + _SHOWN].replace("\t", " "))
    return f"    {shown}\n    {' ' * cell_len(shown[: column - start])}^"
