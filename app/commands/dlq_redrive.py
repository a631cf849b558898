"""`rekindle dlq redrive`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from app.clock import now
from app.commands.console import bar, complain, fail, mistakes
from app.commands.dlq_options import Reasons, Since, Topics, choice_of, read
from app.settings import Settings, load

if TYPE_CHECKING:
    from app.dead_letters.choice import Choice
    from app.dead_letters.fixed import WrongLine
    from app.dead_letters.plan import Plan
    from app.dead_letters.ready import Ready

_INTERRUPTED: Final = 130
_WRONG_SHOWN: Final = 20


def redrive(  # noqa: PLR0913  an option each
    *,
    reason: Reasons = None,
    topic: Topics = None,
    since: Since = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Send at most so many, the oldest.")] = None,
    fixed: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Lines of `dlq list --json`, corrected: these are sent. If one is wrong, none is."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Send dead letters to their topics again: each once, and what fails again stays.

    Without --fixed: those that can be used by now, just as they are, because a newer version or another setting takes
    them, their time has come, or they lay on the wrong topic or partition.

    With the wall clock, an event that is older than REKINDLE_ALLOWED_LATENESS by now counts into windows only, and
    changes no lifecycle.
    """
    with mistakes():
        settings = load()
        choice = choice_of(reason, topic, since)
        plan = _plan_fixed(settings, choice, fixed) if fixed else _plan(settings, choice)
        ready = plan.ready[:limit]
        _show(plan, ready)
        if ready and not dry_run and (yes or _confirmed(len(ready))):
            _send(settings, ready)


def _plan(settings: Settings, choice: "Choice") -> "Plan":
    from app.dead_letters.plan import plan

    shelf = read(settings, lambda letter: letter if choice.takes(letter) else None)
    return plan(shelf.letters, shelf.marks, settings.clock, now())


def _plan_fixed(settings: Settings, choice: "Choice", path: Path) -> "Plan":
    from app.dead_letters.fixed import Fixed, WrongLinesError
    from app.dead_letters.plan import latest

    shelf = read(settings, lambda letter: letter._replace(payload=b""))
    letters = {letter.place: letter for letter in shelf.letters}
    try:
        return Fixed(letters, shelf.marks, choice, latest(settings.clock, now())).plan(path)
    except WrongLinesError as error:
        _fail(error.wrong)


def _fail(wrong: list["WrongLine"]) -> NoReturn:
    from app.dead_letters.table import visible

    for number, why in wrong[:_WRONG_SHOWN]:
        complain(visible(f"line {number}: {why}"))
    lines = "1 line is" if len(wrong) == 1 else f"{len(wrong):,} lines are"
    fail(f"{lines} still wrong, so nothing was sent: correct what is named, or take it out")


def _show(plan: "Plan", ready: Sequence["Ready"]) -> None:
    from app.dead_letters.table import counted

    topics = counted(Counter(each.topic for each in ready))
    typer.echo(f"{_events(len(ready))} can be sent: {topics}" if ready else "there is nothing to send")
    if beyond := len(plan.ready) - len(ready):
        typer.echo(f"- beyond --limit: {beyond:,}")
    if plan.left:
        typer.echo(f"- left as they are: {counted(plan.left)}")


def _confirmed(number: int) -> bool:
    try:
        confirmed = typer.confirm(f"Send {_events(number)}?")
    except typer.Abort:
        typer.echo()
        fail("nothing was sent, because nobody answered; --yes sends without being asked")
    if not confirmed:
        typer.echo("nothing was sent")
    return confirmed


def _send(settings: Settings, ready: Sequence["Ready"]) -> None:
    from app.dead_letters.redrive import Redrive

    with bar("Sending") as progress:
        work = Redrive(settings, progress)
        try:
            work.run(ready)
        except KeyboardInterrupt:
            complain(f"interrupted; {_events(work.sent)} were sent, and will not be sent again")
            raise typer.Exit(_INTERRUPTED) from None
    already = f"; {work.already:,} had been sent by another redrive" if work.already else ""
    typer.echo(f"{_events(work.sent)} sent{already}")


def _events(number: int) -> str:
    return "1 event" if number == 1 else f"{number:,} events"
