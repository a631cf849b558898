"""The ledger as it is shown: a line a campaign, variant and channel, in the money of people, with rates and lift."""

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Final, NamedTuple

from msgspec import Struct

from schemas.money import CENTS
from tables.ledger import COUNTS, Entry, Key

Z95: Final = 1.959963984540054
"""The normal quantile of a 95 % interval."""


class LedgerLine(Struct, kw_only=True, frozen=True):
    """One campaign, variant and channel. What each number means is told in docs/recall.md; money is in minor units."""

    campaign: str
    variant: str
    channel: str
    counts: Mapping[str, int]
    reasons: Mapping[str, int]


class Lift(NamedTuple):
    """How much more of those triggered came back than of those held out, with the limits of a 95 % interval."""

    value: float
    low: float
    high: float


def lines(totals: Mapping[Key, Entry]) -> list[LedgerLine]:
    """The lines of a ledger, in the order of campaign, variant and channel."""
    return [
        LedgerLine(
            campaign=campaign,
            variant=variant,
            channel=channel,
            counts={name: count for name in COUNTS if (count := getattr(entry, name))},
            reasons=dict(sorted(entry.reasons.items())),
        )
        for (campaign, variant, channel), entry in sorted(totals.items())
    ]


def entry_of(line: LedgerLine) -> Entry:
    """What a line counts."""
    return Entry(**line.counts, reasons=dict(line.reasons))


def added(ledgers: Iterable[Iterable[LedgerLine]]) -> list[LedgerLine]:
    """The ledgers of several partitions, added up."""
    totals: dict[Key, Entry] = {}
    for ledger in ledgers:
        for line in ledger:
            totals.setdefault((line.campaign, line.variant, line.channel), Entry()).add(entry_of(line))
    return lines(totals)


def rate(part: int, whole: int) -> float | None:
    """A share; None of nothing."""
    return part / whole if whole else None


def money(minor: float) -> str:
    """Minor units as people write them.

    >>> money(123456)
    '1,234.56'
    """
    return f"{minor / CENTS:,.2f}"


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The limits of Wilson's 95 % interval of a share (Wilson 1927).

    >>> tuple(round(limit, 4) for limit in wilson(10, 100))
    (0.0552, 0.1744)
    """
    share, square = part / whole, Z95 * Z95
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = Z95 / (1 + square / whole) * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def lift(entry: Entry) -> Lift | None:
    """By how much more of those triggered were recalled than of those held out; None where nobody is to compare with.

    Of each user the first time in the campaign alone: what comes later depends on what was sent (who unsubscribes gets
    nothing more), and users are independent of each other, as a user's decisions are not. The interval is Newcombe's
    hybrid score interval (1998, method 10), of Wilson's for each share.
    """
    if not entry.first or not entry.held_first:
        return None
    treated, held = entry.first_recalled / entry.first, entry.held_first_recalled / entry.held_first
    low, high = wilson(entry.first_recalled, entry.first)
    held_low, held_high = wilson(entry.held_first_recalled, entry.held_first)
    value = treated - held
    return Lift(
        value,
        value - sqrt((treated - low) ** 2 + (held_high - held) ** 2),
        value + sqrt((high - treated) ** 2 + (held - held_low) ** 2),
    )
