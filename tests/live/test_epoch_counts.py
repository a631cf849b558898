"""What a worker counts once an epoch."""

from typing import Any, Final

from agents.limits import DEFAULT_LIMITS
from agents.partition import Epoch, Partition
from agents.rules.rulebook import NO_RULES, Rulebook
from app.live.metrics import Metrics
from app.rules_file import load_rules
from schemas.changes import LIFECYCLE, TagChange
from schemas.dead_letter import DeadLetter, DeadReason
from schemas.recall import Outcome, Reason, RecallDecision, RecallTrigger
from schemas.times import Millis
from tables.table import Table
from tests.live.desk import day
from tests.live.test_metrics import Samples, read

NOW: Final[Millis] = day(3)
BUILTIN: Final = load_rules()
CAMPAIGN: Final = BUILTIN.campaigns.all[0]


def epoch(**fields: Any) -> Epoch:
    """An epoch in which nothing happened but what is given."""
    return Partition(0, DEFAULT_LIMITS, Table()).collect()._replace(**fields)


def counted(*epochs: Epoch, arrivals: tuple[Millis, ...] = (), rulebook: Rulebook = NO_RULES) -> Samples:
    metrics = Metrics(list, rulebook, lambda: NOW)
    for each in epochs:
        metrics.counts.committed(each, 0.03, arrivals, NOW)
    return read(metrics)


def change(tag: str) -> TagChange:
    return TagChange(id="i", user_id="u", tag=tag, from_=None, to="x", at=1, cause="timer", rule_version=1)


def letter(reason: DeadReason) -> DeadLetter:
    return DeadLetter(topic="events.click", partition=0, offset=1, reason=reason, detail="", payload=b"")


def decision(outcome: Outcome, *reasons: Reason) -> RecallDecision:
    return RecallDecision(
        id="i", user_id="u", campaign=CAMPAIGN.name, outcome=outcome, reasons=list(reasons), at=1, cause="c",
        campaign_version=1, variant=None, recall_channel=None,
    )  # fmt: skip


def trigger(rev: int, at: Millis) -> RecallTrigger:
    return RecallTrigger(
        id="i", rev=rev, user_id="u", campaign=CAMPAIGN.name, variant=None, reason="", recall_channel="sms", offer=None,
        at=at, expires_at=at + 1, test=False, churn_risk=None, profile={}, cause="c",
    )  # fmt: skip


def test_the_time_of_an_epoch_falls_into_its_bucket() -> None:
    samples = counted(epoch(), epoch())
    assert samples["rekindle_epoch_seconds_count",] == 2
    assert samples["rekindle_epoch_seconds_bucket", "0.02"] == 0
    assert samples["rekindle_epoch_seconds_bucket", "0.05"] == 2


def test_a_record_has_waited_from_its_timestamp_to_the_commit() -> None:
    samples = counted(epoch(), arrivals=(NOW - 400, NOW - 2_000, NOW + 50))
    assert samples["rekindle_event_to_commit_seconds_count",] == 3
    assert samples["rekindle_event_to_commit_seconds_sum",] == 2.4, "a clock that is ahead of ours counts as no time"
    assert samples["rekindle_event_to_commit_seconds_bucket", "0.5"] == 2


def test_dead_letters_count_by_reason_and_from_nothing() -> None:
    before = counted()
    assert before["rekindle_dead_letters_total", "too_large"] == 0
    samples = counted(epoch(dead_letters=[letter("empty"), letter("empty"), letter("wrong_topic")]))
    assert samples["rekindle_dead_letters_total", "empty"] == 2
    assert samples["rekindle_dead_letters_total", "wrong_topic"] == 1


def test_tags_that_no_rule_knows_count_as_one() -> None:
    changes = [change(LIFECYCLE), change(LIFECYCLE), *(change(f"by-hand-{number}") for number in range(50))]
    samples = counted(epoch(changes=changes))
    assert samples["rekindle_tag_changes_total", LIFECYCLE] == 2
    assert samples["rekindle_tag_changes_total", "other"] == 50
    assert len([name for name, *_ in samples if name == "rekindle_tag_changes_total"]) == 3


def test_the_tag_of_a_rule_counts_under_its_name() -> None:
    name = min(BUILTIN.names)
    assert counted(epoch(changes=[change(name)]), rulebook=BUILTIN)["rekindle_tag_changes_total", name] == 1


def test_decisions_count_by_outcome_and_by_each_of_their_reasons() -> None:
    decisions = [decision("suppressed", "no_consent", "budget"), decision("suppressed", "budget"), decision("held_out")]
    samples = counted(epoch(decisions=decisions), rulebook=BUILTIN)
    assert samples["rekindle_decisions_total", CAMPAIGN.name, "suppressed"] == 2
    assert samples["rekindle_decisions_total", CAMPAIGN.name, "held_out"] == 1
    assert samples["rekindle_decisions_total", CAMPAIGN.name, "triggered"] == 0
    assert samples["rekindle_decision_reasons_total", CAMPAIGN.name, "budget"] == 2
    assert samples["rekindle_decision_reasons_total", CAMPAIGN.name, "no_consent"] == 1


def test_a_trigger_counts_once_and_has_waited_since_it_was_due() -> None:
    said = [trigger(0, NOW - 6_000), trigger(1, NOW - 90_000)]
    told = epoch(triggers=said, decisions=[decision("triggered"), decision("cancelled")])
    samples = counted(told, rulebook=BUILTIN)
    assert samples["rekindle_triggers_total", CAMPAIGN.name, "sms"] == 1
    assert samples["rekindle_event_to_trigger_seconds_count",] == 1
    assert samples["rekindle_event_to_trigger_seconds_sum",] == 6


def test_where_events_alone_move_time_no_trigger_is_measured_by_the_clock_on_the_wall() -> None:
    metrics = Metrics(list, BUILTIN)
    metrics.counts.committed(epoch(triggers=[trigger(0, 1)], decisions=[decision("triggered")]), 0.1, (), NOW)
    samples = read(metrics)
    assert samples["rekindle_triggers_total", CAMPAIGN.name, "sms"] == 1
    assert ("rekindle_event_to_trigger_seconds_count",) not in samples


def test_restores_count_with_their_rows() -> None:
    metrics = Metrics(list)
    metrics.counts.restored(40, 0.2)
    metrics.counts.restored(2, 7.0)
    samples = read(metrics)
    assert samples["rekindle_restore_seconds_count",] == 2
    assert samples["rekindle_restore_seconds_sum",] == 7.2
    assert samples["rekindle_restored_rows_total",] == 42
