"""A history through partitions: what each of them says, epoch by epoch. Time follows the events, up to the end."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from agents.limits import Limits
from agents.partition import Partition
from agents.rules.rulebook import Rulebook
from app.history.history import History
from schemas.changes import TagChange
from schemas.events import TYPE_OF
from schemas.times import Millis
from tables.table import Table

EPOCH_EVENTS: Final = 50_000
MAX_HOT_ROWS: Final = 200_000
"""More users than that are kept as bytes: slower, but in a fifth of the memory."""


def partition_of_all(limits: Limits, rulebook: Rulebook) -> Partition:
    """The one partition in which all users of a history are."""
    return Partition(0, limits, Table(MAX_HOT_ROWS), rulebook=rulebook)


def fold(
    history: History, partitions: Sequence[Partition], counted: Counter[str]
) -> Iterator[Sequence[Sequence[TagChange]]]:
    """Apply every event of a history to each partition; after each epoch, what each of them said in it.

    Every change that is due before an epoch's end is said in it; each instant of the churn grid ends one. `counted`
    learns how many events there were, by type.
    """
    sampled = [partition for partition in partitions if partition.sampler is not None]
    for number, event in enumerate(history, start=1):
        while sampled and event.ts > (sweep := min(partition.next_sweep for partition in sampled)):
            yield _ended(partitions, sweep + 1)
        for partition in partitions:
            partition.apply(event, event.ts)
        counted[TYPE_OF[type(event)]] += 1
        if number % EPOCH_EVENTS == 0:
            yield _ended(partitions, event.ts)
    yield _ended(partitions, 0 if history.until is None else history.until + 1)


def _ended(partitions: Sequence[Partition], bound: Millis) -> list[list[TagChange]]:
    """End an epoch: say what is due before the bound."""
    said = []
    for partition in partitions:
        partition.advance(bound)
        said.append(partition.table.take_changes())
        if partition.table.is_crowded:
            partition.table.collect()
    return said
