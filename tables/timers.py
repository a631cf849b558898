"""When to look at which row: due times in hour buckets, ordered only when their hour comes."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from schemas.events import UserId
from schemas.times import HOUR_MS, Millis


class Timers:
    """A calendar of (due, user) that hands out what is due in the order of (due, user).

    Entries are never removed: whoever takes one checks it against the row.

    >>> timers = Timers()
    >>> timers.add(7_200_000, "u2"); timers.add(7_200_000, "u1"); timers.add(1, "u3")
    >>> list(timers.due_before(7_200_001))
    [(1, 'u3'), (7200000, 'u1'), (7200000, 'u2')]
    """

    def __init__(self) -> None:
        self._open: list[tuple[Millis, UserId]] = []
        self._open_until: Millis = 0
        self._buckets: dict[int, list[tuple[Millis, UserId]]] = {}
        self._hours: list[int] = []

    def add(self, due: Millis, user_id: UserId) -> None:
        """Ask for a look at a user's row at a time."""
        if due < self._open_until:
            heappush(self._open, (due, user_id))
            return
        hour = due // HOUR_MS
        bucket = self._buckets.get(hour)
        if bucket is None:
            self._buckets[hour] = bucket = []
            heappush(self._hours, hour)
        bucket.append((due, user_id))

    def due_before(self, bound: Millis) -> Iterator[tuple[Millis, UserId]]:
        """Take out what is due before the bound, also what is added meanwhile."""
        while True:
            if self._open:
                if self._open[0][0] >= bound:
                    return
                yield heappop(self._open)
            elif self._hours and self._hours[0] * HOUR_MS < bound:
                self._open_next()
            else:
                return

    def _open_next(self) -> None:
        hour = heappop(self._hours)
        self._open = self._buckets.pop(hour)
        self._open_until = (hour + 1) * HOUR_MS
        heapify(self._open)
