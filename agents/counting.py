"""Counting into the panes of a day and an hour."""

from schemas.money import Minor
from schemas.times import Millis
from tables.panes import ORDERS, SPEND, day_of, hour_of, pane_at
from tables.row import Row


def count(row: Row, ts: Millis, field: int, amount: int = 1) -> None:
    """Add to CLICKS, CARTS, ORDERS or SPEND in the panes of a time."""
    row.days[pane_at(row.days, day_of(ts)) + field] += amount
    row.hours[pane_at(row.hours, hour_of(ts)) + field] += amount


def count_purchase(row: Row, ts: Millis, orders: int, spend: Minor) -> None:
    """Add orders and spend (negative ones take off) to the totals, and to the panes of a time."""
    row.totals.orders += orders
    row.totals.spend += spend
    for panes, number in ((row.days, day_of(ts)), (row.hours, hour_of(ts))):
        start = pane_at(panes, number)
        panes[start + ORDERS] += orders
        panes[start + SPEND] += spend
