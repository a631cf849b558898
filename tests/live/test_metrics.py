"""Metrics, as Prometheus reads them."""

from collections.abc import Sequence

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from app.live.metrics import EPOCH_BUCKETS_S, Metrics
from app.live.status import PartitionStatus, RunStatus
from schemas.changes import LIFECYCLE
from tests.live.desk import CLICKS, day
from tests.live.test_status import status

Samples = dict[tuple[str, ...], float]


def read(metrics: Metrics) -> Samples:
    """Each sample by its name and the values of its labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def told(statuses: Sequence[PartitionStatus]) -> Samples:
    return read(Metrics(lambda: statuses))


def test_what_partitions_tell_can_be_read_by_prometheus() -> None:
    samples = told([status(0), status(7, phase="restoring", epoch=3)])
    assert samples["rekindle_events_total", "applied", "0"] == 10
    assert samples["rekindle_events_total", "late", "7"] == 2
    assert samples["rekindle_users", "0", LIFECYCLE, "active"] == 1
    assert samples["rekindle_lag_records", "0", CLICKS] == 3
    assert samples["rekindle_watermark_seconds", "7"] == day(7) / 1000
    assert samples["rekindle_epochs_total", "7"] == 3
    assert samples["rekindle_partition_running", "0"] == 1
    assert samples["rekindle_partition_running", "7"] == 0
    assert samples["rekindle_stalled",] == 0


def test_how_far_runs_are_and_who_is_paused_is_told_by_campaign() -> None:
    runs = [
        RunStatus(id=ident, campaign=campaign, at=1, users=5, left=left)
        for ident, campaign, left in (("r1", "silent", 3), ("r2", "silent", 4), ("r3", "lost", 0))
    ]
    samples = told([msgspec.structs.replace(status(7), runs=runs, paused={"lost": 5})])
    assert samples["rekindle_campaign_unrun_users", "silent", "7"] == 7
    assert samples["rekindle_campaign_unrun_users", "lost", "7"] == 0
    assert samples["rekindle_campaign_paused", "lost", "7"] == 1
    assert ("rekindle_campaign_paused", "silent", "7") not in samples


def test_a_worker_without_partitions_says_so_little_that_it_can_still_be_read() -> None:
    samples = told([])
    assert samples["rekindle_stalled",] == 0
    assert not [name for name, *_ in samples if name.startswith(("rekindle_events", "rekindle_users"))]


def test_what_changes_is_told_when_it_is_asked_for() -> None:
    statuses = [status(0)]
    metrics = Metrics(lambda: statuses)
    metrics.stalled = True
    statuses[0] = status(0, epoch=9)
    samples = read(metrics)
    assert samples["rekindle_epochs_total", "0"] == 9
    assert samples["rekindle_stalled",] == 1


def test_the_time_of_an_epoch_falls_into_buckets() -> None:
    metrics = Metrics(list)
    for seconds in (0.001, 0.03, 30):
        metrics.epoch_seconds.observe(seconds)
    samples = read(metrics)
    assert samples["rekindle_epoch_seconds_count",] == 3
    buckets = [samples["rekindle_epoch_seconds_bucket", str(limit)] for limit in EPOCH_BUCKETS_S]
    assert buckets == [1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    assert samples["rekindle_epoch_seconds_bucket", "+Inf"] == 3


def test_two_workers_in_one_process_do_not_share_metrics() -> None:
    one, other = Metrics(list), Metrics(list)
    one.epoch_seconds.observe(1)
    assert read(other)["rekindle_epoch_seconds_count",] == 0
