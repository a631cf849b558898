"""Panes: what a user did in each hour of the last 48, and in each UTC day of the last 60. Empty ones take no room."""

from typing import Final, TypeAlias

from msgspec import Struct

from schemas.money import Minor
from schemas.times import DAY_MS, HOUR_MS, Millis

DAYS_KEPT: Final = 60
HOURS_KEPT: Final = 48


class Pane(Struct, array_like=True, gc=False):
    """Counts of one hour or day; spend in minor units, returns taken off (it may be negative)."""

    clicks: int = 0
    carts: int = 0
    orders: int = 0
    spend: Minor = 0


Panes: TypeAlias = dict[int, Pane]
"""Number of the hour or day since the epoch -> its pane."""


def day_of(ts: Millis) -> int:
    """The number of the UTC day since the epoch."""
    return ts // DAY_MS


def hour_of(ts: Millis) -> int:
    """The number of the hour since the epoch."""
    return ts // HOUR_MS


def pane_at(panes: Panes, number: int) -> Pane:
    """The pane of that number, opened if need be."""
    pane = panes.get(number)
    if pane is None:
        pane = panes[number] = Pane()
    return pane


def prune(panes: Panes, kept: int) -> None:
    """Drop the panes that are older than the kept ones before the newest.

    What is kept follows from the newest pane alone, so that the order of arrival makes no difference.

    >>> days = {30: Pane(), 100: Pane()}
    >>> prune(days, DAYS_KEPT)
    >>> sorted(days)
    [100]
    """
    oldest = max(panes, default=0) - kept
    for number in [each for each in panes if each < oldest]:
        del panes[number]
