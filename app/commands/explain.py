"""`rekindle explain`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import STDERR, Format, bar, fail, instant, mistakes, print_json
from app.commands.rules_option import RulesOption, rules_in_force, rules_path
from app.history.formats import FileFormat
from app.settings import Settings, load
from schemas.times import Millis

if TYPE_CHECKING:
    from agents.churn.snapshot import Snapshot
    from app.explain.explain import Basis
    from app.explain.explanation import Explanation
    from app.explain.known import Known


def explain(  # noqa: PLR0913  an option each
    user: Annotated[str, typer.Argument(metavar="USER", help="The user_id.", show_default=False)],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="A history. Without one: the live system.", show_default=False),
    ] = None,
    *,
    until: Annotated[
        Millis | None,
        typer.Option(
            parser=instant, metavar="TIME", help="As of then: 2011-12-10T00:00:00Z, or ms. Default: the last event."
        ),
    ] = None,
    file_format: Format = FileFormat.WIRE,
    rules: RulesOption = None,
    models: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With a history: models.msgpack of a backtest with --predict-every, to tell the outlook.",
        ),
    ] = None,
    with_all: Annotated[bool, typer.Option("--all", help="Show also tags without a value, and why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same as JSON.")] = False,
) -> None:
    """Say why a user has the tags that they have: values, rules, the numbers they saw, the events behind them.

    From a history, or from the live system, of which it only reads: what it prints is personal data.
    """
    from agents.churn.snapshot import SnapshotError
    from app.explain.explain import explain as explained
    from app.explain.known import UnknownUserError
    from tables.codec import UnreadableError

    if not _is_text(user):
        fail("USER is not UTF-8: give the user_id as the events have it")
    with mistakes(UnknownUserError, UnreadableError, SnapshotError):
        settings = load()
        basis = _basis(rules, settings)
        known = _from_files(user, files, file_format, until, basis) if files else _live(user, until, settings)
        if models is not None:
            known = known._replace(models=_models(models))
        told = explained(known, basis, with_all=with_all)
    _print(told, as_json=as_json)


def _is_text(given: str) -> bool:
    """Whether an argument's bytes were text."""
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def _basis(file: Path | None, settings: Settings) -> "Basis":
    from app.explain.explain import Basis
    from app.explain.written import written

    return Basis(rules_in_force(file, settings), written(file or rules_path(settings)), settings.limits)


def _from_files(user: str, files: list[Path], file_format: FileFormat, until: Millis | None, basis: "Basis") -> "Known":
    from app.explain.from_history import read_history
    from app.history.history import History
    from app.summary import Bars

    with Bars(STDERR) as bars:
        history = History(
            files,
            dead_letters=lambda _letter: None,
            file_format=file_format,
            until=until,
            max_ahead_ms=basis.limits.max_ahead_ms,
            progress=bars.show,
        )
        return read_history(user, history, basis.book, basis.limits)


def _live(user: str, until: Millis | None, settings: Settings) -> "Known":
    from app.explain.from_live import read_live, read_live_models

    if until is not None:
        fail("--until takes a history: the live system is known as of now; name the files")
    with bar("Reading the live system") as progress:
        known = read_live(settings, user, progress)
    return known if settings.grid is None else known._replace(models=read_live_models(settings))


def _models(file: Path) -> "Snapshot":
    from app.explain.outlook import read_models_file

    try:
        return read_models_file(file)
    except OSError as error:
        fail(f"{file}: {error.strerror or error}; name the models.msgpack of a backtest")


def _print(told: "Explanation", *, as_json: bool) -> None:
    from rich.console import Console

    from app.explain.shown import show

    if as_json:
        print_json(told)
    else:
        show(Console(highlight=False), told)
