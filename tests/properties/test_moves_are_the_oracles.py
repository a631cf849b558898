"""Moves by day, and the population counted back from them: those of the oracle's history, whatever came how."""

from collections import Counter
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from agents.partition import Partition
from app.moves import KnownMoves, added, flows, population
from app.population import LIFECYCLES, STATES, Population
from schemas.changes import TagName
from schemas.times import DAY_MS, Millis
from tables.changelog import Marker, Restore, marker_record
from tables.moves import read_moves
from tables.table import Table
from tests.live.fates import Plan, plans
from tests.live.world import World
from tests.oracle import History, history
from tests.properties.test_rows_are_order_free import recut
from tests.properties.test_the_law import drive, limits_of
from tests.properties.test_the_law_live import lived
from tests.storms import Storm, storms

EPOCH_DAY = date(1970, 1, 1).toordinal()


def truth(storm: Storm) -> History:
    return history(storm.all_arrivals(), storm.watermark, storm.limits)


def expected_days(told: History) -> dict[int, Any]:
    """The transitions of all users, by day."""
    found: dict[int, Any] = {}
    for tags in told.values():
        for tag, changes in tags.items():
            for at, before, after in changes:
                counts = found.setdefault(at // DAY_MS, {}).setdefault(tag, {})
                counts[before, after] = counts.get((before, after), 0) + 1
    return found


def known_of(partition: Partition) -> KnownMoves:
    return KnownMoves.of(partition.state, partition.moves.days)


def users_at(told: History, tag: TagName, end: Millis) -> dict[str, int]:
    """Users in each state just before a time."""
    past = [[after for at, _, after in tags.get(tag, []) if at < end] for tags in told.values()]
    counts = Counter(values[-1] for values in past if values)
    return {state: counts[state] for state in STATES}


def check_population(known: KnownMoves, told: History, last: int) -> None:
    """At the end of each day, from that of the first move; and the flows of all days, of some of them, and of none."""
    for tag, (days, users) in population(known).items():
        times = [at for tags in told.values() for at, *_ in tags.get(tag, [])]
        numbers = range(min(times) // DAY_MS, last + 1) if times else range(0)
        assert [day.toordinal() - EPOCH_DAY for day in days] == list(numbers)
        for place, number in enumerate(numbers):
            found = {state: counts[place] for state, counts in users.items()}
            assert found == users_at(told, tag, (number + 1) * DAY_MS)
        for start in {0, *numbers[:: len(numbers) // 3 + 1], last + 1}:
            since, until = (date.fromordinal(EPOCH_DAY + number) for number in (start, last))
            moves = Counter((f, t) for tags in told.values() for at, f, t in tags.get(tag, []) if at // DAY_MS >= start)
            assert flows(known, tag, since, until) == moves


def folded(storm: Storm, epoch_chunks: int) -> tuple[list[Partition], list[Restore]]:
    """A storm with an epoch every few chunks; the partitions, and what was stored of them."""
    partitions = [Partition(number, limits_of(storm), Table()) for number in range(storm.partitions)]
    restores = [Restore() for _ in partitions]

    def end(number: int) -> None:
        epoch = partitions[number].collect()
        rows = [(user.encode(), row) for user, row in epoch.rows.items()]
        marker = Marker(generation=1, epoch=1, state=epoch.state)
        restores[number].read([*rows, *epoch.days.items(), marker_record(marker)])

    for turn, (number, topic, offset, payloads) in enumerate(storm.chunks()):
        partitions[number].take(topic, enumerate(payloads, offset))
        partitions[number].run()
        if turn % epoch_chunks == 0:
            end(number)
    for number in range(storm.partitions):
        end(number)
    return partitions, restores


@settings(max_examples=300, deadline=None)
@given(storms(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_days_are_the_oracles_transitions_and_tell_its_population(
    storm: Storm, epoch_chunks: int, random: Random
) -> None:
    told = truth(storm)
    partitions, restores = folded(recut(storm, random), epoch_chunks)
    for partition, restore in zip(partitions, restores, strict=True):
        assert read_moves(restore.days) == partition.moves.days
    known = added(map(known_of, partitions))
    assert known.days == expected_days(told)
    check_population(known, told, storm.until // DAY_MS)


def restored(world: World, storm: Storm) -> KnownMoves:
    """What a new owner would know of moves."""
    restore = Restore()
    restore.read(world.broker.changelog)
    assert restore.marker is not None
    partition = Partition(0, limits_of(storm), Table())
    partition.resume(restore.marker.state, restore.rows, restore.days)
    return known_of(partition)


@pytest.mark.parametrize("transactional", [True, False], ids=["whole", "in steps"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(storm=storms(), plan=plans())
def test_whatever_is_cut_off_where_each_move_is_counted_once(storm: Storm, plan: Plan, transactional: bool) -> None:
    told = truth(storm)
    worlds = lived(storm, plan, transactional=transactional)
    note("; ".join(f"{kind} {point.value}" for world in worlds for point, kind in world.hits))
    known = added(restored(world, storm) for world in worlds)
    assert known.days == expected_days(told)
    check_population(known, told, storm.until // DAY_MS)


@settings(max_examples=150)
@given(storms())
def test_a_report_counts_the_same_from_the_changes(storm: Storm) -> None:
    reported = Population()
    for partition in drive(storm):
        for change in partition.table.changes:
            reported.add(change)
    partitions, _ = folded(storm, 3)
    known = added(map(known_of, partitions))
    for tag in LIFECYCLES:
        assert population(known)[tag] == reported.by_day(tag, storm.until)
        assert flows(known, tag, date(1970, 1, 1), date(9999, 1, 1)) == reported.flows(tag)
