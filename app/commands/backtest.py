"""`rekindle backtest`."""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from agents.churn.grid import Grid
from app.commands.console import STDERR, Files, Format, fail, instant, span
from app.commands.rules_option import RulesOption, rules_in_force
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.settings import SettingsError, load
from schemas.times import DAY_MS, Millis


def backtest(  # noqa: PLR0913  an option each
    files: Files,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results; it is made if need be.")],
    *,
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
    predict_every: Annotated[
        Millis | None,
        typer.Option(
            parser=span,
            metavar="SPAN",
            help="Predict who will be inactive, at every such multiple since 1970, and learn from what came true: 15d.",
        ),
    ] = None,
    horizon: Annotated[
        Millis | None, typer.Option(parser=span, metavar="SPAN", help="How far ahead is predicted. Default: 30d.")
    ] = None,
    policy: Annotated[
        bool,
        typer.Option(
            "--policy",
            help='Judge off-line how campaigns with choose = "learned" could choose their channels: by chance, in'
            " order, as learned, or one always. Writes lessons.jsonl. With --predict-every they choose as learned.",
        ),
    ] = False,
    policy_log: Annotated[
        Path | None,
        typer.Option(
            "--policy-log",
            metavar="FILE",
            help="Judge by what live triggers have brought, instead: records of the topic churn-examples, a line each.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json instead of a summary.")] = False,
) -> None:
    """Turn a history into the changes of all tags, right to the millisecond.

    Writes `tag-changes.jsonl`, `recall-triggers.jsonl`, `recall-decisions.jsonl`, `dead-letters.jsonl`, `report.json`
    and `report.html` into the folder; with `--predict-every` also `predictions.parquet` (the champion's),
    `candidates.parquet` (those of all models) and `models.msgpack` (for `explain --models`); with `--policy` also
    `lessons.jsonl`.
    """
    from app import summary
    from app.backtest import Backtest
    from app.policy_log import read_lessons
    from app.policy_report import Judge

    gc.freeze()
    gc.disable()  # rows and events hold no cycles; collecting would only look at millions of them again and again
    try:
        settings = load()
        rulebook = rules_in_force(rules, settings)
        grid = None if predict_every is None else Grid(predict_every, horizon or 30 * DAY_MS, lateness_ms=0)
        judge = Judge(None if policy_log is None else read_lessons(policy_log)) if policy or policy_log else None
        with summary.Bars(STDERR) as bars:
            found = Backtest(settings.limits, out, rulebook, grid, judge).run(files, file_format, until, bars.show)
    except (HistoryError, SettingsError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror or error}; --out takes a folder that can be written")
    if as_json:
        sys.stdout.buffer.write((out / "report.json").read_bytes())
    else:
        summary.show(found, out, bars.elapsed_s)
