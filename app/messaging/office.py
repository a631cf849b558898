"""The simulated messaging system without Kafka: what it was told to send, and what it has to report by now.

```
triggers   rev 0            rev 0   rev 1
             |                |       |
reports      sent  delivered          (none: taken back before it was sent)            opened
```
"""

from collections import Counter
from heapq import heappop, heappush
from itertools import count
from typing import Final, TypeAlias

from app.messaging.answers import answers
from app.messaging.rates import ByChannel
from schemas.events import Message
from schemas.recall import RecallTrigger
from schemas.times import Millis
from schemas.topics import Offset

REMEMBERED: Final = 100_000
"""Of so many triggers the newest are known again when they come twice."""

Place: TypeAlias = tuple[int, Offset]
"""Partition and offset."""


class Office:
    """Takes triggers and cancellations, each (id, rev) once, and gives the reports whose time has come.

    `counts`: of triggers taken, copies, cancelled, expired and tests.
    """

    def __init__(self, rates: ByChannel, seed: int) -> None:
        self._rates, self._seed = rates, seed
        self._seen: dict[tuple[str, int], None] = {}
        self._open: dict[str, Place] = {}
        self._left: dict[str, int] = {}
        self._unsent: set[str] = set()
        self._waiting: dict[int, list[tuple[Millis, int, Message]]] = {}
        self._number = count()
        self.counts: Counter[str] = Counter()

    def take(self, trigger: RecallTrigger, place: Place, now: Millis = 0) -> None:
        """Take a record of recall-triggers. `now`: by the clock on the wall; what has expired by then is not sent."""
        key = trigger.id, trigger.rev
        if key in self._seen:
            self.counts["copies"] += 1
            return
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        if trigger.rev:
            self._cancel(trigger)
        elif trigger.test:
            self.counts["tests"] += 1
        else:
            self._plan(trigger, place, now)

    def _cancel(self, trigger: RecallTrigger) -> None:
        """What was not sent yet will not be; after that it is too late."""
        self._seen[trigger.id, 0] = None
        if trigger.id in self._unsent:
            self.counts["cancelled"] += 1
            self._forget(trigger.id)

    def _plan(self, trigger: RecallTrigger, place: Place, now: Millis) -> None:
        reports = answers(trigger, self._rates[trigger.recall_channel], self._seed)
        if max(reports[0].ts, now) >= trigger.expires_at:
            self.counts["expired"] += 1
            return
        self.counts["triggers"] += 1
        self._open[trigger.id] = place
        self._left[trigger.id] = len(reports)
        self._unsent.add(trigger.id)
        for report in reports:
            heappush(self._waiting.setdefault(place[0], []), (report.ts, next(self._number), report))

    def due(self, partition: int, time: Millis) -> list[Message]:
        """The reports of a partition's triggers whose time is no later than this, in the order of time."""
        waiting, found = self._waiting.get(partition, []), []
        while waiting and waiting[0][0] <= time:
            report = heappop(waiting)[2]
            if report.trigger_id in self._open:
                found.append(report)
                self._note(report.trigger_id)
        return found

    def _note(self, ident: str) -> None:
        """One report less is to come."""
        self._unsent.discard(ident)
        self._left[ident] -= 1
        if not self._left[ident]:
            self._forget(ident)

    def next_offset(self, partition: int, position: Offset) -> Offset:
        """From where to read after a restart: the oldest trigger of which something is still to be reported."""
        return min((offset for where, offset in self._open.values() if where == partition), default=position)

    def _forget(self, ident: str) -> None:
        self._unsent.discard(ident)
        self._open.pop(ident, None)
        self._left.pop(ident, None)
