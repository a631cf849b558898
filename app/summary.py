"""What a person sees in the terminal: progress bars while it works, and a summary at the end."""

from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from app import churn_wording, policy_wording
from app.campaign_data import CampaignResult
from app.history.history import Phase
from app.ledger_words import lift_text, percent, reasons_text
from app.policy_data import CampaignPolicies, Policies
from app.population import STATES
from app.report import Churn, Report
from schemas.times import to_datetime

_WORDS: Final[dict[Phase, str]] = {"reading": "Reading and sorting", "applying": "Applying events"}


class Bars:
    """A progress bar for each phase of a backtest, on a terminal only."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._tasks: dict[Phase, TaskID] = {}
        self._started = perf_counter()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self._started

    def show(self, phase: Phase, done: int, total: int) -> None:
        """Move the bar of a phase."""
        if phase not in self._tasks:
            self._tasks[phase] = self._progress.add_task(_WORDS[phase])
        self._progress.update(self._tasks[phase], completed=done, total=total)


def show(report: Report, out: Path, elapsed_s: float) -> None:
    """Print what was found, and where the rest is."""
    console = Console(highlight=False)
    events = sum(report.history.events.values())
    rate = f"{events / elapsed_s:,.0f} events/s" if elapsed_s else ""
    console.print(f"{events:,} events of {report.users:,} users, {_period(report)} ({elapsed_s:.1f} s, {rate})")
    console.print(_states(report))
    for line in [] if report.churn is None else _churn(report.churn):
        console.print(line, markup=False, soft_wrap=True)
    for name, found in report.campaigns.campaigns.items() if report.campaigns else ():
        console.print(f"campaign {name}: {_campaign(found)}", markup=False, soft_wrap=True)
    if report.policies is not None:
        _policies(console, report.policies)
    for line in _remarks(report):
        console.print(f"- {line}", markup=False)
    console.print(f"{out / 'report.html'}", style="bold", soft_wrap=True, markup=False)


def _period(report: Report) -> str:
    history = report.history
    if history.first_ts is None or history.until is None:
        return "no time at all"
    return f"{to_datetime(history.first_ts):%Y-%m-%d} to {to_datetime(history.until):%Y-%m-%d %H:%M} UTC"


def _states(report: Report) -> Table:
    table = Table("users now", *STATES, "withdrawn")
    for column in table.columns[1:]:
        column.justify = "right"
    for tag, lifecycle in report.lifecycles.items():
        counts = [f"{getattr(lifecycle.states, state):,}" for state in STATES]
        table.add_row(tag, *counts, f"{lifecycle.withdrawn:,}")
    return table


def _churn(churn: Churn) -> list[str]:
    """The champion, and how good its scores were."""
    scores, name = churn.champion.scores, churn.instants[-1].champion if churn.instants else "nobody to score"
    known = f"{scores.labelled:,} of {churn.predictions:,} scores have a label"
    lines = [f"inactive in the next {churn.horizon}: {name}, {known}"]
    if scores.labelled:
        error = churn_wording.percent(scores.calibration_error)
        auc, log_loss = churn_wording.figure(scores.auc), churn_wording.figure(scores.log_loss)
        away = churn_wording.percent(churn.share_inactive)
        lines.append(f"{away} were; AUC {auc}, log loss {log_loss}, calibration error {error}")
    return lines


def _campaign(found: CampaignResult) -> str:
    row = found.totals
    came_back = f", {percent(row.recall_rate)} came back (lift {lift_text(row.lift)})" if row.triggered else ""
    why = f" ({reasons_text(row.reasons)})" if row.suppressed else ""
    return f"{row.triggered:,} triggered, {row.held_out:,} held out{came_back}; {row.suppressed:,} suppressed{why}"


def _policies(console: Console, policies: Policies) -> None:
    for campaign in policies.campaigns:
        console.print(_values(campaign))
    if not policies.campaigns:
        console.print(policy_wording.NOTHING, markup=False)
    elif not policies.is_from_log:
        console.print(policy_wording.NOBODY_ANSWERS, markup=False)


def _values(campaign: CampaignPolicies) -> Table:
    """What each policy is worth a decision."""
    title = f"{campaign.campaign}: {campaign.decisions:,} decisions"
    table = Table(title, "inverse propensity", "doubly robust")
    for column in table.columns[1:]:
        column.justify = "right"
    for each in campaign.policies:
        by_chance = policy_wording.with_error(each.inverse_propensity, each.inverse_propensity_error)
        robust = policy_wording.with_error(each.doubly_robust, each.doubly_robust_error)
        table.add_row(each.policy, by_chance, robust)
    return table


def _remarks(report: Report) -> list[str]:
    """What did not count, if anything."""
    counts = {
        "dead letters": sum(report.dead_letters.values()),
        "copies ignored": report.counts.duplicates,
        "after an erasure, ignored": report.counts.erased,
        "events after --until, left out": report.history.after_until,
        **report.history.skipped,
    }
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(report.dead_letters.items()))
    lines = [f"{what}: {count:,}" for what, count in counts.items() if count]
    return [f"{line} ({reasons})" if line.startswith("dead letters") else line for line in lines]
