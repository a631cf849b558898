"""`rekindle doctor`."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.commands.console import print_json

if TYPE_CHECKING:
    from app.doctor.check import Check

_STYLES: Final = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False) -> None:
    """Look whether everything is there that Rekindle needs, and say what to do where it is not.

    Exit code 1 if a check failed; warnings do not count.
    """
    from app.doctor.diagnose import diagnose, healthy

    checks = diagnose()
    if as_json:
        print_json({"healthy": healthy(checks), "checks": checks})
    else:
        _show(checks)
    raise typer.Exit(0 if healthy(checks) else 1)


def _show(checks: list["Check"]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("check", "state", "what was found, and what to do")
    for check in checks:
        state = Text(check.level.value, style=_STYLES[check.level.value])
        table.add_row(check.name, state, Text("\n-> ".join(filter(None, [check.finding, check.advice]))))
    Console(highlight=False).print(table)
