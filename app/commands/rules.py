"""`rekindle rules`: the group of commands for the rules of tags."""

import typer

from app.commands.rules_check import check
from app.commands.rules_diff import diff
from app.commands.rules_functions import functions
from app.commands.rules_suggest import suggest

rules = typer.Typer(
    help="Look at the rules of tags before they go live.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
rules.command()(check)
rules.command()(functions)
rules.command()(diff)
rules.command()(suggest)
