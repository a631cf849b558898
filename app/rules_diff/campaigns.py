"""Which campaigns may decide otherwise under another file."""

from collections.abc import Hashable

import msgspec
from msgspec.structs import replace

from agents.recall.campaigns import Campaigns
from app.rules_diff.rules import Rules
from schemas.changes import TagName


def changed(old: Rules, new: Rules) -> frozenset[str]:
    """The campaigns of which the two files do not say the same."""
    return frozenset(name for name in names_of(old, new) if _meaning(old, name) != _meaning(new, name))


def compared(old: Rules, new: Rules, tags: frozenset[TagName]) -> frozenset[str]:
    """The campaigns to compare where these tags may differ: all or none, as caps and slots tie them together."""
    differs = (
        changed(old, new)
        or (tags_of(old.book.campaigns) | tags_of(new.book.campaigns)) & tags
        or _over_all(old.book.campaigns) != _over_all(new.book.campaigns)
    )
    return names_of(old, new) if differs else frozenset()


def names_of(old: Rules, new: Rules) -> frozenset[str]:
    """The campaigns of both files that are not switched off."""
    return frozenset({*old.book.campaigns.by_name, *new.book.campaigns.by_name})


def tags_of(campaigns: Campaigns) -> frozenset[TagName]:
    """The tags that campaigns wait for, or ask for."""
    return frozenset(campaigns.on).union(*(campaign.tags_read for campaign in campaigns.all))


def _meaning(rules: Rules, name: str) -> Hashable:
    """What decides: no words, no version; hours and the going-live also where they are those of [recall]."""
    campaign = rules.book.campaigns.by_name.get(name)
    if campaign is None:
        return None
    table = replace(rules.campaigns[name], doc="", version=1)
    return msgspec.json.encode(table), campaign.quiet, campaign.mute_before


def _over_all(campaigns: Campaigns) -> Hashable:
    return campaigns.cap, campaigns.control, campaigns.timezone
