"""The command line: `rekindle`. A user's mistake is one line that says what to do; a bug is a stack trace."""

import gc
import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console

from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.settings import SettingsError, load
from schemas.times import Millis, parse_instant

app = typer.Typer(
    help="Who is active, silent or lost: lifecycles of users from their behaviour events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_STDERR: Final = Console(stderr=True)


def main() -> None:
    """Run the command line."""
    app()


def _fail(message: str) -> NoReturn:
    _STDERR.print(f"rekindle: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"rekindle {version('rekindle')}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Who is active, silent or lost: lifecycles of users from their behaviour events.

    Settings come from the environment (REKINDLE_...) or rekindle.toml in the working folder; the README lists them.
    """


def _instant(text: str) -> Millis:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def backtest(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="The history: .jsonl, .jsonl.gz, .parquet or .csv, in any order.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results; it is made if need be.")],
    until: Annotated[
        Millis | None,
        typer.Option(
            parser=_instant,
            metavar="TIME",
            help="Say everything due by then, and leave later events out: 2011-12-10T00:00:00Z, or ms."
            " Default: the last event.",
        ),
    ] = None,
    file_format: Annotated[
        FileFormat,
        typer.Option("--format", help="`wire`: the fields of docs/contracts; `online-retail`: the UCI file."),
    ] = FileFormat.WIRE,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json instead of a summary.")] = False,
) -> None:
    """Turn a history into lifecycle changes, right to the millisecond.

    Writes `tag-changes.jsonl`, `dead-letters.jsonl`, `report.json` and `report.html` into the folder.
    """
    from app import summary
    from app.backtest import Backtest

    gc.freeze()
    gc.disable()  # rows and events hold no cycles; collecting would only look at millions of them again and again
    try:
        limits = load().limits
        with summary.Bars(_STDERR) as bars:
            found = Backtest(limits, out).run(files, file_format, until, bars.show)
    except (HistoryError, SettingsError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or out}: {error.strerror or error}; --out takes a folder that can be written")
    if as_json:
        sys.stdout.buffer.write((out / "report.json").read_bytes())
    else:
        summary.show(found, out, bars.elapsed_s)
