"""A backtest: a history through the same steps as live events, without a broker; changes and a report come out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

import msgspec
from msgspec.structs import replace

from agents.churn.grid import Grid
from agents.limits import Limits, Span
from agents.rules.rulebook import NO_RULES, Rulebook
from app import report
from app.churn_report import churn
from app.fold import fold, partition_of_all
from app.history.formats import FileFormat
from app.history.history import History, Progress
from app.policy_report import Judge
from app.population import LIFECYCLES, Population
from app.predictions import CANDIDATES, MODELS, PREDICTIONS, Predictions
from schemas.changes import LIFECYCLE, PURCHASE, TagChange
from schemas.dead_letter import DeadLetter, DeadReason
from schemas.examples import Lesson
from schemas.recall import RecallDecision, RecallTrigger
from schemas.times import Millis, format_span

LESSONS: Final = "lessons.jsonl"


class Output:
    """The files of a backtest. The old report goes first, the new comes last: where there is one, the run was whole.

    Raises OSError where they cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._json, self._page, self._lessons = folder / "report.json", folder / "report.html", folder / LESSONS
        models = (folder / name for name in (PREDICTIONS, CANDIDATES, MODELS))
        for old in (self._json, self._page, self._lessons, *models):
            old.unlink(missing_ok=True)
        self._encoder = msgspec.json.Encoder()
        self._changes = (folder / "tag-changes.jsonl").open("wb")
        self._triggers = (folder / "recall-triggers.jsonl").open("wb")
        self._decisions = (folder / "recall-decisions.jsonl").open("wb")
        self._dead_letters = (folder / "dead-letters.jsonl").open("wb")
        self.dead_reasons: Counter[DeadReason] = Counter()

    def changes(self, changes: Sequence[msgspec.Struct]) -> None:
        """Append changes."""
        self._write(self._changes, changes)

    def recalls(self, triggers: Sequence[RecallTrigger], decisions: Sequence[RecallDecision]) -> None:
        """Append what campaigns decided."""
        self._write(self._triggers, triggers)
        self._write(self._decisions, decisions)

    def lessons(self, lessons: Sequence[Lesson]) -> None:
        """Write what triggers have brought."""
        self._lessons.write_bytes(self._encoder.encode_lines(lessons))

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
        for file in (self._changes, self._triggers, self._decisions, self._dead_letters):
            file.close()

    def _write(self, file: IO[bytes], records: Iterable[msgspec.Struct]) -> None:
        file.write(self._encoder.encode_lines(records))


class Backtest:
    """One history, one set of limits and rules, one folder. `judge`: of how campaigns choose their channels."""

    def __init__(
        self,
        limits: Limits,
        out: Path,
        rulebook: Rulebook = NO_RULES,
        grid: Grid | None = None,
        judge: Judge | None = None,
    ) -> None:
        self._limits = limits
        self._rulebook = rulebook
        self._out = out
        self._partition = partition_of_all(replace(limits, portraits=bool(rulebook.names), churn=grid), rulebook)
        sampler = self._partition.sampler
        self._predictions = None if grid is None or sampler is None else Predictions(grid, self._partition, sampler)
        self._population = Population(rulebook.names)
        self._events: Counter[str] = Counter()
        self._judge = judge

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
            for (changes,) in fold(history, [self._partition], self._events):
                self._take(changes, output)
                self._learn()
            if self._predictions is not None:
                self._take(self._partition.table.take_changes(), output)
                self._predictions.settle(history.until or 0)
                self._predictions.write(self._out)
            if self._judge is not None:
                output.lessons(self._judge.lessons)
            found = self._report(history, file_format, output.dead_reasons)
            output.report(found)
        return found

    def _take(self, changes: Sequence[TagChange], output: Output) -> None:
        for change in changes:
            self._population.add(change)
        output.changes(changes)
        output.recalls(*self._partition.desk.said.take())

    def _learn(self) -> None:
        lessons = self._partition.desk.lessons.take()
        if self._judge is not None:
            self._judge.lessons += lessons
        if self._predictions is not None:
            self._predictions.turn(lessons)

    def _report(self, history: History, file_format: FileFormat, dead_reasons: Counter[DeadReason]) -> report.Report:
        until = history.until
        docs = {rule.name: rule.doc for rule in self._rulebook.rules}
        return report.Report(
            version=version("rekindle"),
            history=report.History.of(history, file_format.value, self._events),
            limits=_limits(self._limits),
            counts=msgspec.convert(msgspec.structs.asdict(self._partition.counters), report.Counts),
            dead_letters=dict(dead_reasons),
            users=len(self._partition.table),
            lifecycles={tag: report.Lifecycle.of(self._population, tag, until or 0) for tag in LIFECYCLES},
            tags={
                tag: report.Tag.of(moves, docs.get(tag, ""), until or 0) for tag, moves in self._population.tags.items()
            },
            churn=None if self._predictions is None else churn(self._predictions),
            policies=None if self._judge is None else self._judge.policies(),
            campaigns=self._campaigns(),
        )

    def _campaigns(self) -> report.CampaignResults | None:
        campaigns = self._rulebook.campaigns.all
        docs = {campaign.name: campaign.doc for campaign in campaigns}
        return report.CampaignResults.of(self._partition.desk.ledger.days, docs) if campaigns else None


def _limits(limits: Limits) -> report.Limits:
    spans: dict[str, Span] = {LIFECYCLE: limits.lifecycle, PURCHASE: limits.purchase}
    return report.Limits(
        lifecycles={tag: report.LifecycleLimits.of(span.silent_ms, span.lost_ms) for tag, span in spans.items()},
        allowed_lateness=format_span(limits.allowed_lateness_ms),
        max_ahead=format_span(limits.max_ahead_ms),
    )
