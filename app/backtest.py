"""A backtest: a history through the same steps as live events, without a broker; changes and a report come out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

import msgspec

from agents.limits import Limits, Span
from agents.partition import Partition
from app import report
from app.history.formats import FileFormat
from app.history.history import History, Progress
from app.population import LIFECYCLES, Population
from schemas.changes import LIFECYCLE, PURCHASE
from schemas.dead_letter import DeadLetter, DeadReason
from schemas.events import TYPE_OF
from schemas.times import Millis, format_span
from tables.table import Table

EPOCH_EVENTS: Final = 50_000
MAX_HOT_ROWS: Final = 200_000
"""More users than that are kept as bytes: slower, but in a fifth of the memory."""


class Output:
    """The files of a backtest. The old report goes first, the new comes last: where there is one, the run was whole.

    Raises OSError where they cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._json, self._page = folder / "report.json", folder / "report.html"
        for old in (self._json, self._page):
            old.unlink(missing_ok=True)
        self._encoder = msgspec.json.Encoder()
        self._changes = (folder / "tag-changes.jsonl").open("wb")
        self._dead_letters = (folder / "dead-letters.jsonl").open("wb")
        self.dead_reasons: Counter[DeadReason] = Counter()

    def changes(self, changes: Sequence[msgspec.Struct]) -> None:
        """Append changes."""
        self._write(self._changes, changes)

    def dead_letter(self, letter: DeadLetter) -> None:
        """Append a dead letter, and count its reason."""
        self.dead_reasons[letter.reason] += 1
        self._write(self._dead_letters, [letter])

    def report(self, found: report.Report) -> None:
        """Write both forms of the report."""
        report.write_html(found, self._page)
        report.write_json(found, self._json)

    def close(self) -> None:
        """Flush what was appended."""
        self._changes.close()
        self._dead_letters.close()

    def _write(self, file: IO[bytes], records: Iterable[msgspec.Struct]) -> None:
        file.write(self._encoder.encode_lines(records))


class Backtest:
    """One history, one set of limits, one folder."""

    def __init__(self, limits: Limits, out: Path) -> None:
        self._limits = limits
        self._out = out
        self._partition = Partition(0, limits, Table(MAX_HOT_ROWS))
        self._population = Population()
        self._events: Counter[str] = Counter()

    def run(
        self, paths: Sequence[Path], file_format: FileFormat, until: Millis | None, progress: Progress
    ) -> report.Report:
        """Read, apply and report; events after `until` are left out, and what is due by then is said.

        Raises HistoryError for files that cannot be read, OSError for files that cannot be written.
        """
        with closing(Output(self._out)) as output:
            history = History(
                paths,
                file_format=file_format,
                until=until,
                max_ahead_ms=self._limits.max_ahead_ms,
                dead_letters=output.dead_letter,
                progress=progress,
            )
            self._apply(history, output)
            found = self._report(history, file_format, output.dead_reasons)
            output.report(found)
        return found

    def _apply(self, history: History, output: Output) -> None:
        """Fold the sorted events; time follows them, and goes on to the end."""
        partition, counted = self._partition, self._events
        for number, event in enumerate(history, start=1):
            partition.apply(event, event.ts)
            counted[TYPE_OF[type(event)]] += 1
            if number % EPOCH_EVENTS == 0:
                partition.advance(event.ts)
                self._end_epoch(output)
        if history.until is not None:
            partition.advance(history.until + 1)
        self._end_epoch(output)

    def _end_epoch(self, output: Output) -> None:
        table = self._partition.table
        changes = table.take_changes()
        if table.is_crowded:
            table.collect()
        for change in changes:
            self._population.add(change)
        output.changes(changes)

    def _report(self, history: History, file_format: FileFormat, dead_reasons: Counter[DeadReason]) -> report.Report:
        until = history.until
        return report.Report(
            version=version("rekindle"),
            history=report.History(
                files=[source.path.name for source in history.files],
                format=file_format.value,
                records=history.records,
                events=dict(self._events),
                ticks=history.ticks,
                skipped=history.skipped,
                after_until=history.after_until,
                first_ts=history.first_ts,
                last_ts=history.last_ts,
                until=until,
            ),
            limits=_limits(self._limits),
            counts=msgspec.convert(msgspec.structs.asdict(self._partition.counters), report.Counts),
            dead_letters=dict(dead_reasons),
            users=len(self._partition.table),
            lifecycles={tag: report.Lifecycle.of(self._population, tag, until or 0) for tag in LIFECYCLES},
        )


def _limits(limits: Limits) -> report.Limits:
    spans: dict[str, Span] = {LIFECYCLE: limits.lifecycle, PURCHASE: limits.purchase}
    return report.Limits(
        lifecycles={tag: report.LifecycleLimits.of(span.silent_ms, span.lost_ms) for tag, span in spans.items()},
        allowed_lateness=format_span(limits.allowed_lateness_ms),
        max_ahead=format_span(limits.max_ahead_ms),
    )
