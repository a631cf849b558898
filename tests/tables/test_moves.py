"""Moves by day: what stands of the changes that were said, kept and restored with the rows.

In the pictures `d` is a day of moves, `r` a row, `M` a marker.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import encode
from msgspec.structs import replace

from schemas.changes import LIFECYCLE, PURCHASE, TagChange
from schemas.events import Scalar
from schemas.times import DAY_MS, Millis
from tables.changelog import Restore, marker_record
from tables.codec import DamagedError
from tables.days import Records
from tables.ledger import LEDGER_PREFIX, read_days
from tables.moves import ALWAYS, MOVES_PREFIX, Moves, read_moves
from tests.tables.test_census import CHANGE
from tests.tables.test_changelog import marker, restored
from tests.test_population import Step, played_changes, steps


def move(before: Scalar, after: Scalar, at: Millis, tag: str = LIFECYCLE) -> TagChange:
    return replace(CHANGE, from_=before, to=after, at=at, tag=tag)


def withdrawal(of: TagChange) -> TagChange:
    return replace(of, from_=of.to, to=of.from_, corrects=of.id)


def counted(*changes: TagChange) -> Moves:
    moves = Moves()
    moves.count(changes)
    return moves


FIRST = move(None, "active", DAY_MS - 1)
SILENT = move("active", "silent", 3 * DAY_MS)


def test_a_move_counts_on_the_day_of_its_time() -> None:
    moves = counted(FIRST, FIRST, SILENT, move("active", "silent", 4 * DAY_MS - 1), move(None, "active", 7, PURCHASE))
    assert moves.days == {
        0: {LIFECYCLE: {(None, "active"): 2}, PURCHASE: {(None, "active"): 1}},
        3: {LIFECYCLE: {("active", "silent"): 2}},
    }


def test_a_withdrawal_takes_off_the_move_and_leaves_no_trace() -> None:
    moves = counted(FIRST, SILENT, withdrawal(SILENT))
    assert moves.collect() == {
        MOVES_PREFIX + b"0": encode({LIFECYCLE: {(None, "active"): 1}}),
        MOVES_PREFIX + b"3": None,
    }
    assert moves.days.keys() == {0}


def test_a_withdrawal_of_what_was_said_before_anybody_counted_is_a_move_less() -> None:
    assert counted(withdrawal(SILENT)).days == {3: {LIFECYCLE: {("active", "silent"): -1}}}


def test_other_tags_do_not_count() -> None:
    assert counted(move(None, "gold", 0, "vip"), move(None, "active", 0, "lifecycle2")).collect() == {}


def test_only_days_that_changed_are_written_and_go_on_from_there() -> None:
    moves = counted(FIRST, SILENT)
    records = moves.collect()
    assert (sorted(records), moves.collect()) == ([MOVES_PREFIX + b"0", MOVES_PREFIX + b"3"], {})
    other = counted(move(None, "active", 9 * DAY_MS))
    other.resume(records, 5)
    assert (other.days, other.since, other.collect()) == (moves.days, 5, {})
    other.count([withdrawal(SILENT), move("active", "silent", 3 * DAY_MS + 5)])
    assert other.collect() == {MOVES_PREFIX + b"3": records[MOVES_PREFIX + b"3"]}
    other.count([withdrawal(SILENT)])
    assert other.collect() == {MOVES_PREFIX + b"3": None}


@given(st.lists(steps, max_size=4), st.booleans())
def test_however_changes_fall_into_epochs_what_is_restored_is_what_stands(
    plans: list[list[Step]], restart: bool
) -> None:
    brute, said = played_changes([step for plan in plans for step in plan])
    moves, stored = Moves(), dict[bytes, bytes | None]()
    for start in range(0, len(said), 3):
        moves.count(said[start : start + 3])
        stored |= moves.collect()
        if restart:
            moves = Moves()
            moves.resume(stored, ALWAYS)
    expected: dict[int, Any] = {}
    for tag in (LIFECYCLE, PURCHASE):
        for each in brute.moves(tag):
            flows = expected.setdefault(each.at // DAY_MS, {}).setdefault(tag, {})
            flows[each.from_, each.to] = flows.get((each.from_, each.to), 0) + 1
    assert read_moves(stored) == moves.days == expected


@pytest.mark.parametrize(
    "record",
    [
        (MOVES_PREFIX + b"1", b"\xc1"),
        (MOVES_PREFIX + b"x", encode({})),
        (MOVES_PREFIX + b"1", encode({LIFECYCLE: {("active", "asleep"): 1}})),
    ],
)
def test_what_is_none_of_ours_is_damaged(record: tuple[bytes, bytes]) -> None:
    with pytest.raises(DamagedError, match="a day of moves"):
        read_moves(dict([record]))


DAY = MOVES_PREFIX + b"1"
A_DAY, ANOTHER = (encode({LIFECYCLE: {(None, "active"): users}}) for users in (1, 2))


# changelog   d r M | d r        the last day and row belong to no epoch
def test_a_day_is_true_with_its_epoch() -> None:
    restore = restored((DAY, A_DAY), (b"u", b"1"), marker_record(marker(1)), (DAY, ANOTHER), (b"u", b"2"))
    assert (restore.days, restore.rows) == ({DAY: A_DAY}, {b"u": b"1"})
    assert sorted(restore.torn) == sorted([(DAY, A_DAY), (b"u", b"1")])


# changelog   d M | -d M | d     a day that was taken back altogether
def test_a_day_of_which_nothing_is_left_is_gone_and_stays_so_when_it_was_torn() -> None:
    restore = restored((DAY, A_DAY), marker_record(marker(1)), (DAY, None), marker_record(marker(2)), (DAY, ANOTHER))
    assert (restore.days, restore.torn) == ({}, [(DAY, None)])


# changelog   d M2 | d M1        the second marker is of a worker that lost its partition before
def test_a_day_that_a_worker_of_before_wrote_counts_for_nothing() -> None:
    restore = restored((DAY, A_DAY), marker_record(marker(5, 2)), (DAY, ANOTHER), marker_record(marker(9, 1)))
    assert restore.days == {DAY: A_DAY}


def test_days_of_the_ledger_and_of_moves_lie_side_by_side() -> None:
    records: Records = {LEDGER_PREFIX + b"1": encode([{}, {}]), DAY: A_DAY}
    restore = Restore()
    restore.read([*records.items(), marker_record(marker(1))])
    assert (list(read_moves(restore.days)), list(read_days(restore.days))) == ([1], [1])
