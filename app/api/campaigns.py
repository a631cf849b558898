"""GET /api/campaigns: the campaigns of the rules in force, as `rekindle campaign list --json` tells them."""

from msgspec import Struct

from app.api.route import Asked
from app.campaigns.control import standing_of
from app.campaigns.listed import Listed, listed


class Campaigns(Struct, kw_only=True, frozen=True):
    """All of them by name. `store`: whether Redis answers; without it nobody knows how far runs are."""

    campaigns: list[Listed]
    store: bool


async def get_campaigns(asked: Asked) -> Campaigns:
    """What starts each campaign, its channels, its mode, and its runs."""
    sources = asked.sources
    summary = await sources.summary()
    known = {run.id: run for run in summary.runs} if summary.store else {}
    campaigns = sources.rulebook.campaigns.all
    found = listed(campaigns, standing_of(sources.told()), known, sources.settings.partitions)
    return Campaigns(campaigns=found, store=summary.store)
