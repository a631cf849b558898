"""Windows: what the panes of one length tell, and when the oldest of them leaves."""

from bisect import bisect_left
from collections.abc import Sequence

from schemas.times import NEVER, Millis
from tables.panes import NUMBERS, Panes
from tables.row import Row

ORDERS = 2
SPEND = 3

Correction = tuple[Millis, int, int]
"""(a time, orders, spend): what the panes of that time have too little of, as of an earlier midnight."""


def corrections(row: Row, before: Millis) -> list[Correction]:
    """What the panes have not as it was known at a midnight: orders that were cancelled since."""
    if before == NEVER:
        return []
    found: list[Correction] = []
    for order in row.orders.values():
        counted = [entry for entry in order.entries() if entry[0] < before]
        known = order.entries_before(before)
        if counted != known:
            found += [(ts, -orders, -spend) for ts, orders, spend in counted] + known
    return found


class Windows:
    """The panes of hours or days (of `unit_ms`) that are older than `before`, as they were known then."""

    __slots__ = ("_later", "_numbers", "_panes", "_unit_ms")

    def __init__(self, panes: Panes, unit_ms: Millis, before: Millis, late: Sequence[Correction]) -> None:
        self._unit_ms = unit_ms
        self._panes, self._later = panes, Panes()
        if before != NEVER:
            stop = NUMBERS * bisect_left(panes[::NUMBERS], before // unit_ms)
            self._panes, self._later = panes[:stop], panes[stop:]
            for ts, orders, spend in late:
                self._correct(ts // unit_ms, orders, spend)
        self._numbers = self._panes[::NUMBERS]

    def counted(self, field: int, length: int, now: Millis) -> tuple[int, Millis]:
        """The sum over the pane of an instant and the `length` - 1 before it, and when one of them leaves."""
        start = bisect_left(self._numbers, now // self._unit_ms - length + 1)
        values = self._panes[NUMBERS * start + 1 + field :: NUMBERS]
        return sum(values), self._leaves(start, values, length)

    def active(self, length: int, now: Millis) -> tuple[int, Millis]:
        """In how many of them there was a click, a cart event or an order; and when one leaves."""
        start = bisect_left(self._numbers, now // self._unit_ms - length + 1)
        counts = (self._panes[NUMBERS * start + 1 + field :: NUMBERS] for field in range(SPEND))
        is_active = [any(counted) for counted in zip(*counts, strict=True)]
        return sum(is_active), self._leaves(start, is_active, length)

    def later(self, field: int) -> int:
        """The sum over the panes that are not older than `before`."""
        return sum(self._later[1 + field :: NUMBERS])

    def _leaves(self, start: int, values: Sequence[int], length: int) -> Millis:
        for number, value in zip(self._numbers[start:], values, strict=True):
            if value:
                return (number + length) * self._unit_ms
        return NEVER

    def _correct(self, number: int, orders: int, spend: int) -> None:
        place = NUMBERS * bisect_left(self._panes[::NUMBERS], number)
        if self._panes[place : place + 1] != [number]:
            self._panes[place:place] = [number, 0, 0, 0, 0]
        self._panes[place + 1 + ORDERS] += orders
        self._panes[place + 1 + SPEND] += spend
