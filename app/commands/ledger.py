"""`rekindle ledger`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import bar, fail, mistakes, print_json
from app.settings import load

if TYPE_CHECKING:
    from app.ledger_rows import LedgerRow
    from app.settings import Settings


class Part(StrEnum):
    """By what a campaign can be divided."""

    DAY = "day"
    VARIANT = "variant"
    CHANNEL = "channel"


def ledger(
    by: Annotated[Part | None, typer.Option(help="A row for each of these of a campaign.", show_default=False)] = None,
    campaign: Annotated[str | None, typer.Option(metavar="NAME", help="Only this one.", show_default=False)] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same as JSON; money is in minor units.")] = False,
) -> None:
    """Show what campaigns decided and brought, in the live system: as it was last committed, over all days."""
    from tables.codec import UnreadableError

    with mistakes(UnreadableError):
        rows = _rows(load(), by)
    if campaign is not None:
        names = sorted({row.campaign for row in rows})
        rows = [row for row in rows if row.campaign == campaign]
        if not rows:
            fail(f"no campaign {campaign!r} has decided anything: there are {', '.join(names) or 'none'}")
    _print(rows, as_json=as_json)


def _rows(settings: "Settings", by: Part | None) -> "list[LedgerRow]":
    from app.ledger import lines
    from app.ledger_live import read_ledger
    from app.ledger_rows import rows, rows_by_day
    from tables.ledger import totals

    with bar("Reading the ledger") as progress:
        partitions = read_ledger(settings, progress)
    if by is Part.DAY:
        return rows_by_day(partitions)
    found = lines(totals(day for days in partitions for day in days.values()))
    return rows(found, None if by is None else "variant" if by is Part.VARIANT else "channel")


def _print(rows: "list[LedgerRow]", *, as_json: bool) -> None:
    from rich.console import Console

    from app.ledger_table import show

    if as_json:
        print_json(rows)
    elif rows:
        show(Console(highlight=False), rows)
    else:
        typer.echo("no campaign has decided anything yet")
