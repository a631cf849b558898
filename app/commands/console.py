"""What all commands share: where messages go, how a mistake ends, how files and times are given."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from rich.console import Console

from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.settings import SettingsError
from schemas.times import Millis, parse_instant, parse_span

if TYPE_CHECKING:
    from app.committed import Progress

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


@contextmanager
def mistakes(*others: type[Exception]) -> Iterator[None]:
    """What a person can mend ends the command with one line: settings, files, the broker, and `others`."""
    from app.topics import BrokerError

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs is raised too, and told in one line by us
    known: tuple[type[Exception], ...] = (SettingsError, HistoryError, BrokerError, *others)
    try:
        yield
    except known as error:
        fail(str(error))


@contextmanager
def bar(what: str) -> Iterator["Progress"]:
    """A progress bar, on a terminal only."""
    from rich.progress import Progress as Bar

    with Bar(console=STDERR, disable=not STDERR.is_terminal, transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def print_json(found: Any) -> None:
    """Print for a machine."""
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


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
