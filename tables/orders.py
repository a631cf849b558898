"""What is known of one order of a user, whatever arrived first: purchase, cancellation or return."""

from typing import Final, TypeAlias

from msgspec import Struct
from xxhash import xxh3_64_intdigest

from schemas.money import Minor
from schemas.times import DAY_MS, Millis

CAPACITY: Final = 32
_BITS: Final = 63
_DAYS: Final = 2**_BITS - 1

Entry: TypeAlias = tuple[Millis, int, Minor]
"""(day of event time it belongs to as ts, orders, spend): what an order adds to counts and spend."""


class OrderState(Struct, array_like=True, gc=False):
    """The purchase of one order_id (the least placed or paid record), and what became of it.

    `cancelled_at`: the first cancellation (None: there was none, or nobody noted when).
    """

    ts: Millis
    event_id: str = ""
    is_purchased: bool = False
    amount: Minor = 0
    is_cancelled: bool = False
    whole_return_ts: Millis | None = None
    cancelled_at: Millis | None = None

    def cancel(self, ts: Millis) -> None:
        """It was cancelled at a time."""
        if not self.is_cancelled or self.cancelled_at is not None:
            self.cancelled_at = min(ts, self.cancelled_at or ts)
        self.is_cancelled = True

    def entries(self) -> list[Entry]:
        """What this order adds: a purchase on its day, and a return without an amount on the day of the return."""
        if not self.is_purchased or self.is_cancelled:
            return []
        bought = [(self.ts, 1, self.amount)]
        return bought if self.whole_return_ts is None else [*bought, (self.whole_return_ts, 0, -self.amount)]

    def entries_before(self, bound: Millis) -> list[Entry]:
        """What this order had added before a time."""
        if not self.is_purchased or self.ts >= bound or self.is_cancelled_before(bound):
            return []
        bought = [(self.ts, 1, self.amount)]
        is_returned = self.whole_return_ts is not None and self.whole_return_ts < bound
        return [*bought, (self.whole_return_ts or 0, 0, -self.amount)] if is_returned else bought

    def is_cancelled_before(self, bound: Millis) -> bool:
        """Whether it had been cancelled before a time."""
        return self.is_cancelled and (self.cancelled_at is None or self.cancelled_at < bound)


class Forgotten(Struct, array_like=True, gc=False):
    """The purchases, not cancelled, that are no longer remembered one by one: how many, the first, the last.

    `days`: on how many UTC days they were; `recent`: a bit for each of the 63 days up to the last one's, lowest first.
    """

    count: int
    first: Millis
    last: Millis
    days: int
    recent: int

    def add(self, ts: Millis) -> None:
        """Take in one more."""
        newer = ts // DAY_MS - self.last // DAY_MS
        if not self.has_day(ts):
            self.days += 1
        if newer > 0:
            self.recent = (self.recent << newer | 1) & _DAYS if newer < _BITS else 1
        elif -newer < _BITS:
            self.recent |= 1 << -newer
        self.count += 1
        self.first, self.last = min(self.first, ts), max(self.last, ts)

    def has_day(self, ts: Millis) -> bool:
        """Whether one of them is known to have been on the day of a time."""
        older = self.last // DAY_MS - ts // DAY_MS
        return 0 <= older < _BITS and bool(self.recent >> older & 1)


def forget(known: Forgotten | None, ts: Millis) -> Forgotten:
    """What is known of those forgotten, with one more.

    >>> forget(forget(None, 5), 5 + DAY_MS).days
    2
    """
    if known is None:
        return Forgotten(1, ts, ts, 1, 1)
    known.add(ts)
    return known


Orders: TypeAlias = dict[int, OrderState]
"""Fingerprint of the order_id -> its state."""


def order_fingerprint(order_id: str) -> int:
    """64 bits of a stable hash of an order_id."""
    return xxh3_64_intdigest(order_id.encode())


def oldest(orders: Orders) -> int:
    """The order that leaves when there are too many: the one with the least ts."""
    return min(orders, key=lambda key: (orders[key].ts, key))
