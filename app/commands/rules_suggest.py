"""`rekindle rules suggest`."""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import STDERR, Files, Format, fail, instant
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.settings import SettingsError, load
from schemas.times import Millis


def suggest(
    files: Files,
    until: Annotated[
        Millis | None,
        typer.Option(
            parser=instant, metavar="TIME", help="As of then: 2011-12-10T00:00:00Z, or ms. Default: the last event."
        ),
    ] = None,
    file_format: Format = FileFormat.WIRE,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the rules there.")] = None,
) -> None:
    """Propose thresholds that fit a history, as a file of rules.

    Scores give each fifth of the users its own; tiers and loyalty give the best twentieth, and the best fifth. The
    rules stand in place of the built-in ones of the same name; `rules diff` shows what they would change.
    """
    from app.history.history import History
    from app.rules_suggest.suggest import NothingKnownError, suggested
    from app.summary import Bars

    gc.freeze()
    gc.disable()  # rows and events hold no cycles; collecting would only look at millions of them again and again
    try:
        settings = load()
        with Bars(STDERR) as bars:
            history = History(
                files,
                dead_letters=lambda _: None,  # a backtest tells them
                file_format=file_format,
                until=until,
                max_ahead_ms=settings.max_ahead,
                progress=bars.show,
            )
            text = suggested(history, settings.limits)
        if out is not None:
            out.write_text(text, encoding="utf-8", newline="\n")
    except (HistoryError, SettingsError, NothingKnownError) as error:
        fail(str(error))
    except OSError as error:
        where = error.filename or out or "temporary file"
        fail(f"{where}: {error.strerror or error}; --out takes a file that can be written")
    if out is None:
        sys.stdout.buffer.write(text.encode())
    else:
        typer.echo(out)
