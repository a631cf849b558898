"""Metrics for Prometheus: read from the tasks when they are asked for, or counted once an epoch (docs/metrics.md)."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from agents.rules.rulebook import NO_RULES, Rulebook
from app.live import metric_names as names
from app.live import model_samples, partition_samples
from app.live.epoch_counts import EpochCounts
from app.live.status import PartitionStatus
from schemas.times import Millis

if TYPE_CHECKING:
    from agents.churn.ensemble import Ensemble


class UserRows(Protocol):
    """What the read model tells of its users."""

    @property
    def is_whole(self) -> bool:
        """Whether all of them were written."""

    @property
    def behind(self) -> int:
        """How many rows have yet to be written."""


class Store(Protocol):
    """What the read model tells of itself. `written_at`: when it was last up to date, monotonic s; None: never yet."""

    is_up: bool
    errors: int
    written_at: float | None

    @property
    def users(self) -> UserRows | None:
        """None where nothing of users is written."""


class Metrics(Collector):
    """The metrics of one worker. `statuses`: its partitions now; `counts`: is to be told of epochs and restores.

    `wall`: the time of now, where the clock on the wall moves time. `store`: the read model. `ensemble`: the newest
    models, if there are any yet.
    """

    def __init__(
        self,
        statuses: Callable[[], Iterable[PartitionStatus]],
        rulebook: Rulebook = NO_RULES,
        wall: Callable[[], Millis] | None = None,
        store: Store | None = None,
        ensemble: "Callable[[], Ensemble | None] | None" = None,
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a time for each series, which nobody asks for
        self._statuses = statuses
        self._wall = wall
        self._store = store
        self._ensemble = ensemble
        self._registry = CollectorRegistry()
        self._registry.register(self)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self.counts = EpochCounts(self._registry, rulebook, by_wall=wall is not None)
        self.stalled = False

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Everything that is read now."""
        yield from partition_samples.samples(self._statuses(), None if self._wall is None else self._wall())
        yield from model_samples.samples(None if self._ensemble is None else self._ensemble())
        yield _one(names.STALLED, self.stalled)
        if self._store is not None:
            yield _one(names.REDIS_UP, self._store.is_up)
            errors = names.REDIS_ERRORS.counted()
            errors.add_metric([], self._store.errors)
            yield errors
            if self._store.written_at is not None:
                yield _one(names.READ_MODEL_AGE, monotonic() - self._store.written_at)
            if self._store.users is not None:
                yield _one(names.READ_MODEL_WHOLE, self._store.users.is_whole)
                yield _one(names.READ_MODEL_BEHIND, self._store.users.behind)


def _one(name: names.MetricName, value: float) -> Metric:
    family = name.gauge()
    family.add_metric([], value)
    return family
