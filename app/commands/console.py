"""What all commands share: where messages go, how a mistake ends, how a time is given."""

from typing import Final, NoReturn

import typer
from rich.console import Console

from schemas.times import Millis, parse_instant

STDERR: Final = Console(stderr=True)


def fail(message: str) -> NoReturn:
    """End with one red line and exit code 2."""
    STDERR.print(f"rekindle: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def instant(text: str) -> Millis:
    """A time from the command line."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
