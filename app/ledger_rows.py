"""The ledger by campaign, or by a part of one: what was decided, what came of it, what it cost, and whether it helped.

What each number means is told in docs/recall.md.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from app.ledger import LedgerLine, Lift, entry_of, lift, rate
from app.wording import day
from schemas.money import Minor
from schemas.times import DAY_MS
from tables.ledger import COUNTS, Day, Entry

By: TypeAlias = Literal["variant", "channel"]

_NOT_SUPPRESSED: Final = frozenset({"control", "corrected", "erased"})
"""Reasons of users who were held out, and of what was cancelled."""


class LedgerRow(Struct, kw_only=True, frozen=True):
    """One campaign, or its part: a day, a variant or a channel. Money is in minor units; None: nothing to divide by.

    `reasons`: of those suppressed, the most frequent first; one may have several.
    """

    campaign: str
    part: str = ""
    eligible: int
    held_out: int
    shadow: int
    triggered: int
    cancelled: int
    suppressed: int
    reasons: Mapping[str, int]
    sent: int
    delivered: int
    opened: int
    clicked: int
    failed: int
    unsubscribed: int
    recalled: int
    recall_rate: float | None
    held_recalled: int
    held_recall_rate: float | None
    first: int
    first_recalled: int
    held_first: int
    held_first_recalled: int
    lift: Lift | None
    lost_again: int
    cost: Minor
    cost_per_user: float | None
    cost_per_recalled: float | None
    revenue: Minor
    held_revenue: Minor

    @classmethod
    def of(cls, entry: Entry, campaign: str, part: str = "") -> "LedgerRow":
        """What an entry counts, with what follows from it."""
        counts = {name: getattr(entry, name) for name in _SAME}
        return cls(
            campaign=campaign,
            part=part,
            reasons=reasons_of(entry),
            recall_rate=rate(entry.recalled, entry.triggered),
            held_recall_rate=rate(entry.held_recalled, entry.held_out),
            lift=lift(entry),
            cost_per_user=rate(entry.cost, entry.triggered),
            cost_per_recalled=rate(entry.cost, entry.recalled),
            **counts,
        )


_SAME: Final = tuple(name for name in COUNTS if name in LedgerRow.__struct_fields__)


def reasons_of(entry: Entry) -> dict[str, int]:
    """Why users were suppressed, the most frequent first: what was deferred, held out or cancelled is taken off.

    >>> reasons_of(Entry(deferred=2, reasons={"quiet_hours": 3, "expired": 1, "control": 9}))
    {'expired': 1, 'quiet_hours': 1}
    """
    counts = {reason: count for reason, count in entry.reasons.items() if reason not in _NOT_SUPPRESSED}
    counts["quiet_hours"] = counts.get("quiet_hours", 0) - entry.deferred
    told = [(reason, count) for reason, count in counts.items() if count]
    return dict(sorted(told, key=lambda each: (-each[1], each[0])))


def rows(lines: Iterable[LedgerLine], by: By | None = None) -> list[LedgerRow]:
    """A row a campaign, or a row each of its variants or channels, in the order of their names."""
    found: dict[tuple[str, str], Entry] = {}
    for line in lines:
        part = "" if by is None else getattr(line, by)
        found.setdefault((line.campaign, part), Entry()).add(entry_of(line))
    return [LedgerRow.of(entry, *key) for key, entry in sorted(found.items())]


def rows_by_day(days: Iterable[Mapping[int, Day]]) -> list[LedgerRow]:
    """A row each UTC day of a campaign, of the ledgers of several partitions."""
    found: dict[tuple[str, int], Entry] = {}
    for ledger in days:
        for number, kept in ledger.items():
            for (campaign, _, _), entry in kept.lines.items():
                found.setdefault((campaign, number), Entry()).add(entry)
    return [LedgerRow.of(entry, campaign, day(number * DAY_MS)) for (campaign, number), entry in sorted(found.items())]
