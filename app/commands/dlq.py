"""`rekindle dlq`: the group of commands for dead letters."""

import typer

from app.commands.dlq_list import list_letters
from app.commands.dlq_redrive import redrive

dlq = typer.Typer(
    help="Look at dead letters, and send again, once, what can be used by now.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
dlq.command("list")(list_letters)
dlq.command()(redrive)
