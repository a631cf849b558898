"""`rekindle dlq list`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import mistakes
from app.commands.dlq_options import Reasons, Since, Topics, choice_of, read
from app.settings import load

if TYPE_CHECKING:
    from app.dead_letters.letter import Letter
    from app.dead_letters.shelf import Shelf


def list_letters(
    reason: Reasons = None,
    topic: Topics = None,
    since: Since = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Show at most so many, the oldest.")] = None,
    with_payload: Annotated[
        bool, typer.Option("--payload", help="Show the payloads too: they are personal data.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a line, with the payload; corrected, it goes to redrive --fixed."),
    ] = False,
) -> None:
    """Show what could not be used, why, and what has become of it."""
    choice = choice_of(reason, topic, since)

    def keep(letter: "Letter") -> "Letter | None":
        if not choice.takes(letter):
            return None
        return letter if with_payload or as_json else letter._replace(payload=b"")

    with mistakes():
        shelf = read(load(), keep)
    if as_json:
        _print_json(shelf, limit)
    else:
        _print_table(shelf, limit, with_payload=with_payload)


def _print_json(shelf: "Shelf", limit: int | None) -> None:
    from app.dead_letters.as_json import as_json
    from app.dead_letters.state import state_of

    for letter in shelf.letters[:limit]:
        sys.stdout.buffer.write(as_json(letter, state_of(letter, shelf.marks)) + b"\n")


def _print_table(shelf: "Shelf", limit: int | None, *, with_payload: bool) -> None:
    from rich.console import Console

    from app.dead_letters.state import state_of
    from app.dead_letters.table import show, summary

    letters = [(letter, state_of(letter, shelf.marks)) for letter in shelf.letters]
    if not letters:
        typer.echo("there are no dead letters, or none that are asked for")
        return
    show(Console(highlight=False), letters[:limit], with_payload=with_payload)
    typer.echo(summary(letters))
    if limit is not None and limit < len(letters):
        typer.echo(f"- beyond --limit: {len(letters) - limit:,}")
