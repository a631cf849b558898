"""`rekindle rules diff`."""

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import STDERR, Files, Format, fail, instant, span
from app.commands.rules_option import or_exit
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.settings import Settings, SettingsError, load
from schemas.times import DAY_MS, Millis

if TYPE_CHECKING:
    from app.rules_diff.compare import Comparison
    from app.rules_diff.rules import Rules


def diff(  # noqa: PLR0913, PLR0917  as many as the command has
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The rules to compare with.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The rules to try.", show_default=False)],
    files: Files,
    until: Annotated[
        Millis | None,
        typer.Option(
            parser=instant,
            metavar="TIME",
            help="How things stand then: 2011-12-10T00:00:00Z, or ms. Default: the last event.",
        ),
    ] = None,
    last: Annotated[
        Millis | None,
        typer.Option(
            parser=span,
            metavar="SPAN",
            help="Compare campaigns over so much time before the end, in whole UTC days: 90d. Default: 30d.",
        ),
    ] = None,
    file_format: Format = FileFormat.WIRE,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for `diff.html`, `diff.json` and lists as CSV; it is made if need be."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print diff.json instead of a table.")] = False,
) -> None:
    """Show who would gain or lose which tag, and what campaigns would send, if other rules went live.

    Both files of rules are applied to the same history, in one pass.
    """
    from app.rules_diff import output, terminal
    from app.rules_diff.rules import rules_to_compare

    gc.freeze()
    gc.disable()  # rows and events hold no cycles; collecting would only look at millions of them again and again
    try:
        settings = load()
        rules = or_exit(old, rules_to_compare), or_exit(new, rules_to_compare)
        if out is not None:
            output.clear(out)
        last_days = None if last is None else -(-last // DAY_MS)
        found = _compared(rules, files, until, last_days, file_format, settings)
        if out is not None:
            output.write(found, out)
    except (HistoryError, SettingsError) as error:
        fail(str(error))
    except OSError as error:
        where = error.filename or out or "temporary file"
        fail(f"{where}: {error.strerror or error}; --out takes a folder that can be written")
    if as_json:
        sys.stdout.buffer.write(output.encode(found.diff))
        return
    terminal.show(found.diff)
    if out is not None:
        typer.echo(out / output.PAGE)


def _compared(
    rules: "tuple[Rules, Rules]",
    files: list[Path],
    until: Millis | None,
    last_days: int | None,
    file_format: FileFormat,
    settings: Settings,
) -> "Comparison":
    from app.history.history import History
    from app.rules_diff.compare import LAST_DAYS, compare
    from app.summary import Bars

    with Bars(STDERR) as bars:
        history = History(
            files,
            dead_letters=lambda _: None,  # a backtest tells them
            file_format=file_format,
            until=until,
            max_ahead_ms=settings.max_ahead,
            progress=bars.show,
        )
        return compare(rules, history, file_format.value, settings.limits, last_days or LAST_DAYS)
