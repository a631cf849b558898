"""What all commands share: where messages go, how a mistake ends, how files and times are given."""

from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console

from app.history.formats import FileFormat
from schemas.times import Millis, parse_instant, parse_span

STDERR: Final = Console(stderr=True)


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="The history: .jsonl, .jsonl.gz, .parquet or .csv, in any order.",
        show_default=False,
    ),
]
Format = Annotated[
    FileFormat,
    typer.Option("--format", help="`wire`: the fields of docs/contracts; `online-retail`: the UCI file."),
]


def complain(message: str) -> None:
    """Say in one red line what is wrong."""
    STDERR.print(f"rekindle: {message}", style="red", markup=False, highlight=False, soft_wrap=True)


def fail(message: str) -> NoReturn:
    """End with one red line and exit code 2."""
    complain(message)
    raise typer.Exit(2)


def instant(text: str) -> Millis:
    """A time from the command line."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def span(text: str) -> Millis:
    """A length of time from the command line."""
    try:
        length_ms = parse_span(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not length_ms:
        raise typer.BadParameter(f"{text!r} is no time at all; write 1d, 12h or 90m")
    return length_ms
