"""Features: what a row tells about its user's return, as numbers that models can take; finite for every row."""

from bisect import bisect_right
from collections.abc import Iterable
from math import exp, log, log1p, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agents.churn.catalogue import DAY_TAUS, DAYS_FLOOR, FEATURES, GAPS, PANE_TAUS, SEASON_DAYS, SPREAD_FLOOR
from agents.churn.days import ActiveDays, active_days
from schemas.money import CENTS
from schemas.times import DAY_MS, Millis
from tables.orders import OrderState
from tables.panes import each_pane
from tables.row import Row

__all__ = ("FEATURES", "features", "matrix")

_MONDAY: Final = 4
"""The first Monday since the epoch, in days."""
_SATURDAY: Final = 5
_OLDER: Final = 0.8
"""A gap weighs so much of the one after it."""
_YEAR_DAYS: Final = 365
_OLDEST: Final = 4_000
"""Days longer ago weigh as much as those."""
_DAY_WEIGHTS: Final = [tuple(exp(-ago / tau) for tau in DAY_TAUS) for ago in range(_OLDEST)]
_PANE_WEIGHTS: Final = [tuple(exp(-ago / tau) for tau in PANE_TAUS) for ago in range(_OLDEST)]


def features(row: Row, as_of: Millis) -> list[float]:
    """The values of FEATURES as of a time; the row holds every event up to then, and none after."""
    orders = row.orders.values()
    days = active_days(row, orders)
    first = as_of if row.first is None else min(row.first.ts, as_of)
    last = first if row.first is None else min(row.lifecycle.last, as_of)
    age, recency, seen = ((a - b) / DAY_MS for a, b in ((as_of, first), (as_of, last), (last, first)))
    repeats = max(days.total - 1.0, 0.0)
    recent, spread, newest, longest = _gaps(days.known)
    overdue = log1p(recency) - recent
    return [
        repeats,
        seen,
        age,
        log1p(recency),
        log1p(age),
        log1p(repeats),
        log1p(seen / repeats) if repeats else 0.0,
        recent,
        spread,
        newest,
        longest,
        overdue,
        overdue / (SPREAD_FLOOR + spread),
        log1p(_since(as_of, row.purchase.last if row.purchase.first is not None else first)),
        log1p(days.orders),
        log1p(max(row.totals.orders, 0)),
        *_decayed_days(days.known, as_of),
        *_decayed_panes(days, as_of),
        *_money(row, orders),
        *_interest(row, as_of, first),
        *_calendar(days.known, as_of),
        *_habits(row),
    ]


def matrix(rows: Iterable[Row], as_of: Millis) -> NDArray[np.float64]:
    """A line of features for each row."""
    return np.array([features(row, as_of) for row in rows], dtype=np.float64).reshape(-1, len(FEATURES))


def _since(as_of: Millis, ts: Millis) -> float:
    return max(as_of - ts, 0) / DAY_MS


def _within(ago: int) -> int:
    """Days ago for which there are weights."""
    return min(max(ago, 0), _OLDEST - 1)


def _gaps(known: list[int]) -> tuple[float, float, float, float]:
    """Of the last gaps between days: decayed mean and deviation of ln(1 + days), the newest, the longest."""
    gaps = [then - each for then, each in zip(known[: -GAPS - 1 : -1], known[-2::-1], strict=False)]
    if not gaps:
        return 0.0, 0.0, 0.0, 0.0
    weight, weights, total, squares = 1.0, 0.0, 0.0, 0.0
    for gap in gaps:
        value = log(gap + 1.0)
        weights += weight
        total += weight * value
        squares += weight * value * value
        weight *= _OLDER
    mean = total / weights
    return mean, sqrt(max(squares / weights - mean * mean, 0.0)), log1p(gaps[0]), log1p(max(gaps))


def _decayed_days(known: list[int], as_of: Millis) -> list[float]:
    today = as_of // DAY_MS
    days_10 = days_30 = days_90 = days_270 = 0.0
    for day in known:
        ago = today - day
        weights = _DAY_WEIGHTS[ago if 0 <= ago < _OLDEST else _within(ago)]
        days_10 += weights[0]
        days_30 += weights[1]
        days_90 += weights[2]
        days_270 += weights[3]
    return [log(DAYS_FLOOR + total) for total in (days_10, days_30, days_90, days_270)]


def _decayed_panes(days: ActiveDays, as_of: Millis) -> list[float]:
    today = as_of // DAY_MS
    fresh = clicks = carts = orders = spend = 0.0
    for number, clicked, carted, ordered, spent in each_pane(days.panes):
        ago = today - number
        short, long = _PANE_WEIGHTS[ago if 0 <= ago < _OLDEST else _within(ago)]
        fresh += short * clicked
        clicks += long * clicked
        carts += long * carted
        orders += long * ordered
        spend += long * spent
    return [log1p(max(total, 0.0)) for total in (fresh, clicks, carts, orders, spend / CENTS)]


def _money(row: Row, orders: Iterable[OrderState]) -> list[float]:
    totals, newest = row.totals, None
    greatest = totals.max_old_order
    for order in orders:
        if order.is_purchased and not order.is_cancelled:
            greatest = max(greatest, order.amount)
            if newest is None or (order.ts, order.amount) > (newest.ts, newest.amount):
                newest = order
    spend = max(totals.spend, 0) / CENTS
    last = 0 if newest is None else newest.amount
    return [
        log1p(spend),
        log1p(spend / max(totals.orders, 1)),
        log1p(last / CENTS),
        log1p(greatest / CENTS),
        log1p(totals.returns),
    ]


def _interest(row: Row, as_of: Millis, first: Millis) -> list[float]:
    totals, cart = row.totals, row.last_cart
    is_open = cart is not None and cart > max(row.cart_closed_at or 0, row.purchase.last)
    return [
        log1p(totals.clicks),
        log1p(totals.clicks) - log1p(max(totals.orders, 0)),
        float(is_open),
        log1p(_since(as_of, first if cart is None else cart)),
    ]


def _calendar(known: list[int], as_of: Millis) -> list[float]:
    start = as_of // DAY_MS - _YEAR_DAYS
    weekend = sum([(day - _MONDAY) % 7 >= _SATURDAY for day in known])
    seasonal = bisect_right(known, start + SEASON_DAYS) - bisect_right(known, start)
    return [(weekend + 0.5) / (len(known) + 1.75), log1p(seasonal)]


def _habits(row: Row) -> list[float]:
    channels, parts = row.channels.values(), row.day_parts
    whole = sum(parts) + 2.0
    return [
        log1p(len(channels)),
        (max(channels, default=0) + 1.0) / (sum(channels) + 1.0),
        *[(part + 0.5) / whole for part in parts[1:]],
        (max(parts) + 0.5) / whole,
    ]
