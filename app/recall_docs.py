"""The table of built-in campaigns in docs/recall.md.

`python -m app.recall_docs docs/recall.md` writes it anew; a test compares it with what the file says now.
"""

import sys
from pathlib import Path

import msgspec
from msgspec import UNSET

from app.rules_drafts import builtin_rules
from app.tables_in_docs import table_of, with_tables
from schemas.campaigns import CampaignTable


def tables() -> dict[str, str]:
    """The table, by the name of its markers."""
    rows = (
        (f"`{each.name}`", _on(each), _audience(each), _channels(each), each.doc) for each in builtin_rules().campaign
    )
    return {"built-in campaigns": table_of(("campaign", "on", "audience", "channels", "meaning"), rows)}


def _on(campaign: CampaignTable) -> str:
    on = campaign.on
    if on is UNSET:
        return "only when told to"
    to = "any value" if on.to is UNSET else msgspec.json.encode(on.to).decode()
    wait = "" if on.after == "0d" else f", after {on.after}"
    return f"`{on.tag}` to `{to}`{wait}"


def _audience(campaign: CampaignTable) -> str:
    return "everyone" if campaign.audience is UNSET else f"`{campaign.audience}`"


def _channels(campaign: CampaignTable) -> str:
    return ", ".join(channel.channel for channel in campaign.channels or [])


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(with_tables(document.read_text(encoding="utf-8"), tables()), encoding="utf-8")
