"""GET /api/partitions: each partition, who runs it, and how far it is."""

from collections.abc import Mapping

from msgspec import Struct

from app.api.route import Asked
from app.live.status import PartitionStatus
from schemas.times import Millis
from schemas.topics import Offset, Topic


class PartitionShown(Struct, kw_only=True, frozen=True):
    """One partition, as its owner last told it at `as_of` (the clock on the wall, ms; an owner does so every 5 s).

    - `owner`: the worker's machine, and the port of its web view
    - `phase`: restoring, running or held: handed over, or waiting to be restored
    - `epoch`: how many it has written; `epoch_at`: when this owner wrote the last one, null before the first
    - `generation`: grows with each restore
    - `watermark`: how far event time has come; 0: nothing has come yet
    - `lag`: records yet to be read, by topic; `offsets`: of the next event to be applied, by topic, as last written
    """

    partition: int
    owner: str
    phase: str
    epoch: int
    epoch_at: Millis | None
    epoch_age_ms: Millis | None
    generation: int
    watermark: Millis
    lag: Mapping[Topic, int]
    offsets: Mapping[Topic, Offset]
    unswept: int
    as_of: Millis

    @classmethod
    def of(cls, status: PartitionStatus) -> "PartitionShown":
        """What of a status concerns the partition itself."""
        has_written = status.epoch_at > 0
        return cls(
            partition=status.partition,
            owner=status.owner,
            phase=status.phase,
            epoch=status.epoch,
            epoch_at=status.epoch_at if has_written else None,
            epoch_age_ms=status.as_of - status.epoch_at if has_written else None,
            generation=status.generation,
            watermark=status.watermark,
            lag=status.lag,
            offsets=status.offsets,
            unswept=status.unswept,
            as_of=status.as_of,
        )


class Partitions(Struct, kw_only=True, frozen=True):
    """All partitions that are known of; `unknown`: the numbers of the others, whom no owner has told of.

    `store`: whether Redis answers; without it only those of the worker that was asked are known of.
    """

    partitions: list[PartitionShown]
    unknown: list[int]
    store: bool


async def get_partitions(asked: Asked) -> Partitions:
    """All of them, in order."""
    known, is_there = await asked.sources.partitions()
    unknown = set(range(asked.sources.settings.partitions)) - {status.partition for status in known}
    return Partitions(partitions=list(map(PartitionShown.of, known)), unknown=sorted(unknown), store=is_there)
