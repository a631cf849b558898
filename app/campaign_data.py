"""What campaigns would have done in a history, as it stands in report.json."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from app.ledger_rows import LedgerRow
from app.report_types import Count
from app.tag_moves import dates
from tables.ledger import Day, Entry


class CampaignResult(Struct, kw_only=True, frozen=True):
    """One campaign. What each number means is told in docs/recall.md; money is in minor units."""

    doc: str
    totals: Annotated[LedgerRow, Meta(description="what messages tell is 0, but where the history has reports of them")]
    triggers_by_day: Annotated[list[Count], Meta(description="on each of the days")]


class CampaignResults(Struct, kw_only=True, frozen=True):
    """All campaigns that decided anything, by name."""

    days: Annotated[list[date], Meta(description="UTC, without a gap, from the first decision to the last")]
    campaigns: dict[str, CampaignResult]

    @classmethod
    def of(cls, ledger: Mapping[int, Day], docs: Mapping[str, str]) -> "CampaignResults":
        """What a ledger counts. `docs`: what each campaign is for."""
        days = range(min(ledger), max(ledger) + 1) if ledger else range(0)
        totals: dict[str, Entry] = {}
        triggers: dict[str, dict[int, int]] = {}
        for number, day in ledger.items():
            for (campaign, _, _), entry in day.lines.items():
                totals.setdefault(campaign, Entry()).add(entry)
                counts = triggers.setdefault(campaign, {})
                counts[number] = counts.get(number, 0) + entry.triggered
        campaigns = {
            name: CampaignResult(
                doc=docs.get(name, ""),
                totals=LedgerRow.of(entry, name),
                triggers_by_day=[triggers[name].get(day, 0) for day in days],
            )
            for name, entry in sorted(totals.items())
        }
        return cls(days=dates(days), campaigns=campaigns)
