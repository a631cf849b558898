"""Metrics, as Prometheus reads them."""

from collections.abc import Sequence
from time import monotonic
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from agents.churn.catalogue import FEATURES
from agents.churn.ensemble import Ensemble
from agents.churn.horizon import horizon
from app.ledger import LedgerLine
from app.live.metrics import Metrics
from app.live.status import PartitionStatus, RunStatus
from schemas.changes import LIFECYCLE
from schemas.times import DAY_MS
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


def told(statuses: Sequence[PartitionStatus], **beside: Any) -> Samples:
    return read(Metrics(lambda: statuses, **beside))


def ours(samples: Samples) -> set[str]:
    return {name for name, *_ in samples if name.startswith("rekindle_")}


def test_what_partitions_tell_can_be_read_by_prometheus() -> None:
    samples = told([status(0), status(7, phase="restoring", epoch=3, progress_age_s=2.5)])
    assert samples["rekindle_events_total", "applied", "0"] == 10
    assert samples["rekindle_late_events_total", "late", "7"] == 2
    assert samples["rekindle_users", "0", LIFECYCLE, "active"] == 1
    assert samples["rekindle_lag_records", "0", CLICKS] == 3
    assert samples["rekindle_watermark_seconds", "7"] == day(7) / 1000
    assert samples["rekindle_epochs_total", "7"] == 3
    assert samples["rekindle_progress_age_seconds", "7"] == 2.5
    assert samples["rekindle_partition_running", "0"] == 1
    assert samples["rekindle_partition_running", "7"] == 0
    assert samples["rekindle_stalled",] == 0


def test_the_outcomes_of_events_add_up_to_all_of_them() -> None:
    counters = {"applied": 10, "duplicates": 3, "erased": 1, "late": 4, "too_late": 2, "dead_letters": 5}
    samples = told([status(0, counters=counters)])
    assert sum(value for (name, *_), value in samples.items() if name == "rekindle_events_total") == 14
    assert samples["rekindle_late_events_total", "late", "0"] == 4
    assert samples["rekindle_late_events_total", "too_late", "0"] == 2


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


def test_what_became_of_triggers_is_added_up_over_channels_and_variants() -> None:
    ledger = [
        LedgerLine(
            campaign=campaign, variant=variant, channel=channel, counts={"sent": sent, "eligible": 9}, reasons={}
        )
        for campaign, variant, channel, sent in (("a", "", "push", 1), ("a", "b", "sms", 2), ("c", "", "push", 4))
    ]
    samples = told([status(1, ledger=ledger)])
    assert samples["rekindle_campaign_results", "a", "1", "sent"] == 3
    assert samples["rekindle_campaign_results", "c", "1", "sent"] == 4
    assert samples["rekindle_campaign_results", "c", "1", "recalled"] == 0


def test_the_delay_of_the_watermark_is_told_where_the_clock_on_the_wall_moves_time() -> None:
    statuses = [status(7), status(8, watermark=0)]
    samples = told(statuses, wall=lambda: day(7) + 6_500)
    assert samples["rekindle_watermark_delay_seconds", "7"] == 6.5
    assert ("rekindle_watermark_delay_seconds", "8") not in samples, "no time is known yet"
    assert "rekindle_watermark_delay_seconds" not in ours(told(statuses))


def test_a_worker_without_partitions_says_so_little_that_it_can_still_be_read() -> None:
    samples = told([])
    assert samples["rekindle_stalled",] == 0
    assert not [name for name in ours(samples) if name.startswith(("rekindle_events", "rekindle_users"))]


def test_what_changes_is_told_when_it_is_asked_for() -> None:
    statuses = [status(0)]
    metrics = Metrics(lambda: statuses)
    metrics.stalled = True
    statuses[0] = status(0, epoch=9)
    samples = read(metrics)
    assert samples["rekindle_epochs_total", "0"] == 9
    assert samples["rekindle_stalled",] == 1


def test_redis_is_told_of_where_there_is_a_read_model() -> None:
    users = SimpleNamespace(is_whole=True, behind=7)
    store = SimpleNamespace(is_up=False, errors=3, written_at=monotonic() - 20, users=users)
    samples = told([], store=store)
    assert samples["rekindle_read_model_whole",] == 1
    assert samples["rekindle_read_model_behind_rows",] == 7
    assert samples["rekindle_redis_up",] == 0
    assert samples["rekindle_redis_errors_total",] == 3
    assert 20 <= samples["rekindle_read_model_age_seconds",] < 25
    assert "rekindle_redis_up" not in ours(told([]))
    store.users = store.written_at = None
    assert not [name for name in ours(told([], store=store)) if "read_model" in name]


def test_models_are_told_of_once_there_are_some() -> None:
    found: list[Ensemble] = []
    metrics = Metrics(list, ensemble=lambda: found[-1] if found else None)
    assert not [name for name in ours(read(metrics)) if "model" in name]
    ensemble = Ensemble(horizon(30 * DAY_MS, 30 * DAY_MS))
    found.append(ensemble)
    assert "rekindle_model_log_loss" not in ours(read(metrics)), "nothing has been judged yet"
    x, y = np.zeros((4, len(FEATURES))), np.array([1.0, 0.0, 0.0, 0.0])
    ensemble.learn(x, y, {name: np.full(4, 0.25 if name == "recency" else 0.5) for name in ensemble.names}, day(0))
    samples = read(metrics)
    assert samples["rekindle_model_examples",] == 4
    assert abs(samples["rekindle_model_log_loss", "mix"] - 0.6931) < 1e-4
    assert abs(samples["rekindle_model_base_log_loss",] - samples["rekindle_model_log_loss", "recency"]) < 1e-9
    champions = {labels[0]: value for (name, *labels), value in samples.items() if name == "rekindle_model_champion"}
    assert champions == {name: name == "mix" for name in ensemble.names}


def test_the_process_tells_of_itself() -> None:
    assert told([])["process_resident_memory_bytes",] > 1_000_000


def test_two_workers_in_one_process_do_not_share_metrics() -> None:
    one, other = Metrics(list), Metrics(list)
    one.counts.restored(7, 1.0)
    assert read(one)["rekindle_restored_rows_total",] == 7
    assert read(other)["rekindle_restored_rows_total",] == 0
