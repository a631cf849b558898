"""Metrics for Prometheus, read from the tasks when they are asked for: nothing is counted twice, or on the hot path."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.live.status import PartitionStatus
from schemas.times import SECOND_MS

EPOCH_BUCKETS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics(Collector):
    """The metrics of one worker. `statuses`: its partitions now."""

    def __init__(self, statuses: Callable[[], Iterable[PartitionStatus]]) -> None:
        self._statuses = statuses
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self.epoch_seconds = Histogram(
            "rekindle_epoch_seconds", "Time to write an epoch", buckets=EPOCH_BUCKETS_S, registry=self._registry
        )
        self.stalled = False

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Everything that the partitions tell."""
        known = list(self._statuses())
        events = CounterMetricFamily(
            "rekindle_events",
            "Events since the changelog began, by what became of them",
            labels=["partition", "outcome"],
        )
        users = GaugeMetricFamily("rekindle_users", "Users by tag and value", labels=["partition", "tag", "value"])
        lag = GaugeMetricFamily("rekindle_lag_records", "Records yet to be read", labels=["partition", "topic"])
        watermark = GaugeMetricFamily(
            "rekindle_watermark_seconds", "How far event time has come, Unix seconds", labels=["partition"]
        )
        epochs = CounterMetricFamily("rekindle_epochs", "Epochs since the changelog began", labels=["partition"])
        unswept = GaugeMetricFamily(
            "rekindle_unswept_users", "Users yet to be looked at by the rules in force", labels=["partition"]
        )
        unrun = GaugeMetricFamily(
            "rekindle_campaign_unrun_users", "Users whom runs have yet to come to", labels=["partition", "campaign"]
        )
        paused = GaugeMetricFamily(
            "rekindle_campaign_paused", "1: the campaign is paused by hand", labels=["partition", "campaign"]
        )
        running = GaugeMetricFamily("rekindle_partition_running", "1: processed, 0: not yet", labels=["partition"])
        for each in known:
            number = str(each.partition)
            for outcome, count in each.counters.items():
                events.add_metric([number, outcome], count)
            for tag, values in each.census.items():
                for value, count in values.items():
                    users.add_metric([number, tag, value], count)
            for topic, records in each.lag.items():
                lag.add_metric([number, topic], records)
            watermark.add_metric([number], each.watermark / SECOND_MS)
            epochs.add_metric([number], each.epoch)
            unswept.add_metric([number], each.unswept)
            for campaign in sorted({run.campaign for run in each.runs}):
                unrun.add_metric([number, campaign], sum(run.left for run in each.runs if run.campaign == campaign))
            for campaign in each.paused:
                paused.add_metric([number, campaign], 1)
            running.add_metric([number], each.phase == "running")
        stalled = GaugeMetricFamily("rekindle_stalled", "1: a partition makes no progress", value=self.stalled)
        yield from (events, users, lag, watermark, epochs, unswept, unrun, paused, running, stalled)
