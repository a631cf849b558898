"""Counting into totals and panes."""

from schemas.money import Minor
from schemas.times import Millis
from tables.panes import Pane, day_of, hour_of, pane_at
from tables.row import Row


def panes_of(row: Row, ts: Millis) -> tuple[Pane, Pane]:
    """The day pane and the hour pane of a time."""
    return pane_at(row.days, day_of(ts)), pane_at(row.hours, hour_of(ts))


def count_purchase(row: Row, ts: Millis, orders: int, spend: Minor) -> None:
    """Add orders and spend (negative ones take off) on the day and hour of ts."""
    row.totals.orders += orders
    row.totals.spend += spend
    for pane in panes_of(row, ts):
        pane.orders += orders
        pane.spend += spend
