"""`rekindle campaign resume`."""

import typer

from app.clock import now
from app.commands.campaign_options import AsJson, Name, check_name, in_force, tell, told
from app.commands.console import mistakes, print_json


def resume(name: Name, as_json: AsJson = False) -> None:
    """Let a campaign that was paused by hand decide again; its runs go on where they stand.

    What was due meanwhile is not sent: it was decided.
    """
    from schemas.control import Resume

    with mistakes():
        settings, campaigns = in_force()
        standing = told(settings)
        check_name(name, campaigns.by_name.keys() | standing.paused.keys())
        is_new = name in standing.paused
        if is_new:
            tell(settings, Resume(name, now()))
    if as_json:
        print_json({"campaign": name, "resumed": is_new})
    else:
        typer.echo(f"{name} is resumed" if is_new else f"{name} is not paused by hand: nothing was done")
