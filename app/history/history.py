"""The front door: history files in, one stream of checked events out, in the order of their time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from app.history.formats import FileFormat, reader_of
from app.history.run import Entry
from app.history.sort import ExternalSort
from app.history.source import Raw, Source, sources_of
from schemas.dead_letter import DeadLetter, Rejected, dead_letter
from schemas.decode import decode
from schemas.events import AnyEvent, Tick, order_key
from schemas.times import DAY_MS, NEVER, Millis

Phase: TypeAlias = Literal["reading", "applying"]
Progress: TypeAlias = Callable[[Phase, int, int], None]
"""Called now and then with the phase, what is done and the total: bytes while reading, events while applying."""

MAX_AHEAD_MS: Final[Millis] = 3 * 365 * DAY_MS
_PROGRESS_EVERY: Final = 4096


class History:
    """Iterate it for the events sorted by (ts, event_id, type); afterwards its counters say what became of the rest.

    - `records`: read in all, ticks and dead letters among them
    - `events`: given out; `first_ts` and `last_ts` are those of the first and the last
    - `ticks`: valid, and without effect, as the events are sorted anyway
    - `after_until`: events later than `until` (inclusive, ms; None: all are taken)
    - `dead`: rejected, and handed to `dead_letters`
    - `skipped`: what a format leaves out by its nature, by the reason

    An event more than `max_ahead_ms` later than the one before it, in the later half of the history, comes from a
    broken clock: it and all that follow are dead letters. In the earlier half, it is the few early ones that are odd,
    and they hurt nobody.

    Raises HistoryError, at once for files that are not there or of no known format, else while it is iterated.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        dead_letters: Callable[[DeadLetter], None],
        file_format: FileFormat = FileFormat.WIRE,
        until: Millis | None = None,
        max_ahead_ms: Millis = MAX_AHEAD_MS,
        progress: Progress = lambda _phase, _done, _total: None,
    ) -> None:
        self.files: list[Source] = sources_of(list(paths))
        self._readers = [reader_of(source.path, file_format) for source in self.files]
        self._dead_letters = dead_letters
        self._until = until
        self._max_ahead_ms = max_ahead_ms
        self._progress = progress
        self._start()

    def _start(self) -> None:
        self.records = self.events = self.ticks = self.after_until = self.dead = 0
        self.first_ts: Millis | None = None
        self.last_ts: Millis | None = None
        for source in self.files:
            source.position = 0
            source.skipped.clear()

    @property
    def until(self) -> Millis | None:
        """The end of the history: as given, else the last event's time, which is known after the iteration."""
        return self.last_ts if self._until is None else self._until

    @property
    def skipped(self) -> dict[str, int]:
        """What the readers left out without a dead letter, by the reason."""
        return dict(sum((source.skipped for source in self.files), Counter[str]()))

    def __iter__(self) -> Iterator[AnyEvent]:
        return (event for event, _ in self.wire())

    def wire(self) -> Iterator[tuple[AnyEvent, bytes]]:
        """The same, each event with its payload as it is on the wire."""
        self._start()
        with ExternalSort() as entries:
            self._read_into(entries)
            yield from self._given_out(entries)

    def _read_into(self, entries: ExternalSort) -> None:
        for index, (source, reader) in enumerate(zip(self.files, self._readers, strict=True)):
            for raw in reader(source):
                if self.records % _PROGRESS_EVERY == 0:
                    self._report_reading()
                self.records += 1
                entry = self._checked(index, raw)
                if entry is not None:
                    entries.add(entry)
            source.position = source.size
        self._report_reading()

    def _report_reading(self) -> None:
        done = sum(source.position for source in self.files)
        self._progress("reading", done, sum(source.size for source in self.files))

    def _checked(self, index: int, raw: Raw) -> Entry | None:
        """What is sorted of a record; None for a tick or a dead letter."""
        if raw.rejected is not None:
            self._bury(index, raw.offset, raw.payload, raw.rejected)
            return None
        try:
            record = decode(raw.payload)
        except Rejected as why:
            self._bury(index, raw.offset, raw.payload, why)
            return None
        if isinstance(record, Tick):
            self.ticks += 1
            return None
        return *order_key(record), index, raw.offset, raw.payload

    def _given_out(self, entries: ExternalSort) -> Iterator[tuple[AnyEvent, bytes]]:
        total = len(entries)
        rest = iter(entries)
        before = NEVER  # nothing is ahead of the first
        for index, entry in enumerate(rest):
            if index % _PROGRESS_EVERY == 0:
                self._progress("applying", index, total)
            ts = entry[0]
            if index * 2 >= total and ts - before > self._max_ahead_ms:
                self._bury_ahead(chain([entry], rest), before)
                break
            before = ts
            if self._until is None or ts <= self._until:
                self._count(ts)
                yield cast("AnyEvent", decode(entry[-1])), entry[-1]
            else:
                self.after_until += 1
        self._progress("applying", total, total)

    def _count(self, ts: Millis) -> None:
        self.events += 1
        self.last_ts = ts
        if self.first_ts is None:
            self.first_ts = ts

    def _bury_ahead(self, entries: Iterable[Entry], before: Millis) -> None:
        for ts, _, _, index, offset, payload in entries:
            days = (ts - before) // DAY_MS
            detail = f"`ts`: {days} days after the last event that can be believed; a broken clock?"
            self._bury(index, offset, payload, Rejected("too_far_ahead", detail))

    def _bury(self, index: int, offset: int, payload: bytes, why: Rejected) -> None:
        self.dead += 1
        self._dead_letters(dead_letter(self.files[index].name, 0, offset, payload, why))
