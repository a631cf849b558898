"""What both commands for dead letters share: which letters are meant, how they are read."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, cast, get_args

import typer

from app.clock import now
from app.commands.console import bar, complain
from app.settings import Settings
from schemas.dead_letter import DeadReason
from schemas.times import Millis
from schemas.topics import INPUT_TOPICS, Topic

if TYPE_CHECKING:
    from app.dead_letters.choice import Choice
    from app.dead_letters.letter import Letter
    from app.dead_letters.shelf import Shelf

_REASONS: Final[tuple[str, ...]] = get_args(DeadReason)


def _one_of(names: tuple[str, ...]) -> Callable[[str], Any]:
    def parse(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"{text!r} is none of {', '.join(names)}")
        return text

    return parse


def _since(text: str) -> Millis:
    """A time from the command line, or how long ago it was."""
    from app.dead_letters.choice import since_of

    try:
        return since_of(text, now())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Reasons: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--reason", parser=_one_of(_REASONS), metavar="REASON", help="Only these; may be repeated."),
]
Topics: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--topic",
        parser=_one_of(tuple(INPUT_TOPICS)),
        metavar="TOPIC",
        help="Only what lay on these input topics (without the prefix); may be repeated.",
    ),
]
Since: TypeAlias = Annotated[
    Millis | None,
    typer.Option(
        parser=_since,
        metavar="TIME",
        help="Only what became a dead letter since: 2026-01-31T12:00:00Z, ms, or how long ago (2h).",
    ),
]


def choice_of(reasons: list[str] | None, topics: list[Topic] | None, since: Millis | None) -> "Choice":
    """The letters that the options ask for."""
    from app.dead_letters.choice import Choice

    return Choice(cast("list[DeadReason]", reasons or ()), topics or (), since or 0)


def read(settings: Settings, keep: "Callable[[Letter], Letter | None]") -> "Shelf":
    """All letters that are kept, with a progress bar."""
    from app.dead_letters.shelf import read_shelf

    with bar("Reading dead letters") as progress:
        shelf = read_shelf(settings, keep, progress)
    if shelf.unreadable:
        complain(f"{shelf.unreadable:,} records on the topic of dead letters are none, and are left out")
    return shelf
