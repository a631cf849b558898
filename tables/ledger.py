"""The ledger of a partition: what campaigns did and brought, by UTC day of the trigger, campaign, variant, channel."""

from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct, field

from schemas.money import Minor
from schemas.times import DAY_MS, Millis
from tables.days import Days, Kind, Records

LEDGER_PREFIX: Final = b"\xffledger/"
NONE: Final = ""
"""Where a decision knows no variant or channel."""

Key: TypeAlias = tuple[str, str, str]
"""Campaign, variant, channel."""


class Entry(Struct, array_like=True, gc=False):
    """Counts and sums of minor units.

    `eligible` users were triggered, held out, or are in a shadow; of `suppressed` ones `reasons` tells why. Money is
    `cost` as reported sent, `revenue` of purchases in the window. `first`: of those triggered, users for whom it
    was the first of the campaign: what can be compared with those held out. What begins with `held_` is of the latter.
    """

    eligible: int = 0
    held_out: int = 0
    shadow: int = 0
    triggered: int = 0
    suppressed: int = 0
    deferred: int = 0
    cancelled: int = 0
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    failed: int = 0
    unsubscribed: int = 0
    recalled: int = 0
    lost_again: int = 0
    cost: Minor = 0
    revenue: Minor = 0
    held_recalled: int = 0
    held_lost_again: int = 0
    held_revenue: Minor = 0
    reasons: dict[str, int] = field(default_factory=dict)
    first: int = 0
    first_recalled: int = 0
    held_first: int = 0
    held_first_recalled: int = 0

    def add(self, other: "Entry") -> None:
        """Add what another one counts."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count


COUNTS: Final = tuple(name for name in Entry.__struct_fields__ if name != "reasons")


class Day(Struct, array_like=True, gc=False):
    """The lines of one day, and what triggers of it will cost, as configured, by campaign."""

    lines: dict[Key, Entry] = field(default_factory=dict)
    booked: dict[str, Minor] = field(default_factory=dict)


_KIND: Final = Kind(LEDGER_PREFIX, "a day of the ledger", Day, msgspec.msgpack.Decoder(Day))


class Ledger:
    """All days of a partition, by number of days since the epoch, and `totals` over them."""

    def __init__(self) -> None:
        self.days = Days(_KIND)
        self.totals: dict[Key, Entry] = {}

    def count(self, at: Millis, key: Key, by: int = 1, *names: str, reasons: Iterable[str] = ()) -> None:
        """Count by so much, in the line of a time's day, what has these names; and once each reason."""
        lines = self.days.to_change(at // DAY_MS).lines
        for known in (lines, self.totals):
            entry = known.get(key)
            if entry is None:
                known[key] = entry = Entry()
            for name in names:
                setattr(entry, name, getattr(entry, name) + by)
            for reason in reasons:
                entry.reasons[reason] = entry.reasons.get(reason, 0) + 1

    def book(self, at: Millis, campaign: str, cost: Minor) -> None:
        """Take what a trigger will cost from the campaign's budget of the day."""
        booked = self.days.to_change(at // DAY_MS).booked
        booked[campaign] = booked.get(campaign, 0) + cost

    def booked(self, at: Millis, campaign: str) -> Minor:
        """What a campaign has booked on the day of a time."""
        day = self.days.get(at // DAY_MS)
        return 0 if day is None else day.booked.get(campaign, 0)

    def collect(self) -> dict[bytes, bytes | None]:
        """The days that have changed since the last epoch, as records of the changelog."""
        return self.days.collect()

    def resume(self, records: Records) -> None:
        """Go on from what was written. Raises DamagedError for what is none of ours."""
        self.days.resume(records)
        self.totals = totals(self.days.values())


def totals(days: Iterable[Day]) -> dict[Key, Entry]:
    """The lines of some days, added up."""
    found: dict[Key, Entry] = {}
    for day in days:
        for key, entry in day.lines.items():
            found.setdefault(key, Entry()).add(entry)
    return found


def key_of(campaign: str, variant: str | None, channel: str | None) -> Key:
    """The key of a line."""
    return campaign, variant or NONE, channel or NONE


def read_days(records: Records) -> dict[int, Day]:
    """The days in records of a changelog. Raises DamagedError for what is none of ours."""
    return _KIND.read(records)
