"""The merge by time of one partition's input topics, and how far each has come.

Topics are read at different paces; merged by time, one that is read ahead waits for the others instead of making them
late. A topic's own order is kept: a record's key is (its topic's bound after it, topic rank, offset), and what leaves
the merge lies strictly below the least bound over all topics. So the order of what leaves follows from each topic's own
order alone, whatever the chunks were. Dead letters wait in line too, so that a restart neither loses nor repeats one.

```
bound of clicks   ----o--o-----o---------o------>|       o event, T tick
bound of orders   -----------o-----T>|
                                     ^ watermark: what lies below leaves, in the order of time
```
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

from schemas.dead_letter import DeadLetter, Rejected
from schemas.events import AnyEvent
from schemas.times import Millis, format_span, to_datetime
from schemas.topics import Offset, Topic

_BEFORE_ALL: Final[Millis] = 0
"""The key of a dead letter that came before its topic had told any time."""


class Timed(NamedTuple):
    """A record with its place in the merge: (key, rank, offset), which is unique."""

    key: Millis
    rank: int
    offset: Offset
    record: AnyEvent | DeadLetter


_timed: Final = partial(tuple.__new__, Timed)  # half the time of calling the class, for every event
_key_of: Final = attrgetter("key")


class Position(NamedTuple):
    """Where a topic goes on after a restart: the next offset to read, and the bound that was reached before it."""

    offset: Offset
    bound: Millis | None


class _Lane:
    """One topic's part in the merge: its bound, and the records that wait for other topics."""

    def __init__(self, rank: int, start: Position) -> None:
        self.rank = rank
        self.bound = start.bound
        self.next_offset = start.offset
        self.applied = start
        self.waiting: list[Timed] = []

    def append(self, offset: Offset, bound: Millis | None, record: AnyEvent | DeadLetter) -> None:
        """Let a record wait; the bound is the topic's after it."""
        if not self.waiting:
            self.applied = Position(offset, self.bound)
        self.bound = bound
        self.next_offset = offset + 1
        self.waiting.append(_timed((bound or _BEFORE_ALL, self.rank, offset, record)))

    def release(self, below: Millis) -> list[Timed]:
        """Take out what lies below, and move the applied position behind it."""
        count = bisect_left(self.waiting, below, key=_key_of)
        released, self.waiting = self.waiting[:count], self.waiting[count:]
        if released:
            self.applied = Position(
                released[-1].offset + 1, None if released[-1].key == _BEFORE_ALL else released[-1].key
            )
        return released


class Merge:
    """Takes records of each topic in the topic's order; gives events in the order of time.

    `max_waiting`: how many events a topic may run ahead before it is to be paused.
    """

    def __init__(self, topics: Sequence[Topic], max_ahead_ms: Millis, max_waiting: int = 10_000) -> None:
        self._lanes = {topic: _Lane(rank, Position(0, None)) for rank, topic in enumerate(topics)}
        self._max_ahead_ms = max_ahead_ms
        self._max_waiting = max_waiting

    def resume(self, positions: Iterable[tuple[Topic, Position]]) -> None:
        """Go on from positions that `position` gave before."""
        for topic, position in positions:
            self._lanes[topic] = _Lane(self._lanes[topic].rank, position)

    @property
    def watermark(self) -> Millis | None:
        """Nothing below this time is still to come; None while a topic has said nothing."""
        return self.bound_of(self._lanes)

    def bound_of(self, topics: Iterable[Topic]) -> Millis | None:
        """How far the slowest of some topics has come; None while one of them has said nothing."""
        bounds = [self._lanes[topic].bound for topic in topics]
        return min(bound for bound in bounds if bound is not None) if None not in bounds else None

    @property
    def first(self) -> Millis | None:
        """The time of the first record that waits; None while none does."""
        return min((lane.waiting[0].key for lane in self._lanes.values() if lane.waiting), default=None)

    def is_crowded(self, topic: Topic) -> bool:
        """Whether a topic ran too far ahead: read no more of it until the others have come up.

        Records that wait for their own topic alone, as all of them have its bound, are no reason: only what comes next
        in it can release them.
        """
        lane = self._lanes[topic]
        return len(lane.waiting) >= self._max_waiting and lane.waiting[0].key < (lane.bound or _BEFORE_ALL)

    def next_offset(self, topic: Topic) -> Offset:
        """The offset that the next record of a topic will have."""
        return self._lanes[topic].next_offset

    def position(self, topic: Topic) -> Position:
        """How far a topic has been applied; what waits in the merge does not count."""
        lane = self._lanes[topic]
        return lane.applied if lane.waiting else Position(lane.next_offset, lane.bound)

    def event(self, topic: Topic, offset: Offset, event: AnyEvent, *, is_believed: bool = False) -> None:
        """Take the next event of a topic; `is_believed`: another clock says that its time is right.

        Raises Rejected for one so far beyond the topic's bound that its clock must be wrong; it moves no time.
        """
        lane = self._lanes[topic]
        bound = lane.bound
        if bound is None or bound < event.ts:
            if bound is not None and event.ts - bound > self._max_ahead_ms and not is_believed:
                raise too_far_ahead(event.ts, bound, self._max_ahead_ms)
            bound = event.ts
        lane.append(offset, bound, event)

    def dead_letter(self, topic: Topic, offset: Offset, letter: DeadLetter) -> None:
        """Take the next record of a topic, which could not be read; it moves no time."""
        lane = self._lanes[topic]
        lane.append(offset, lane.bound, letter)

    def tick(self, topic: Topic, offset: Offset, ts: Millis) -> None:
        """Nothing at or before `ts` is still to come in this topic."""
        lane = self._lanes[topic]
        lane.next_offset = offset + 1
        lane.bound = max(lane.bound or 0, ts + 1)

    def skip_to(self, topic: Topic, offset: Offset) -> None:
        """Nothing is left in a topic before this offset: markers of transactions take offsets too."""
        self._lanes[topic].next_offset = offset

    def release(self, below: Millis | None = None) -> list[Timed]:
        """The records below a time (else: the watermark), in the order of time; they count as applied from now on."""
        if below is None:
            below = self.watermark or 0
        released = [lane.release(below) for lane in self._lanes.values() if lane.waiting]
        return sorted(chain.from_iterable(released))

    def slice_below(self, limit: Millis, count: int) -> Millis:
        """A time at or before the limit, so that about `count` records of a topic lie below it."""
        for lane in self._lanes.values():
            if len(lane.waiting) > count and lane.waiting[count].key < limit:
                limit = max(lane.waiting[count].key, lane.waiting[0].key + 1)
        return limit


def too_far_ahead(ts: Millis, bound: Millis, max_ahead_ms: Millis) -> Rejected:
    """Why an event beyond `max_ahead` is not believed."""
    gap = f"more than {format_span(max_ahead_ms)} after {to_datetime(bound).isoformat()}"
    return Rejected("too_far_ahead", f"`ts`: {to_datetime(ts).isoformat()} is {gap}; is that clock right?")
