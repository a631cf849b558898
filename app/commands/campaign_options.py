"""What the commands for campaigns share: which campaigns there are, what a command says."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from agents.rules.mistake import nearest
from app.commands.console import fail
from app.commands.rules_option import rules_in_force
from app.settings import RULES_NONE, Settings, load

if TYPE_CHECKING:
    from agents.recall.campaigns import Campaigns
    from app.campaigns.control import Standing
    from schemas.control import Command

Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="Of the campaign.", show_default=False)]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")]


def in_force() -> "tuple[Settings, Campaigns]":
    """The settings, and the campaigns of the rules that they name; ends the command where there are none.

    Raises SettingsError.
    """
    settings = load()
    if settings.rules == RULES_NONE:
        fail("REKINDLE_RULES is none, so there are no campaigns; set it to builtin, or to a file of rules")
    return settings, rules_in_force(None, settings).campaigns


def check_name(name: str, known: Collection[str]) -> None:
    """End the command where there is no such campaign."""
    if name not in known:
        near = nearest(name, known)
        meant = f"did you mean {near}?" if near else "`rekindle campaign list` shows those that there are"
        fail(f"there is no campaign {name!r} in the rules in force; {meant}")


def told(settings: Settings) -> "Standing":
    """What was told so far. Raises BrokerError."""
    from app.campaigns.control import standing

    return standing(settings)


def tell(settings: Settings, command: "Command") -> None:
    """Tell all workers. Raises BrokerError."""
    from app.campaigns.control import tell

    tell(settings, command)
