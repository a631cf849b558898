"""Panes: what a user did in each hour of the last 48, and in each UTC day of the last 68. Empty ones take no room.

Windows of up to 60 days can be asked, also as of the midnights of the last 7 days.

The newest pane is open: plain numbers, as nearly every event counts there. The older ones are closed: bytes, which the
codec copies as they are. A closed pane is five MessagePack integers (the oldest pane comes first): how many hours or
days later the next pane begins (at most 68, so always one byte), then clicks, carts, orders and spend.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from schemas.money import Minor

Panes: TypeAlias = list[int]
"""Unpacked, five integers a pane, in order of time: the number of the hour or day since the epoch, clicks, carts,
orders, and spend (minor units, returns taken off: it may be negative)."""

DAYS_KEPT: Final = 60
"""Windows of up to so many days can be asked."""
SPARE_DAYS: Final = 8
"""So many more are kept, for windows as of an earlier midnight."""
HOURS_KEPT: Final = 48

NUMBERS: Final = 5
_NONE: Final = -128
"""Before all: further from any pane than panes are kept."""
_PACK: Final = msgspec.msgpack.Encoder().encode
_UNPACK: Final = msgspec.msgpack.Decoder(Panes).decode
_WIDER: Final = {0xCC: 2, 0xD0: 2, 0xCD: 3, 0xD1: 3, 0xCE: 5, 0xD2: 5, 0xCF: 9, 0xD3: 9}
_WIDTHS: Final = bytes(_WIDER.get(head, 1) for head in range(256))
"""How many bytes an integer takes, by the first of them."""


class Window(Struct, array_like=True, gc=False):
    """The panes of one length: the newest, how far before it the oldest closed one begins, and the closed ones."""

    number: int = _NONE
    clicks: int = 0
    carts: int = 0
    orders: int = 0
    spend: Minor = 0
    reach: int = 0
    closed: bytes = b""

    def panes(self) -> Panes:
        """All panes, unpacked."""
        if self.number == _NONE:
            return []
        return [*_closed_panes(self), self.number, self.clicks, self.carts, self.orders, self.spend]


def add(  # noqa: PLR0913, PLR0917  a pane has four counts
    window: Window, kept: int, number: int, clicks: int, carts: int, orders: int, spend: Minor
) -> None:
    """Count into the pane of that number, which is nearly always the newest.

    What is kept (the newest, and `kept` before it) follows from the newest pane alone, so that the order of arrival
    makes no difference.

    >>> days = Window()
    >>> add(days, DAYS_KEPT, 100, 1, 0, 0, 0)
    >>> add(days, DAYS_KEPT, 99, 0, 0, 1, 0)
    >>> add(days, DAYS_KEPT, 39, 1, 0, 0, 0)
    >>> days.panes()
    [99, 0, 0, 1, 0, 100, 1, 0, 0, 0]
    """
    newest = window.number
    if number > newest:
        _close(window, kept, number - newest)
        window.number, window.clicks, window.carts = number, clicks, carts
        window.orders, window.spend = orders, spend
    elif number < newest:
        _add_late(window, kept, (number, clicks, carts, orders, spend))
    else:
        window.clicks += clicks
        window.carts += carts
        window.orders += orders
        window.spend += spend


def each_pane(panes: Panes) -> Iterable[tuple[int, ...]]:
    """The panes one by one, each as its five integers.

    >>> list(each_pane([99, 0, 0, 1, 0, 100, 1, 0, 0, 0]))
    [(99, 0, 0, 1, 0), (100, 1, 0, 0, 0)]
    """
    return zip(*[iter(panes)] * NUMBERS, strict=True)


def has_looks(window: Window, kept: int, number: int) -> bool:
    """Whether a click or a cart event is counted in the pane of that number; True where it is too old to be known.

    >>> days = Window()
    >>> add(days, DAYS_KEPT, 100, 1, 0, 0, 0)
    >>> add(days, DAYS_KEPT, 101, 0, 0, 1, 0)
    >>> [has_looks(days, DAYS_KEPT, number) for number in (39, 99, 100, 101, 102)]
    [True, False, True, False, False]
    """
    newest = window.number
    if number >= newest:
        return number == newest and window.clicks + window.carts > 0
    if number < newest - kept:
        return True
    panes = _closed_panes(window)
    places = range(0, len(panes), NUMBERS)
    return any(panes[place + 1] + panes[place + 2] > 0 for place in places if panes[place] == number)


def _close(window: Window, kept: int, gap: int) -> None:
    """Close the newest pane, as one begins that much later; drop those that are more than `kept` before that one."""
    if gap > kept:
        window.closed, window.reach = b"", 0
        return
    closed = window.closed + _PACK((gap, window.clicks, window.carts, window.orders, window.spend))[1:]
    reach, start = window.reach + gap, 0
    while reach > kept:
        reach -= closed[start]
        start = _following(closed, start)
    window.closed, window.reach = closed[start:], reach


def _following(closed: bytes, start: int) -> int:
    """Where the next closed pane starts."""
    for _ in range(NUMBERS):
        start += _WIDTHS[closed[start]]
    return start


def _add_late(window: Window, kept: int, pane: tuple[int, ...]) -> None:
    """Count into a closed pane, or a new one between the others; into none that is too old."""
    if pane[0] < window.number - kept:
        return
    flat = _closed_panes(window)
    starts = range(0, len(flat), NUMBERS)
    known = {flat[start]: flat[start + 1 : start + NUMBERS] for start in starts}
    known[pane[0]] = [sum(pair) for pair in zip(known.get(pane[0], (0, 0, 0, 0)), pane[1:], strict=True)]
    numbers = sorted(known)
    gaps = [then - each for each, then in pairwise((*numbers, window.number))]
    window.closed = b"".join(_PACK((gap, *known[each]))[1:] for each, gap in zip(numbers, gaps, strict=True))
    window.reach = window.number - numbers[0]


def _closed_panes(window: Window) -> Panes:
    closed = window.closed
    at, end, size = 0, len(closed), 0
    while at < end:
        at += _WIDTHS[closed[at]]
        size += 1
    panes = _UNPACK(b"\xdc" + size.to_bytes(2) + closed)
    number = window.number
    for start in reversed(range(0, size, NUMBERS)):
        panes[start] = number = number - panes[start]
    return panes
