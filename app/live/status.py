"""What a worker, or all of them together, can tell of themselves at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from agents.partition import Partition
from app.clock import now
from app.ledger import LedgerLine, added, lines
from app.ledger_rows import LedgerRow, rows
from app.live.task import PartitionTask
from schemas.changes import TagChange
from schemas.times import SECOND_MS, Millis
from schemas.topics import INPUT_TOPICS, Offset, Topic
from tables.census import Census
from tables.control import Running

NEWEST: Final = 20
"""Changes that are kept of a partition, and shown of all of them."""

_OUTCOMES: Final = ("applied", "duplicates", "erased")
"""What becomes of an event; the other counters tell how late some of them were, or what was no event."""


class RunStatus(Struct, kw_only=True, frozen=True):
    """A run by hand: about how many users it has decided, how many have yet to get their turn, in how many partitions.

    `over`: so many of the `partitions` that know of it are through.
    """

    id: str
    campaign: str
    at: Millis
    users: int
    left: int
    partitions: int = 1
    over: int = 0


class PartitionStatus(Struct, kw_only=True, frozen=True):
    """One partition: how far it is, who is in it, what is left to read.

    `unswept`: users that other rules than those in force looked at last. `ledger`: what campaigns did, over all days.
    `paused`: campaigns, by hand, and since when. `runs`: of campaigns, by hand, also the last that are over.
    `as_of`: when the owner told this, `epoch_at`: when it last wrote an epoch (0: not yet), by the clock on the wall.
    `offsets`: of the next event of each topic that is yet to be applied, as it was last written.
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
    paused: Mapping[str, Millis] = {}
    runs: Sequence[RunStatus] = ()
    owner: str = ""
    generation: int = 0
    as_of: Millis = 0
    epoch_at: Millis = 0
    offsets: Mapping[Topic, Offset] = {}

    @classmethod
    def of(cls, task: PartitionTask, owner: str = "") -> "PartitionStatus":
        """The status of a task now. `owner`: which worker runs it."""
        state, as_of = task.partition.state, now()
        since_written_ms = 0 if task.written_at is None else int((monotonic() - task.written_at) * SECOND_MS)
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
            paused=state.control.paused,
            runs=[_status_of(run, task.partition) for run in state.control.runs],
            owner=owner,
            generation=task.generation,
            as_of=as_of,
            epoch_at=0 if task.written_at is None else as_of - since_written_ms,
            offsets={topic: position.offset for topic, position in task.written.items()},
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
    paused: Mapping[str, Millis] = {}
    runs: Sequence[RunStatus] = ()
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
            paused={name: at for each in known for name, at in each.paused.items()},
            runs=_added_runs(run for each in known for run in each.runs),
            ledger=ledger,
            campaigns=rows(ledger),
        )


def _status_of(run: Running, partition: Partition) -> RunStatus:
    left, over = partition.by_hand.left(run), int(run.is_over)
    return RunStatus(id=run.id, campaign=run.campaign, at=run.at, users=run.users, left=left, over=over)


def _added_runs(runs: Iterable[RunStatus]) -> list[RunStatus]:
    """Each run once, the oldest first."""
    total: dict[str, RunStatus] = {}
    for run in runs:
        if (known := total.get(run.id)) is not None:
            counts = {
                name: getattr(known, name) + getattr(run, name) for name in ("users", "left", "partitions", "over")
            }
            total[run.id] = replace(known, **counts)
        else:
            total[run.id] = run
    return sorted(total.values(), key=lambda run: (run.at, run.id))


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for key, number in each.items():
            total[key] = total.get(key, 0) + number
    return total
