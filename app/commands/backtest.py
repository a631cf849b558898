"""`rekindle backtest`."""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import STDERR, Files, Format, fail, instant
from app.commands.rules_option import RulesOption, rules_in_force
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.settings import SettingsError, load
from schemas.times import Millis


def backtest(
    files: Files,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results; it is made if need be.")],
    until: Annotated[
        Millis | None,
        typer.Option(
            parser=instant,
            metavar="TIME",
            help="Say everything due by then, and leave later events out: 2011-12-10T00:00:00Z, or ms."
            " Default: the last event.",
        ),
    ] = None,
    file_format: Format = FileFormat.WIRE,
    rules: RulesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json instead of a summary.")] = False,
) -> None:
    """Turn a history into the changes of all tags, right to the millisecond.

    Writes `tag-changes.jsonl`, `dead-letters.jsonl`, `report.json` and `report.html` into the folder.
    """
    from app import summary
    from app.backtest import Backtest

    gc.freeze()
    gc.disable()  # rows and events hold no cycles; collecting would only look at millions of them again and again
    try:
        settings = load()
        rulebook = rules_in_force(rules, settings)
        with summary.Bars(STDERR) as bars:
            found = Backtest(settings.limits, out, rulebook).run(files, file_format, until, bars.show)
    except (HistoryError, SettingsError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror or error}; --out takes a folder that can be written")
    if as_json:
        sys.stdout.buffer.write((out / "report.json").read_bytes())
    else:
        summary.show(found, out, bars.elapsed_s)
