"""All campaigns of a rules file, and what holds over all of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from agents.recall.campaign import Campaign, Cap
from schemas.changes import TagName


@dataclass(frozen=True)
class Campaigns:
    """Campaigns, the greatest priority first, then by name; `fingerprint` is a hash of all that they mean.

    `cap`: over all campaigns. `control`: the share of users who never get a trigger. `timezone`: of those who state
    none. `profile`: the attributes and tags that go along with a trigger.
    """

    all: tuple[Campaign, ...]
    cap: Cap | None = None
    control: float = 0.0
    timezone: str = "UTC"
    profile: tuple[str, ...] = ()
    fingerprint: str = ""

    @cached_property
    def by_name(self) -> dict[str, Campaign]:
        """Each by its name."""
        return {campaign.name: campaign for campaign in self.all}

    @cached_property
    def on(self) -> dict[TagName, tuple[Campaign, ...]]:
        """Those that a tag's changes start, in the order of `all`."""
        found: dict[TagName, tuple[Campaign, ...]] = {}
        for campaign in self.all:
            if campaign.on is not None:
                found[campaign.on.tag] = (*found.get(campaign.on.tag, ()), campaign)
        return found


NO_CAMPAIGNS: Final = Campaigns(())
"""Nobody is spoken to."""
