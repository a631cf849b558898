"""What a worker counts for Prometheus since it started: once an epoch, from what the epoch says, and once a restore."""

from collections import Counter as Count
from collections.abc import Iterable
from itertools import product
from typing import Final, get_args

from prometheus_client import CollectorRegistry

from agents.partition import Epoch
from agents.rules.rulebook import Rulebook
from app.live import metric_names as names
from schemas.changes import LIFECYCLE, PURCHASE
from schemas.dead_letter import DeadReason
from schemas.recall import Outcome
from schemas.times import SECOND_MS, Millis

OTHER: Final = "other"
"""Tags that no rule knows are set by hand, under any name: they count as one."""


class EpochCounts:
    """The counters and histograms. What is known beforehand counts from 0, so that its first time is seen too.

    `by_wall`: whether a trigger's `at` can be compared with the clock on the wall.
    """

    def __init__(self, registry: CollectorRegistry, rulebook: Rulebook, *, by_wall: bool) -> None:
        self._by_wall = by_wall
        self._tags = {LIFECYCLE, PURCHASE, *rulebook.names}
        self._epoch = names.EPOCH.histogram(registry)
        self._event_to_commit = names.EVENT_TO_COMMIT.histogram(registry)
        self._event_to_trigger = names.EVENT_TO_TRIGGER.histogram(registry) if by_wall else None
        self._restore = names.RESTORE.histogram(registry)
        self._restored_rows = names.RESTORED_ROWS.counter(registry)
        self._changes = names.TAG_CHANGES.counter(registry)
        self._decisions = names.DECISIONS.counter(registry)
        self._reasons = names.DECISION_REASONS.counter(registry)
        self._triggers = names.TRIGGERS.counter(registry)
        self._dead_letters = names.DEAD_LETTERS.counter(registry)
        self._begin_with(rulebook)

    def _begin_with(self, rulebook: Rulebook) -> None:
        for reason in get_args(DeadReason):
            self._dead_letters.labels(reason)
        for tag in (*self._tags, OTHER):
            self._changes.labels(tag)
        for campaign, outcome in product(rulebook.campaigns.all, get_args(Outcome)):
            self._decisions.labels(campaign.name, outcome)
        for campaign in rulebook.campaigns.all:
            for channel in campaign.channels:
                self._triggers.labels(campaign.name, channel.name)

    def committed(self, epoch: Epoch, seconds: float, arrivals: Iterable[Millis], now: Millis) -> None:
        """Count an epoch. `arrivals`: when some of the records came that it applied; `now`: when it is committed."""
        self._epoch.observe(seconds)
        for at in arrivals:
            self._event_to_commit.observe(_seconds(now - at))
        for tag, count in Count(change.tag for change in epoch.changes).items():
            self._changes.labels(tag if tag in self._tags else OTHER).inc(count)
        for reason, count in Count(letter.reason for letter in epoch.dead_letters).items():
            self._dead_letters.labels(reason).inc(count)
        if epoch.decisions:
            self._count_campaigns(epoch, now)

    def _count_campaigns(self, epoch: Epoch, now: Millis) -> None:
        for decision in epoch.decisions:
            self._decisions.labels(decision.campaign, decision.outcome).inc()
            for reason in decision.reasons:
                self._reasons.labels(decision.campaign, reason).inc()
        for trigger in epoch.triggers:
            if trigger.rev == 0:
                self._triggers.labels(trigger.campaign, trigger.recall_channel).inc()
                if self._event_to_trigger is not None:
                    self._event_to_trigger.observe(_seconds(now - trigger.at))

    def restored(self, rows: int, seconds: float) -> None:
        """Count a restore."""
        self._restore.observe(seconds)
        self._restored_rows.inc(rows)


def _seconds(waited: Millis) -> float:
    """Clocks of other machines may be ahead of ours."""
    return max(waited, 0) / SECOND_MS
