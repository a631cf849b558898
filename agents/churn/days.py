"""The days on which a user was active, as far as a row tells: its panes, its last orders, and what older ones left."""

from typing import Final, NamedTuple

from schemas.times import DAY_MS
from tables.panes import NUMBERS, Panes
from tables.row import Row


class ActiveDays(NamedTuple):
    """The UTC days known one by one, in order; how many there were in all; those with an order; the panes of days.

    `total` counts every day with a click or a cart event, and those with orders (up to the 32 that a row remembers, and
    as it counts the days of the others). Of days that left the panes, those with an order are taken to be days with a
    look too, as far as there are so many; logins count where they were the first or the last activity.
    """

    known: list[int]
    total: float
    orders: int
    panes: Panes


_CLICKS: Final = 1
_CARTS: Final = 2
_ORDERS: Final = 3


def active_days(row: Row) -> ActiveDays:
    """The days of one row."""
    panes, forgotten = row.days, row.forgotten
    bought = {order.ts // DAY_MS for order in row.orders.values() if order.is_purchased}
    looked: set[int] = set()
    for place in range(0, len(panes), NUMBERS):
        if panes[place + _CLICKS] + panes[place + _CARTS]:
            looked.add(panes[place])
        elif panes[place + _ORDERS] > 0:
            bought.add(panes[place])
    order_days = len(bought) + (0 if forgotten is None else forgotten.days)
    known = bought | looked
    if row.first is not None:
        known.update((row.first.ts // DAY_MS, row.lifecycle.last // DAY_MS))
    if forgotten is not None:
        known.update((forgotten.first // DAY_MS, forgotten.last // DAY_MS))
    older_looks = row.look_days - len(looked)
    shown = panes[0] if panes else 0
    older_orders = order_days - sum(day >= shown for day in bought)
    newer = len(known) if not panes else sum(day >= shown for day in known)
    total = float(max(len(known), newer + max(older_looks, older_orders)))
    return ActiveDays(sorted(known), _possible(total, row), order_days, panes)


def _possible(total: float, row: Row) -> float:
    """No more days than there were from the first to the last."""
    if row.first is None:
        return total
    return min(total, row.lifecycle.last // DAY_MS - row.first.ts // DAY_MS + 1.0)
