"""`rekindle rules check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import fail, mistakes, print_json
from app.commands.rules_option import rules_path
from app.commands.rules_problems import name_of, print_problems
from app.settings import load

if TYPE_CHECKING:
    from agents.rules.rulebook import Rulebook
    from app.rules_file import Problem


def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Default: the file that REKINDLE_RULES names, else the built-in rules.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Look whether a file of rules can be used, and show every mistake with its place.

    Exit code 2 if there is one.
    """
    from app.rules_file import RulesFileError, load_rules

    path = file or _set()
    try:
        book = load_rules(path)
    except RulesFileError as error:
        _print_json(path, error.problems) if as_json else print_problems(path, error)
        raise typer.Exit(2) from None
    except OSError as error:
        fail(f"{path}: {error.strerror or error}; name a file of rules that can be read")
    _print_json(path, [], book) if as_json else typer.echo(
        f"{name_of(path)}: {len(book.rules)} rules, {len(book.campaigns.all)} campaigns, version {book.version}"
    )


def _set() -> Path | None:
    with mistakes():
        return rules_path(load())


def _print_json(path: Path | None, problems: "list[Problem]", book: "Rulebook | None" = None) -> None:
    found: dict[str, Any] = {"file": path and str(path), "valid": not problems, "problems": problems}
    if book is not None:
        found |= {"rules": sorted(book.names), "version": book.version, "fingerprint": book.fingerprint}
        campaigns = book.campaigns
        found |= {"campaigns": sorted(campaigns.by_name), "campaigns_fingerprint": campaigns.fingerprint}
    print_json(found)
