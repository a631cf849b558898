"""`rekindle campaign run`."""

import re
from typing import TYPE_CHECKING, Annotated, Final
from uuid import uuid4

import typer

from app.clock import now
from app.commands.campaign_options import AsJson, Name, check_name, in_force, tell, told
from app.commands.console import fail, mistakes, print_json

if TYPE_CHECKING:
    from agents.recall.campaign import Campaign
    from app.campaigns.control import Standing
    from schemas.control import Run

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no id: 1 to 64 letters, digits, dots, dashes and underscores")
    return text


def run(
    name: Name,
    *,
    pace: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1_000_000,  # schemas.control.MAX_PACE
            metavar="N",
            help="Users a second, over all partitions. Default: 50 of each partition in an epoch.",
        ),
    ] = None,
    run_id: Annotated[
        str | None,
        typer.Option(
            "--id",
            parser=_id,
            metavar="ID",
            help="A name for this run, such as the date: of one name there is one run, however often it is told.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a campaign decide about every user, once, without waiting for a change.

    Audience, consent, caps, budget, quiet hours and hold-out hold as always; a campaign with `on` goes on besides.
    `rekindle campaign list` tells how far a run is.
    """
    from schemas.control import Run

    with mistakes():
        settings, campaigns = in_force()
        check_name(name, campaigns.by_name)
        standing = told(settings)
        wanted = Run(run_id or uuid4().hex[:12], name, now(), pace)
        known = standing.runs.get(wanted.id)
        if known is None:
            _check_awake(campaigns.by_name[name], standing)
            if not yes:
                _confirm(name)
            tell(settings, wanted)
    _say(wanted, known, as_json=as_json)


def _check_awake(campaign: "Campaign", standing: "Standing") -> None:
    """A run of who is paused would say so of every user, or wait; neither is what was meant."""
    if campaign.name in standing.paused:
        fail(f"{campaign.name} is paused by hand; `rekindle campaign resume {campaign.name}` first")
    if campaign.mode == "paused":
        fail(f"{campaign.name} is paused in the file of rules; take `mode` out there, and restart the workers, first")


def _confirm(name: str) -> None:
    try:
        confirmed = typer.confirm(f"Decide about every user for {name}, and send to its audience?", err=True)
    except typer.Abort:
        typer.echo(err=True)
        fail("nothing was run, because nobody answered; --yes runs without being asked")
    if not confirmed:
        typer.echo("nothing was run", err=True)
        raise typer.Exit(0)


def _say(wanted: "Run", known: "Run | None", *, as_json: bool) -> None:
    if known is not None and known.campaign != wanted.campaign:
        fail(f"run {known.id} is one of {known.campaign}; take another --id")
    if as_json:
        print_json({"run": known or wanted, "begun": known is None})
    elif known is not None:
        typer.echo(f"run {known.id} of {known.campaign} was begun before: nothing was done")
    else:
        typer.echo(f"run {wanted.id} of {wanted.campaign} has begun; `rekindle campaign list` tells how far it is")
