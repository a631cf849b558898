"""Population and flows from moves: what is told where days are missing, partitions are apart, or nobody has moved."""

from datetime import date
from typing import Any, Final

import msgspec
import pytest

from app.moves import DAYS_SHOWN, KnownMoves, added, flows, population
from app.population import STATES
from schemas.changes import LIFECYCLE, PURCHASE
from schemas.times import DAY_MS, Millis
from tables.changelog import State
from tables.merge import Position
from tables.moves import Day

DAY_0: Final = 19_723  # 2024-01-01
NEW: Final[Day] = {LIFECYCLE: {(None, "active"): 1}}
GONE: Final[Day] = {LIFECYCLE: {("active", "silent"): 1}}


def state(watermark: Millis, since: Millis | None = 0, furthest: Millis = 0, **users: int) -> State:
    census = {LIFECYCLE: users, PURCHASE: {}}
    positions = {"A": Position(3, 7 * DAY_MS), "B": Position(0, None)}
    return State(
        positions=positions, watermark=watermark, census=census, counters={}, furthest=furthest, moves_since=since
    )


def day(number: int, ms: int = 0) -> Millis:
    return (DAY_0 + number) * DAY_MS + ms


def january(number: int) -> date:
    return date(2024, 1, number + 1)


def known(until: int, days: dict[int, Day], since: Millis | None = 0, **users: int) -> KnownMoves:
    """Of a partition that has passed a day, and its days from the first of January on."""
    return KnownMoves.of(state(day(until + 1), since, **users), {DAY_0 + number: each for number, each in days.items()})


def active_and_silent(moves: KnownMoves) -> dict[date, tuple[int, int]]:
    days, users = population(moves)[LIFECYCLE]
    return dict(zip(days, zip(users["active"], users["silent"], strict=True), strict=True))


# day        1        2        3        4
# moves      +1                1 silent
def test_days_without_a_move_are_as_the_day_before() -> None:
    assert active_and_silent(known(4, {1: NEW, 3: GONE}, silent=1)) == {
        january(1): (1, 0), january(2): (1, 0), january(3): (0, 1), january(4): (0, 1)
    }  # fmt: skip


def test_where_nobody_moved_there_are_no_days() -> None:
    for moves in (known(4, {}), added([])):
        assert population(moves) == {tag: ([], {each: [] for each in STATES}) for tag in (LIFECYCLE, PURCHASE)}


def test_the_last_day_is_the_one_that_time_has_reached_and_not_the_next() -> None:
    assert KnownMoves.of(state(day(4)), {}).last == DAY_0 + 3
    assert KnownMoves.of(state(day(4, 1)), {}).last == DAY_0 + 4


# a clock on the wall: what was done in the last seconds lies before the watermark
def test_a_move_that_is_ahead_of_time_has_its_day() -> None:
    assert active_and_silent(known(3, {4: NEW}, active=1)) == {january(4): (1, 0)}


# one        1 +1      2         3 silent
# other      1         2 +1      (behind: its user stands where it stood)
def test_partitions_are_added_up() -> None:
    one, other = known(3, {1: NEW, 3: GONE}, silent=1), known(2, {2: NEW}, active=1)
    both = added([one, other])
    assert active_and_silent(both) == {january(1): (1, 0), january(2): (2, 0), january(3): (1, 1)}
    assert flows(both, LIFECYCLE, january(1), january(3)) == {(None, "active"): 2, ("active", "silent"): 1}
    assert (one.census, one.days) == (known(3, {1: NEW, 3: GONE}, silent=1).census, {DAY_0 + 1: NEW, DAY_0 + 3: GONE})


def test_flows_are_those_of_the_days_asked_for_in_the_order_in_which_they_are_shown() -> None:
    all_days = known(9, {1: NEW, 2: GONE, 5: {LIFECYCLE: {("silent", None): 1, (None, "active"): 2}}, 8: NEW})
    assert list(flows(all_days, LIFECYCLE, january(2), january(5)).items()) == [
        ((None, "active"), 2), (("active", "silent"), 1), (("silent", None), 1)
    ]  # fmt: skip
    assert flows(all_days, LIFECYCLE, january(3), january(4)) == flows(all_days, PURCHASE, january(0), january(9)) == {}


def test_moves_that_come_to_nothing_are_no_flow() -> None:
    back: Day = {LIFECYCLE: {("active", "silent"): -1}}
    assert flows(added([known(3, {2: GONE}), known(3, {2: back})]), LIFECYCLE, january(0), january(3)) == {}


# day        0 +1 and silent, not counted      2 the upgrade       3 +1        4
def test_days_before_moves_were_counted_are_not_told() -> None:
    moves = known(4, {2: {LIFECYCLE: {("active", "silent"): -1}}, 3: NEW}, since=day(2, 5), active=2)
    assert active_and_silent(moves) == {january(2): (1, 0), january(3): (2, 0), january(4): (2, 0)}
    assert flows(moves, LIFECYCLE, january(0), january(4)) == {(None, "active"): 1}


@pytest.mark.parametrize(("watermark", "furthest"), [(day(2, 5), 0), (day(1), day(2, 5)), (0, 0)])
def test_they_were_not_counted_up_to_where_time_had_come(watermark: Millis, furthest: Millis) -> None:
    moves = KnownMoves.of(state(watermark, None, furthest), {})
    assert moves.first == (DAY_0 + 3 if watermark else 8)


def test_only_so_many_days_are_told_and_they_are_right() -> None:
    moves = known(DAYS_SHOWN + 1, {0: NEW, 1: NEW, 2: NEW, 5: GONE, DAYS_SHOWN + 1: GONE}, active=1, silent=2)
    assert moves.days.keys() == {DAY_0 + 2, DAY_0 + 5, DAY_0 + DAYS_SHOWN + 1}
    told = active_and_silent(moves)
    assert (min(told), len(told)) == (january(1), DAYS_SHOWN + 1)
    assert [told[january(number)] for number in (1, 2, 5)] == [(2, 0), (3, 0), (2, 1)]
    assert flows(moves, LIFECYCLE, january(0), january(5)) == {(None, "active"): 1, ("active", "silent"): 1}


def test_partitions_tell_together_what_each_of_them_can() -> None:
    whole, later = known(9, {1: NEW, 8: NEW}, active=2), known(9, {8: NEW}, since=day(5), active=3)
    expected = {january(number): (3 if number < 8 else 5, 0) for number in range(5, 10)}
    for order in ([whole, later], [known(9, {}, since=day(2)), later, whole]):
        assert active_and_silent(added(order)) == expected


def fullest() -> Day:
    """Every move that there is."""
    ends: tuple[Any, ...] = (None, *STATES)
    return {tag: {(f, t): 60_000 for f in ends for t in ends if f != t} for tag in (LIFECYCLE, PURCHASE)}


def test_what_is_told_of_a_partition_stays_small() -> None:
    days = {DAY_0 + number: fullest() for number in range(2 * DAYS_SHOWN)}
    moves = KnownMoves.of(state(day(2 * DAYS_SHOWN), active=7), days)
    encoded = msgspec.msgpack.encode(moves)
    assert len(encoded) < DAYS_SHOWN * 900
    assert msgspec.msgpack.decode(encoded, type=KnownMoves) == moves
