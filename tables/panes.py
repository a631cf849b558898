"""Panes: what a user did in each hour of the last 48, and in each UTC day of the last 60. Empty ones take no room.

Panes of one length lie in one flat list of integers, five a pane, in order of time: the number of the hour or day since
the epoch, then clicks, carts, orders, and spend (minor units, returns taken off: it may be negative). So a busy row is
encoded in half the time that it would take with an object a pane.
"""

from typing import Final, TypeAlias

from schemas.times import DAY_MS, HOUR_MS, Millis

Panes: TypeAlias = list[int]

DAYS_KEPT: Final = 60
HOURS_KEPT: Final = 48

CLICKS: Final = 1
CARTS: Final = 2
ORDERS: Final = 3
SPEND: Final = 4
_WIDTH: Final = 5


def day_of(ts: Millis) -> int:
    """The number of the UTC day since the epoch."""
    return ts // DAY_MS


def hour_of(ts: Millis) -> int:
    """The number of the hour since the epoch."""
    return ts // HOUR_MS


def pane_at(panes: Panes, number: int) -> int:
    """Where the pane of that number starts, opened if need be: add CLICKS, CARTS, ORDERS or SPEND to find a count.

    >>> days = []
    >>> days[pane_at(days, 100) + CLICKS] += 1
    >>> days[pane_at(days, 99) + ORDERS] += 1
    >>> days
    [99, 0, 0, 1, 0, 100, 1, 0, 0, 0]
    """
    start = len(panes) - _WIDTH
    while start >= 0 and panes[start] > number:
        start -= _WIDTH
    if start >= 0 and panes[start] == number:
        return start
    start += _WIDTH
    panes[start:start] = (number, 0, 0, 0, 0)
    return start


def prune(panes: Panes, kept: int) -> None:
    """Drop the panes that are more than `kept` before the newest: so the newest stays, and `kept` before it.

    What is kept follows from the newest pane alone, so that the order of arrival makes no difference.

    >>> days = [30, 1, 0, 0, 0, 100, 1, 0, 0, 0]
    >>> prune(days, DAYS_KEPT)
    >>> days
    [100, 1, 0, 0, 0]
    """
    if not panes:
        return
    oldest = panes[-_WIDTH] - kept
    start = 0
    while panes[start] < oldest:
        start += _WIDTH
    del panes[:start]
