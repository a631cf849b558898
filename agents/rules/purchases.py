"""Purchases: the orders of one user that were not cancelled, as known at a midnight or now."""

from schemas.times import DAY_MS, NEVER, Millis
from tables.purchases import Purchases
from tables.row import Row


def purchases(row: Row, before: Millis) -> Purchases:
    """Of the remembered orders those before a time, and all that are remembered no longer one by one."""
    return row.purchases if before == NEVER and row.purchases is not None else _counted(row, before)


def _counted(row: Row, before: Millis) -> Purchases:
    known = [
        order
        for order in row.orders.values()
        if order.is_purchased and order.ts < before and not order.is_cancelled_before(before)
    ]
    times = [order.ts for order in known]
    number, days, forgotten = len(known), {ts // DAY_MS for ts in times}, row.forgotten
    if forgotten is not None:
        number += forgotten.count
        days -= {ts // DAY_MS for ts in times if forgotten.has_day(ts)}
        times += [forgotten.first, forgotten.last]
    return Purchases(
        number,
        min(times, default=None),
        max(times, default=None),
        len(days) + (forgotten.days if forgotten is not None else 0),
        max(row.totals.max_old_order, *(order.amount for order in known), 0),
    )
