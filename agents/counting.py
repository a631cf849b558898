"""Counting into the panes of a day and an hour."""

from typing import Final

from schemas.money import Minor
from schemas.times import DAY_MS, HOUR_MS, Millis
from tables.panes import DAYS_KEPT, HOURS_KEPT, SPARE_DAYS, add, has_looks
from tables.row import Row

_DAYS: Final = DAYS_KEPT + SPARE_DAYS


def count(row: Row, ts: Millis, clicks: int = 0, carts: int = 0, orders: int = 0, spend: Minor = 0) -> None:
    """Add to the panes of a time; negative numbers take off."""
    add(row.day_window, _DAYS, ts // DAY_MS, clicks, carts, orders, spend)
    add(row.hour_window, HOURS_KEPT, ts // HOUR_MS, clicks, carts, orders, spend)


def count_look(row: Row, ts: Millis, clicks: int = 0, carts: int = 0) -> None:
    """Add a click or a cart event to the totals, and to the panes of a time; the first of its day adds that day."""
    row.totals.clicks += clicks
    row.totals.carts += carts
    row.look_days += not has_looks(row.day_window, _DAYS, ts // DAY_MS)
    count(row, ts, clicks, carts)


def count_purchase(row: Row, ts: Millis, orders: int, spend: Minor) -> None:
    """Add orders and spend (negative ones take off) to the totals, and to the panes of a time."""
    row.totals.orders += orders
    row.totals.spend += spend
    count(row, ts, 0, 0, orders, spend)
