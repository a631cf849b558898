"""Campaigns for people: a row each, with its newest run."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from app.campaigns.listed import Listed, ListedRun
from schemas.times import Millis, to_datetime


def table(campaigns: Sequence[Listed]) -> Table:
    """All of them."""
    shown = Table("campaign", "on", "channels", "mode", "newest run")
    for each in campaigns:
        newest = in_words(each.runs[-1]) if each.runs else ""
        cells = (each.name, _on(each), ", ".join(each.channels), _mode(each), newest)
        shown.add_row(*map(Text, cells))
    return shown


def in_words(run: ListedRun) -> str:
    """How far a run is."""
    begun = f"{run.id} of {moment(run.at)}"
    if run.users is None or run.left is None:
        return begun
    users = "1 user" if run.users == 1 else f"{run.users:,} users"
    return f"{begun}: over, {users}" if run.over else f"{begun}: {users}, {run.left:,} to go"


def moment(at: Millis) -> str:
    """A time as people read it."""
    return f"{to_datetime(at):%Y-%m-%d %H:%M} UTC"


def _on(campaign: Listed) -> str:
    return (campaign.on or "only when told to") if campaign.in_force else "(not in the file of rules)"


def _mode(campaign: Listed) -> str:
    by_hand = "" if campaign.paused_at is None else f"paused by hand since {moment(campaign.paused_at)}"
    return ", ".join(filter(None, [campaign.mode, by_hand]))
