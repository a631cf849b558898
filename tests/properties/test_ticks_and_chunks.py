"""What may differ without a trace: chunks that are read before time goes on, ticks, and rows that are loaded again.

Byte for byte: the changes with their ids, the rows, the dead letters, the counters.
"""

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.partition import Partition
from schemas.changes import LIFECYCLE, PURCHASE, TagChange
from schemas.events import Scalar
from tables import codec
from tables.row import Row
from tables.table import Table
from tests.oracle import Wire, instant
from tests.properties.test_rows_are_order_free import recut
from tests.properties.test_the_law import drive, limits_of
from tests.storms import Storm, storms


def everything(partitions: list[Partition], storm: Storm) -> list[Any]:
    """All that is known and was said, for each partition."""
    users = sorted({event["user_id"] for event in storm.all_arrivals()})
    return [
        (
            partition.table.changes,
            {user: codec.encode(row) for user in users if (row := partition.table.get(user)) is not None},
            partition.dead_letters,
            partition.counters,
        )
        for partition in partitions
    ]


def read_all(storm: Storm) -> list[Partition]:
    """Take every chunk, and only then let time go on."""
    partitions = [Partition(number, limits_of(storm), Table()) for number in range(storm.partitions)]
    for number, topic, offset, payloads in storm.chunks():
        partitions[number].take(topic, enumerate(payloads, offset))
    for partition in partitions:
        partition.run()
    return partitions


@settings(max_examples=150, deadline=None)
@given(storms(), st.randoms(use_true_random=False))
def test_chunks_that_are_read_before_time_goes_on_make_no_difference(storm: Storm, random: Random) -> None:
    other = recut(storm, random)
    assert everything(read_all(storm), storm) == everything(read_all(other), other)


@settings(max_examples=150, deadline=None)
@given(storms(), st.integers(1, 5))
def test_rows_that_are_stored_and_loaded_again_go_on_without_a_trace(storm: Storm, epoch_chunks: int) -> None:
    assert everything(reloading(storm, epoch_chunks), storm) == everything(drive(storm), storm)


def reloading(storm: Storm, epoch_chunks: int) -> list[Partition]:
    """Every few chunks, go on from nothing but the rows as they were stored."""
    partitions = [Partition(number, limits_of(storm), Table()) for number in range(storm.partitions)]
    changes: list[list[TagChange]] = [[] for _ in partitions]
    for turn, (number, topic, offset, payloads) in enumerate(storm.chunks()):
        partition = partitions[number]
        partition.take(topic, enumerate(payloads, offset))
        partition.run()
        if turn % epoch_chunks == 0:
            changes[number] += partition.table.collect().changes
            partition.table = _reloaded(partition.table)
    for partition, said in zip(partitions, changes, strict=True):
        partition.table.changes[:0] = said
    return partitions


def _reloaded(stored: Table) -> Table:
    table = Table()
    for user, encoded in stored.encoded_rows().items():
        table.load(user, encoded)
    return table


@settings(max_examples=150, deadline=None)
@given(storms())
def test_who_follows_from_and_to_of_any_tag_ends_where_the_row_is(storm: Storm) -> None:
    partitions = drive(storm)
    followed: dict[tuple[str, str], Scalar] = {}
    for change in (change for partition in partitions for change in partition.table.changes):
        key = change.user_id, change.tag
        assert followed.get(key) == change.from_
        followed[key] = change.to
    for (user, tag), value in followed.items():
        rows = [row for partition in partitions if (row := partition.table.get(user)) is not None]
        assert value == (_value(rows[0], tag) if rows else None)


def _value(row: Row, tag: str) -> Scalar:
    if tag in (LIFECYCLE, PURCHASE):
        return (row.lifecycle if tag == LIFECYCLE else row.purchase).state
    known = row.tags.get(tag)
    return known.value if known is not None and known.ended_sequence is None else None


@settings(max_examples=150, deadline=None)
@given(storms(), st.randoms(use_true_random=False))
def test_ticks_that_say_nothing_new_make_no_difference(storm: Storm, random: Random) -> None:
    """Offsets move with them, so that dead letters would differ; there are none."""
    ticked = replace(storm, lanes={lane: _ticked(records, random) for lane, records in storm.lanes.items()})
    whole = replace(ticked, cuts=[(*lane, 0, len(records)) for lane, records in ticked.lanes.items()])
    assert everything(read_all(storm), storm) == everything(read_all(whole), storm)


def _ticked(records: list[Wire], random: Random) -> list[Wire]:
    """Here and there a tick just below the lane's bound, which holds already."""
    found: list[Wire] = []
    bound = 0
    for record in records:
        found.append(record)
        bound = max(bound, instant(record) + (record["type"] == "tick"))
        if random.random() < 0.5:
            found.append({"type": "tick", "ts": bound - 1})
    return found
