"""`rekindle campaign pause`."""

import typer

from app.clock import now
from app.commands.campaign_options import AsJson, Name, check_name, in_force, tell, told
from app.commands.console import mistakes, print_json


def pause(name: Name, as_json: AsJson = False) -> None:
    """Let a campaign send nothing until it is resumed: all it decides is `paused`, and its runs stand still.

    What was triggered before stays. All workers hear of it within a second or two, also those that start later.
    """
    from schemas.control import Pause

    with mistakes():
        settings, campaigns = in_force()
        standing = told(settings)
        check_name(name, campaigns.by_name)
        is_new = name not in standing.paused
        if is_new:
            tell(settings, Pause(name, now()))
    if as_json:
        print_json({"campaign": name, "paused": is_new})
    else:
        typer.echo(f"{name} is paused" if is_new else f"{name} is paused already: nothing was done")
