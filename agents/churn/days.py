"""The days on which a user was active, as far as a row tells: its panes, its last orders, and what older ones left."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from schemas.times import DAY_MS
from tables.orders import OrderState
from tables.panes import Panes, each_pane
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


def active_days(row: Row, orders: Iterable[OrderState]) -> ActiveDays:
    """The days of one row, whose orders are these."""
    panes, forgotten = row.days, row.forgotten
    bought = {order.ts // DAY_MS for order in orders if order.is_purchased}
    looked: set[int] = set()
    for number, clicks, carts, orders_then, _ in each_pane(panes):
        if clicks or carts:
            looked.add(number)
        elif orders_then > 0:
            bought.add(number)
    order_days = len(bought) + (0 if forgotten is None else forgotten.days)
    days = bought | looked
    if row.first is not None:
        days.add(row.first.ts // DAY_MS)
        days.add(row.lifecycle.last // DAY_MS)
    if forgotten is not None:
        days.add(forgotten.first // DAY_MS)
        days.add(forgotten.last // DAY_MS)
    known = sorted(days)
    older_looks = row.look_days - len(looked)
    shown = panes[0] if panes else 0
    older_orders = order_days - sum([day >= shown for day in bought])
    newer = len(known) - bisect_left(known, shown)
    total = float(max(len(known), newer + max(older_looks, older_orders)))
    return ActiveDays(known, _possible(total, row), order_days, panes)


def _possible(total: float, row: Row) -> float:
    """No more days than there were from the first to the last."""
    if row.first is None:
        return total
    return min(total, row.lifecycle.last // DAY_MS - row.first.ts // DAY_MS + 1.0)
