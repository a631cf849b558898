"""What partitions tell Prometheus of themselves, read from their status when it is asked for."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.core import Metric

from app.live import metric_names as names
from app.live.status import OUTCOMES, PartitionStatus
from schemas.times import SECOND_MS, Millis

LATENESSES: Final = ("late", "too_late")
RESULTS: Final = ("sent", "delivered", "opened", "clicked", "failed", "unsubscribed", "recalled", "lost_again")
"""What the ledger counts of triggers, that no decision tells."""

Row = tuple[list[str], float]
"""The values of the labels, and the sample."""


def samples(statuses: Iterable[PartitionStatus], wall: Millis | None) -> Iterator[Metric]:
    """Everything that partitions tell. `wall`: the time of now, where the clock on the wall moves time."""
    known = list(statuses)
    for name in (names.EVENTS, names.LATE_EVENTS, names.EPOCHS):
        yield _filled(name.counted(), _READERS[name.name], known)
    for name in _GAUGES:
        yield _filled(name.gauge(), _READERS[name.name], known)
    if wall is not None:
        yield _filled(names.WATERMARK_DELAY.gauge(), lambda each: _delay(each, wall), known)


def _filled(family: Metric, read: "Reader", statuses: Iterable[PartitionStatus]) -> Metric:
    for status in statuses:
        for labels, value in read(status):
            family.add_metric([str(status.partition), *labels], value)  # type: ignore[attr-defined]  # of both kinds
    return family


def _delay(status: PartitionStatus, wall: Millis) -> Iterator[Row]:
    if status.watermark:
        yield [], (wall - status.watermark) / SECOND_MS


def _users(status: PartitionStatus) -> Iterator[Row]:
    return (([tag, value], count) for tag, values in status.census.items() for value, count in values.items())


def _unrun(status: PartitionStatus) -> Iterator[Row]:
    for campaign in sorted({run.campaign for run in status.runs}):
        yield [campaign], sum(run.left for run in status.runs if run.campaign == campaign)


def _results(status: PartitionStatus) -> Iterator[Row]:
    for campaign in sorted({line.campaign for line in status.ledger}):
        lines = [line for line in status.ledger if line.campaign == campaign]
        for result in RESULTS:
            yield [campaign, result], sum(line.counts.get(result, 0) for line in lines)


def _counters(*kept: str) -> "Reader":
    return lambda status: (([name], status.counters.get(name, 0)) for name in kept)


def _number(read: Callable[[PartitionStatus], float]) -> "Reader":
    return lambda status: [([], read(status))]


Reader = Callable[[PartitionStatus], Iterable[Row]]

_READERS: Final[dict[str, Reader]] = {
    names.EVENTS.name: _counters(*OUTCOMES),
    names.LATE_EVENTS.name: _counters(*LATENESSES),
    names.EPOCHS.name: _number(lambda status: status.epoch),
    names.USERS.name: _users,
    names.LAG.name: lambda status: (([topic], records) for topic, records in status.lag.items()),
    names.WATERMARK.name: _number(lambda status: status.watermark / SECOND_MS),
    names.PROGRESS_AGE.name: _number(lambda status: status.progress_age_s),
    names.RUNNING.name: _number(lambda status: status.phase == "running"),
    names.UNSWEPT.name: _number(lambda status: status.unswept),
    names.UNRUN.name: _unrun,
    names.PAUSED.name: lambda status: (([campaign], 1) for campaign in status.paused),
    names.RESULTS.name: _results,
}
_GAUGES: Final = tuple(name for name in names.METRICS if name.name in _READERS and name.kind == "gauge")
