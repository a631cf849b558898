"""`rekindle campaign list`."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.campaign_options import in_force, told
from app.commands.console import complain, mistakes, print_json

if TYPE_CHECKING:
    from app.campaigns.listed import Listed


def list_campaigns(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON, with all their runs.")] = False,
) -> None:
    """Show the campaigns of the rules in force: what starts each, its channels, its mode, and its newest run."""
    with mistakes():
        campaigns = _listed()
    if as_json:
        print_json({"campaigns": campaigns})
    else:
        _show(campaigns)


def _listed() -> "list[Listed]":
    from app.campaigns.listed import listed, progress

    settings, campaigns = in_force()
    standing = told(settings)
    known = progress(settings) if standing.runs else {}
    if known is None:
        complain("Redis does not answer, so it is not known how far runs are; set REKINDLE_REDIS, or ask a worker")
    return listed(campaigns.all, standing, known or {}, settings.partitions)


def _show(campaigns: "list[Listed]") -> None:
    from rich.console import Console

    from app.campaigns.table import table

    Console(highlight=False).print(table(campaigns))
