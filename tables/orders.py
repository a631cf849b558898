"""What is known of one order of a user, whatever arrived first: purchase, cancellation or return."""

from typing import Final, TypeAlias

from msgspec import Struct
from xxhash import xxh3_64_intdigest

from schemas.money import Minor
from schemas.times import Millis

CAPACITY: Final = 32

Entry: TypeAlias = tuple[Millis, int, Minor]
"""(day of event time it belongs to as ts, orders, spend): what an order adds to counts and spend."""


class OrderState(Struct, array_like=True, gc=False):
    """The purchase of one order_id (the least placed or paid record), and what became of it."""

    ts: Millis
    event_id: str = ""
    is_purchased: bool = False
    amount: Minor = 0
    is_cancelled: bool = False
    whole_return_ts: Millis | None = None

    def entries(self) -> list[Entry]:
        """What this order adds: a purchase on its day, and a return without an amount on the day of the return."""
        if not self.is_purchased or self.is_cancelled:
            return []
        bought = [(self.ts, 1, self.amount)]
        return bought if self.whole_return_ts is None else [*bought, (self.whole_return_ts, 0, -self.amount)]


Orders: TypeAlias = dict[int, OrderState]
"""Fingerprint of the order_id -> its state."""


def order_fingerprint(order_id: str) -> int:
    """64 bits of a stable hash of an order_id."""
    return xxh3_64_intdigest(order_id.encode())


def oldest(orders: Orders) -> int:
    """The order that leaves when there are too many: the one with the least ts."""
    return min(orders, key=lambda key: (orders[key].ts, key))
