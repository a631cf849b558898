"""`rekindle campaign`: the group of commands for campaigns by hand."""

import typer

from app.commands.campaign_list import list_campaigns
from app.commands.campaign_pause import pause
from app.commands.campaign_resume import resume
from app.commands.campaign_run import run

campaign = typer.Typer(
    help="Campaigns by hand: run one for its audience, pause and resume; see which there are.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
campaign.command("list")(list_campaigns)
campaign.command()(run)
campaign.command()(pause)
campaign.command()(resume)
