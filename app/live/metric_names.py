"""The names of all metrics of our own, with their labels: what a worker tells, and docs/metrics.md lists.

Names go by Prometheus' rules: base units, `_total` behind what only grows. No label holds what is of a user.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

TOTAL: Final = "_total"

_EPOCH_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LATENCY_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0, 300.0, 3_600.0)
"""In between 5 and 10, as the clock on the wall waits for 5 s."""
_RESTORE_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class MetricName(NamedTuple):
    """A metric: as queries name it, its labels, its unit, and what it means. `buckets`: upper limits of a histogram."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    unit: str
    doc: str
    buckets: tuple[float, ...] = ()

    def gauge(self) -> GaugeMetricFamily:
        """To be filled when it is asked for."""
        return GaugeMetricFamily(self.name, self.doc, labels=self.labels)

    def counted(self) -> CounterMetricFamily:
        """Likewise, of what is counted elsewhere."""
        return CounterMetricFamily(self.name.removesuffix(TOTAL), self.doc, labels=self.labels)

    def counter(self, registry: CollectorRegistry) -> Counter:
        """One that counts by itself."""
        return Counter(self.name.removesuffix(TOTAL), self.doc, self.labels, registry=registry)

    def histogram(self, registry: CollectorRegistry) -> Histogram:
        """Likewise, by how much."""
        return Histogram(self.name, self.doc, self.labels, buckets=self.buckets, registry=registry)


EVENTS: Final = MetricName(
    "rekindle_events_total", "counter", ("partition", "outcome"), "events",
    "what became of events, since the changelog began; each is in one outcome",
)  # fmt: skip
LATE_EVENTS: Final = MetricName(
    "rekindle_late_events_total", "counter", ("partition", "lateness"), "events",
    "events that came late, since the changelog began; they are among the others too",
)  # fmt: skip
USERS: Final = MetricName(
    "rekindle_users", "gauge", ("partition", "tag", "value"), "users", "users by the state of each lifecycle"
)
LAG: Final = MetricName(
    "rekindle_lag_records", "gauge", ("partition", "topic"), "records", "records of an input topic yet to be read"
)
WATERMARK: Final = MetricName(
    "rekindle_watermark_seconds", "gauge", ("partition",), "Unix seconds", "how far event time has come"
)
WATERMARK_DELAY: Final = MetricName(
    "rekindle_watermark_delay_seconds", "gauge", ("partition",), "seconds",
    "the clock on the wall less the watermark; 5 is as good as it gets. With `REKINDLE_CLOCK=wall` only",
)  # fmt: skip
EPOCHS: Final = MetricName(
    "rekindle_epochs_total", "counter", ("partition",), "epochs", "epochs written, since the changelog began"
)
PROGRESS_AGE: Final = MetricName(
    "rekindle_progress_age_seconds", "gauge", ("partition",), "seconds",
    "since a partition that is owned got something done, or had nothing to do; at 30 the worker ends",
)  # fmt: skip
RUNNING: Final = MetricName(
    "rekindle_partition_running", "gauge", ("partition",), "0 or 1", "1: processed; 0: restored, or handed over"
)
STALLED: Final = MetricName(
    "rekindle_stalled", "gauge", (), "0 or 1", "1: a partition makes no progress, and the worker is about to end"
)
UNSWEPT: Final = MetricName(
    "rekindle_unswept_users", "gauge", ("partition",), "users", "users yet to be looked at by the rules in force"
)
UNRUN: Final = MetricName(
    "rekindle_campaign_unrun_users", "gauge", ("partition", "campaign"), "users",
    "users whom runs by hand have yet to come to",
)  # fmt: skip
PAUSED: Final = MetricName(
    "rekindle_campaign_paused", "gauge", ("partition", "campaign"), "1", "there while a campaign is paused by hand"
)
RESULTS: Final = MetricName(
    "rekindle_campaign_results", "gauge", ("partition", "campaign", "result"), "recalls",
    "what became of triggers, as the ledger counts it since the changelog began; a correction may lower it",
)  # fmt: skip

EPOCH: Final = MetricName(
    "rekindle_epoch_seconds", "histogram", (), "seconds", "how long it took to write an epoch", _EPOCH_S
)
EVENT_TO_COMMIT: Final = MetricName(
    "rekindle_event_to_commit_seconds", "histogram", (), "seconds",
    "from a record's timestamp in Kafka to the commit of the epoch with all that it changed; of a sample of records",
    _LATENCY_S,
)  # fmt: skip
EVENT_TO_TRIGGER: Final = MetricName(
    "rekindle_event_to_trigger_seconds", "histogram", (), "seconds",
    "from `at` of a trigger to the commit of the epoch that says it. With `REKINDLE_CLOCK=wall` only",
    _LATENCY_S,
)  # fmt: skip
RESTORE: Final = MetricName(
    "rekindle_restore_seconds", "histogram", (), "seconds", "how long a restore of a partition took", _RESTORE_S
)
RESTORED_ROWS: Final = MetricName("rekindle_restored_rows_total", "counter", (), "rows", "rows that restores have read")
TAG_CHANGES: Final = MetricName(
    "rekindle_tag_changes_total", "counter", ("tag",), "changes", "changes said, withdrawals and corrections among them"
)
DECISIONS: Final = MetricName(
    "rekindle_decisions_total", "counter", ("campaign", "outcome"), "decisions", "what campaigns decided"
)
DECISION_REASONS: Final = MetricName(
    "rekindle_decision_reasons_total", "counter", ("campaign", "reason"), "decisions",
    "why decisions were not to send; one may have several reasons",
)  # fmt: skip
TRIGGERS: Final = MetricName(
    "rekindle_triggers_total", "counter", ("campaign", "channel"), "triggers", "triggers said, without cancellations"
)
DEAD_LETTERS: Final = MetricName(
    "rekindle_dead_letters_total", "counter", ("reason",), "records", "records that could not be used"
)

MODEL_LOSS: Final = MetricName(
    "rekindle_model_log_loss", "gauge", ("model",), "nats",
    "log loss of each candidate over the newest instants (each weighs 0.9 of the next), by what it said beforehand",
)  # fmt: skip
MODEL_BASE_LOSS: Final = MetricName(
    "rekindle_model_base_log_loss", "gauge", (), "nats",
    "log loss that the share of those who stayed away, told to everybody, would have over the same instants",
)  # fmt: skip
MODEL_CHAMPION: Final = MetricName(
    "rekindle_model_champion", "gauge", ("model",), "0 or 1", "1: the candidate that scores users"
)
MODEL_EXAMPLES: Final = MetricName(
    "rekindle_model_examples", "gauge", (), "examples", "so many examples the losses are of, the older weighing less"
)
MODEL_AS_OF: Final = MetricName(
    "rekindle_model_as_of_seconds", "gauge", (), "Unix seconds", "the instant as of which the newest models were fitted"
)

REDIS_UP: Final = MetricName("rekindle_redis_up", "gauge", (), "0 or 1", "1: Redis took what was written to it last")
REDIS_ERRORS: Final = MetricName(
    "rekindle_redis_errors_total", "counter", (), "errors", "times that Redis did not take what was to be written"
)
READ_MODEL_AGE: Final = MetricName(
    "rekindle_read_model_age_seconds", "gauge", (), "seconds", "since the read model in Redis was last up to date"
)
READ_MODEL_WHOLE: Final = MetricName(
    "rekindle_read_model_whole", "gauge", (), "0 or 1",
    "1: all users of this worker's partitions are in Redis; 0: they are being written. With `REKINDLE_READ_MODEL` only",
)  # fmt: skip
READ_MODEL_BEHIND: Final = MetricName(
    "rekindle_read_model_behind_rows", "gauge", (), "rows",
    "rows that have yet to be written to Redis. With `REKINDLE_READ_MODEL` only",
)  # fmt: skip

METRICS: Final = (
    EVENTS, LATE_EVENTS, DEAD_LETTERS, TAG_CHANGES, USERS,
    EVENT_TO_COMMIT, EVENT_TO_TRIGGER, LAG, WATERMARK, WATERMARK_DELAY,
    EPOCH, EPOCHS, PROGRESS_AGE, RUNNING, STALLED, RESTORE, RESTORED_ROWS, UNSWEPT,
    DECISIONS, DECISION_REASONS, TRIGGERS, RESULTS, UNRUN, PAUSED,
    MODEL_LOSS, MODEL_BASE_LOSS, MODEL_CHAMPION, MODEL_EXAMPLES, MODEL_AS_OF,
    REDIS_UP, REDIS_ERRORS, READ_MODEL_AGE, READ_MODEL_WHOLE, READ_MODEL_BEHIND,
)  # fmt: skip
"""In the order of the page: what comes in, how long it takes, how partitions do, campaigns, models, Redis."""
