"""`rekindle serve`: the group of commands around what Redis holds for readers."""

import typer

from app.commands.serve_rebuild import rebuild

serve = typer.Typer(
    help="What Redis holds for readers: have it written anew.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@serve.callback()
def root() -> None:
    """What Redis holds for readers."""


serve.command()(rebuild)
