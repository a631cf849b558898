"""What a worker, or all of them together, can tell of themselves at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from app.ledger import LedgerLine, added, lines
from app.ledger_rows import LedgerRow, rows
from app.live.task import PartitionTask
from schemas.changes import TagChange
from schemas.times import Millis
from schemas.topics import INPUT_TOPICS
from tables.census import Census

NEWEST: Final = 20
"""Changes that are kept of a partition, and shown of all of them."""

_OUTCOMES: Final = ("applied", "duplicates", "erased")
"""What becomes of an event; the other counters tell how late some of them were, or what was no event."""


class PartitionStatus(Struct, kw_only=True, frozen=True):
    """One partition: how far it is, who is in it, what is left to read.

    `unswept`: users that other rules than those in force looked at last. `ledger`: what campaigns did, over all days.
    """

    partition: int
    phase: str
    epoch: int
    watermark: Millis
    counters: Mapping[str, int]
    census: Census
    lag: Mapping[str, int]
    unswept: int = 0
    ledger: Sequence[LedgerLine] = ()

    @classmethod
    def of(cls, task: PartitionTask) -> "PartitionStatus":
        """The status of a task now."""
        state = task.partition.state
        return cls(
            partition=task.number,
            phase=task.phase.value,
            epoch=task.epoch,
            watermark=state.watermark,
            counters=state.counters,
            census={tag: dict(users) for tag, users in state.census.items()},
            lag={topic: task.ends.get(topic, 0) - task.expected.get(topic, 0) for topic in INPUT_TOPICS},
            unswept=task.partition.unswept,
            ledger=lines(task.partition.desk.ledger.totals),
        )


class Summary(Struct, kw_only=True, frozen=True):
    """All partitions that are known of, added up, and the newest changes.

    `watermark`: the slowest partition's. `store`: whether the read model answers; without it only this worker's own
    partitions are known of. `unswept`: users yet to be looked at by the rules in force. `campaigns`: the ledger, a row
    each.
    """

    events: int
    watermark: Millis
    lag: int
    users: Census
    counters: Mapping[str, int]
    partitions: Mapping[str, int]
    store: bool
    newest: Sequence[TagChange]
    unswept: int = 0
    ledger: Sequence[LedgerLine] = ()
    campaigns: Sequence[LedgerRow] = ()

    @classmethod
    def of(cls, partitions: Iterable[PartitionStatus], newest: Sequence[TagChange], *, store: bool) -> "Summary":
        """Add up partitions."""
        known = list(partitions)
        counters = _added(each.counters for each in known)
        ledger = added(each.ledger for each in known)
        tags = {tag for each in known for tag in each.census}
        return cls(
            events=sum(counters.get(outcome, 0) for outcome in _OUTCOMES),
            watermark=min((each.watermark for each in known), default=0),
            lag=sum(sum(each.lag.values()) for each in known),
            users={tag: _added(each.census.get(tag, {}) for each in known) for tag in sorted(tags)},
            counters=counters,
            partitions=_added({each.phase: 1} for each in known),
            store=store,
            newest=newest,
            unswept=sum(each.unswept for each in known),
            ledger=ledger,
            campaigns=rows(ledger),
        )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for key, number in each.items():
            total[key] = total.get(key, 0) + number
    return total
