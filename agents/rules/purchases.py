"""Purchases: the orders of one user that were not cancelled, as known at a midnight or now."""

from typing import NamedTuple

from schemas.money import Minor
from schemas.times import DAY_MS, Millis
from tables.row import Row


class Purchases(NamedTuple):
    """How many, the first and the last, on how many UTC days, and the greatest amount (minor units)."""

    number: int
    first: Millis | None
    last: Millis | None
    days: int
    greatest: Minor

    @property
    def mean_gap_days(self) -> float | None:
        """Between those that follow each other; None before the second one."""
        if self.number < 2 or self.first is None or self.last is None:  # noqa: PLR2004  a gap has two ends
            return None
        return (self.last - self.first) / (self.number - 1) / DAY_MS

    def cycles(self, days: int) -> float | None:
        """So many days in mean gaps, rounded once: so 3 days are 0.9 of a mean gap of 10 days by 3, not a bit less."""
        if self.number < 2 or self.first is None or self.last is None or self.last == self.first:  # noqa: PLR2004
            return None
        return days * DAY_MS * (self.number - 1) / (self.last - self.first)


def purchases(row: Row, before: Millis) -> Purchases:
    """Of the remembered orders those before a time, and all that are remembered no longer one by one."""
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
