"""How commands are told which rules are meant, and what they say where those cannot be used."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

from app.commands.console import fail
from app.commands.rules_problems import print_problems
from app.settings import RULES_NONE, Settings

if TYPE_CHECKING:
    from agents.rules.rulebook import Rulebook

Found = TypeVar("Found")
Where = TypeVar("Where", Path, Path | None)

RulesOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--rules", metavar="FILE", help="Rules for tags. Default: the setting REKINDLE_RULES."),
]


def rules_in_force(file: Path | None, settings: Settings) -> "Rulebook":
    """The rules of a file, else of the setting; ends the command if they cannot be used."""
    from agents.rules.rulebook import NO_RULES
    from app.rules_file import load_rules

    if file is None and settings.rules == RULES_NONE:
        return NO_RULES
    return or_exit(file or rules_path(settings), load_rules)


def rules_path(settings: Settings) -> Path | None:
    """The file of rules that is set; None: there is none beside the built-in rules."""
    return settings.rules_path


def or_exit(path: Where, read: Callable[[Where], Found]) -> Found:
    """What is read of a file of rules. Mistakes in it are shown as `rules check` does, and end the command."""
    from app.rules_file import RulesFileError

    try:
        return read(path)
    except RulesFileError as error:
        with redirect_stdout(sys.stderr):
            print_problems(path, error)
        raise typer.Exit(2) from None
    except OSError as error:
        fail(f"{path}: {error.strerror or error}; name a file of rules that can be read")
