"""One partition: records in, in each topic's order; staged changes, dead letters and rows out."""

from collections.abc import Iterable

from msgspec import Struct

from agents import steps
from agents.limits import Limits
from schemas.dead_letter import DeadLetter, Rejected, dead_letter
from schemas.decode import decode
from schemas.events import TYPE_OF, AnyEvent, Tick
from schemas.times import NEVER, Millis
from schemas.topics import INPUT_TOPICS, Topic
from tables.merge import Merge
from tables.row import Row
from tables.table import Table


class Counters(Struct):
    """What became of the events, and how late they were."""

    applied: int = 0
    duplicates: int = 0
    erased: int = 0
    late: int = 0
    too_late: int = 0


class Partition:
    """The rows of one partition, driven by events and by time; without input or output of its own.

    `take` and `run` serve topics that are read side by side; a history that is already in order calls `apply` and
    `advance`.
    """

    def __init__(self, number: int, limits: Limits, table: Table) -> None:
        self._number = number
        self._limits = limits
        self.table = table
        self.merge = Merge(tuple(INPUT_TOPICS), limits.max_ahead_ms)
        self.counters = Counters()
        self.dead_letters: list[DeadLetter] = []

    def take(self, topic: Topic, first_offset: int, payloads: Iterable[bytes | None]) -> None:
        """Read a chunk of one topic into the merge."""
        for offset, payload in enumerate(payloads, first_offset):
            try:
                self._take(topic, offset, payload)
            except Rejected as why:
                self.merge.dead_letter(topic, offset, dead_letter(topic, self._number, offset, payload, why))

    def _take(self, topic: Topic, offset: int, payload: bytes | None) -> None:
        record = decode(payload)
        if isinstance(record, Tick):
            self.merge.tick(topic, offset, record.ts)
            return
        if TYPE_OF[type(record)] != INPUT_TOPICS[topic]:
            raise Rejected("wrong_topic", f"`type`: {TYPE_OF[type(record)]} does not belong into {topic}")
        self.merge.event(topic, offset, record)

    def run(self) -> None:
        """Apply what has come up in the merge, then what time has made due."""
        for key, _, _, record in self.merge.release():
            if isinstance(record, DeadLetter):
                self.dead_letters.append(record)
            else:
                self.apply(record, key)
        if (watermark := self.merge.watermark) is not None:
            self.advance(watermark)

    def apply(self, event: AnyEvent, now: Millis) -> None:
        """Apply one event; `now` is how far time had come in its topic, and never goes back."""
        row = self._open(event, now)
        if row is None:
            return
        self.counters.applied += 1
        changes = steps.STEPS[type(event)](row, event, now, self._limits)
        self.table.put(event.user_id, row)
        if changes or type(event) in steps.MAY_HASTEN:
            self.table.changes.extend(changes)
            self.table.schedule(event.user_id, row, steps.next_due(row, self._limits))

    def advance(self, bound: Millis) -> None:
        """Let time pass: fire what is due before the bound, in the order of (due, user)."""
        for due, user_id in self.table.timers.due_before(bound):
            row = self.table.get(user_id)
            if row is not None and row.due == due:
                self._fire(user_id, row, due)

    def _open(self, event: AnyEvent, now: Millis) -> Row | None:
        """The row that the event is to be applied to; None for one that counts for nothing."""
        row = self.table.get(event.user_id)
        if event.ts < now and self._is_too_late(event, now) and row is None:
            return None
        if row is None:
            row = Row()
        verdict = steps.admit(row, event)
        if verdict == "fresh":
            return row
        self.counters.duplicates += verdict == "duplicate"
        self.counters.erased += verdict == "erased"
        return None

    def _is_too_late(self, event: AnyEvent, now: Millis) -> bool:
        """Whether a late event comes later than allowed; counts it."""
        too_late = now - event.ts > self._limits.allowed_lateness_ms
        self.counters.too_late += too_late
        self.counters.late += not too_late
        return too_late

    def _fire(self, user_id: str, row: Row, due: Millis) -> None:
        """Look at a row whose timer has come: it may have something to say, or be due later by now."""
        row.due = NEVER
        next_due = steps.next_due(row, self._limits)
        if next_due <= due:
            if row.is_blank:
                self.table.delete(user_id)
                return
            self.table.changes.extend(steps.pass_time(row, user_id, due + 1, self._limits))
            next_due = steps.next_due(row, self._limits)
        self.table.put(user_id, row)
        self.table.schedule(user_id, row, next_due)
