"""From checked tables to campaigns, and all that is wrong with them."""

from hashlib import sha256

import msgspec
from msgspec import UNSET

from agents.recall.campaigns import Campaigns
from agents.recall.drafts import CampaignDraft, CampaignDrafts, KnownTags
from agents.recall.maker import CampaignMaker
from agents.recall.reader import Reader
from agents.rules.mistake import KeyPath, Mistake
from schemas.campaigns import CampaignTable

LANGUAGE = 1
"""To be raised when the same campaigns mean something else than before."""
_RECALL: KeyPath = ("recall",)


def build_campaigns(drafts: CampaignDrafts, tags: KnownTags) -> tuple[Campaigns, list[Mistake]]:
    """The campaigns that are not switched off, and all that is wrong with them.

    One of the file stands instead of a built-in one of the same name.
    """
    reader, recall, merged = Reader(), drafts.recall, _merged(drafts)
    copies = [draft for draft in drafts.own if merged[draft.table.name] is not draft]
    for table, path in copies:
        reader.wrong((*path, "name"), f"there is a campaign {table.name!r} already in this file")
    quiet = reader.quiet(recall.quiet_hours, (*_RECALL, "quiet_hours"))
    mute_before = 0 if recall.mute_before is UNSET else reader.instant(recall.mute_before, (*_RECALL, "mute_before"))
    makers = [CampaignMaker(draft, tags) for draft in [*merged.values(), *copies] if draft.table.enabled]
    made = [maker.make(quiet, mute_before) for maker in makers]
    campaigns = Campaigns(
        tuple(sorted(made, key=lambda campaign: (-campaign.priority, campaign.name))),
        reader.cap(recall.cap, (*_RECALL, "cap")),
        recall.control,
        reader.timezone(recall.timezone, (*_RECALL, "timezone")),
        tuple(recall.profile),
        _fingerprint(drafts),
    )
    return campaigns, [*reader.mistakes, *(mistake for maker in makers for mistake in maker.reader.mistakes)]


def _merged(drafts: CampaignDrafts) -> dict[str, CampaignDraft]:
    """By name: the first one of the file, else the built-in one."""
    return {
        **{table.name: CampaignDraft(table) for table in drafts.builtin},
        **{draft.table.name: draft for draft in reversed(drafts.own)},
    }


def _fingerprint(drafts: CampaignDrafts) -> str:
    """A hash of what the campaigns mean: of everything but their documentation and their order."""
    tables: list[CampaignTable] = [
        msgspec.structs.replace(draft.table, doc="") for draft in _merged(drafts).values() if draft.table.enabled
    ]
    meaning = (LANGUAGE, sorted(tables, key=lambda table: table.name), drafts.recall)
    return sha256(msgspec.json.encode(meaning, order="deterministic")).hexdigest()
