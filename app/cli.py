"""The command line: `rekindle`. A user's mistake is one line that says what to do; a bug is a stack trace."""

from typing import Annotated

import typer

from app.commands.backtest import backtest
from app.commands.campaign import campaign
from app.commands.demo import demo
from app.commands.dlq import dlq
from app.commands.doctor import doctor
from app.commands.explain import explain
from app.commands.ledger import ledger
from app.commands.replay import replay
from app.commands.rules import rules
from app.commands.serve import serve
from app.commands.simulate_messaging import simulate_messaging
from app.commands.trainer import trainer
from app.commands.worker import settings_help, worker

app = typer.Typer(
    help="Who is active, silent or lost: lifecycles of users from their behaviour events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(demo)
app.command()(backtest)
app.command(epilog=settings_help())(worker)
app.command()(trainer)
app.command()(replay)
app.command()(doctor)
app.command()(explain)
app.command()(ledger)
app.command()(simulate_messaging)
app.add_typer(rules, name="rules")
app.add_typer(dlq, name="dlq")
app.add_typer(campaign, name="campaign")
app.add_typer(serve, name="serve")


def main() -> None:
    """Run the command line."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"rekindle {version('rekindle')}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Who is active, silent or lost: lifecycles of users from their behaviour events.

    Settings come from the environment (REKINDLE_...) or rekindle.toml in the working folder; the README lists them.
    """


if __name__ == "__main__":
    main()
