"""The ledger of a partition: days that come back from the changelog exactly as far as the rows do.

In the pictures `d` is a day of the ledger, `r` a row, `M` a marker.
"""

import pytest
from msgspec.msgpack import encode

from schemas.times import DAY_MS
from tables.changelog import Restore, marker_record
from tables.codec import DamagedError
from tables.ledger import LEDGER_PREFIX, Day, Entry, Ledger, key_of, read_days, totals
from tests.tables.test_changelog import marker, restored

KEY = key_of("c", None, "sms")
OTHER = key_of("c", "a", None)


def counted() -> Ledger:
    ledger = Ledger()
    ledger.count(DAY_MS, KEY, 1, "eligible", "triggered")
    ledger.count(2 * DAY_MS - 1, KEY, 5, "revenue")
    ledger.count(2 * DAY_MS, OTHER, 1, "suppressed", reasons=("no_consent", "budget"))
    ledger.book(2 * DAY_MS, "c", 7)
    return ledger


def test_each_day_counts_its_own_and_totals_all() -> None:
    ledger = counted()
    assert ledger.days[1].lines == {KEY: Entry(eligible=1, triggered=1, revenue=5)}
    assert ledger.days[2] == Day({OTHER: Entry(suppressed=1, reasons={"no_consent": 1, "budget": 1})}, {"c": 7})
    assert ledger.totals == totals(ledger.days.values())
    assert [ledger.booked(at, "c") for at in (2 * DAY_MS - 1, 2 * DAY_MS, 3 * DAY_MS)] == [0, 7, 0]


def test_what_is_counted_for_the_day_does_not_move_the_totals_twice() -> None:
    ledger = counted()
    ledger.count(DAY_MS, KEY, -5, "revenue")
    assert (ledger.days[1].lines[KEY].revenue, ledger.totals[KEY].revenue) == (0, 0)


def test_only_days_that_changed_are_written_and_go_on_from_there() -> None:
    ledger = counted()
    records = ledger.collect()
    assert records.keys() == {LEDGER_PREFIX + b"1", LEDGER_PREFIX + b"2"}
    assert ledger.collect() == {}
    other = Ledger()
    other.resume(records)
    assert (other.days, other.totals, other.collect()) == (ledger.days, ledger.totals, {})
    other.count(2 * DAY_MS, OTHER, 1, "suppressed")
    assert other.collect() == {LEDGER_PREFIX + b"2": encode(other.days[2])}
    assert (other.days[2].lines[OTHER].suppressed, other.totals[OTHER].suppressed) == (2, 2)
    assert ledger.days[2].lines[OTHER].suppressed == 1


@pytest.mark.parametrize(
    "record", [(LEDGER_PREFIX + b"1", b"\xc1"), (LEDGER_PREFIX + b"x", encode(Day())), (LEDGER_PREFIX + b"1", b"\x93")]
)
def test_what_is_none_of_ours_is_damaged(record: tuple[bytes, bytes]) -> None:
    with pytest.raises(DamagedError, match="a day of the ledger"):
        read_days(dict([record]))


DAY = LEDGER_PREFIX + b"1"


# changelog   d r M | d r        the last day and row belong to no epoch
def test_a_day_is_true_with_its_epoch() -> None:
    restore = restored((DAY, b"1"), (b"u", b"1"), marker_record(marker(1)), (DAY, b"2"), (b"u", b"2"))
    assert (restore.days, restore.rows) == ({DAY: b"1"}, {b"u": b"1"})
    assert sorted(restore.torn) == sorted([(DAY, b"1"), (b"u", b"1")])


# changelog   d M | d' d          torn: the day is written back with the next epoch, or its marker would make it true
def test_a_torn_day_is_written_back_as_it_was_or_deleted_where_it_was_not() -> None:
    fresh = LEDGER_PREFIX + b"2"
    restore = restored((DAY, b"1"), marker_record(marker(1)), (DAY, b"2"), (fresh, b"9"))
    again = Restore()
    torn = dict(restore.torn)
    assert torn == {DAY: b"1", fresh: None}
    again.read([(DAY, b"1"), marker_record(marker(1)), (DAY, b"2"), (fresh, b"9")])
    again.read([*torn.items(), marker_record(marker(2))])
    assert again.days == {DAY: b"1"}


# changelog   d M2 | d M1        the second marker is of a worker that lost its partition before
def test_a_day_that_a_worker_of_before_wrote_counts_for_nothing() -> None:
    restore = restored((DAY, b"1"), marker_record(marker(5, 2)), (DAY, b"old"), marker_record(marker(9, 1)))
    assert restore.days == {DAY: b"1"}


def test_no_row_is_taken_for_a_day() -> None:
    restore = restored((b"ledger/1", b"row"), (DAY, b"day"), marker_record(marker(1)))
    assert (restore.rows, restore.days) == ({b"ledger/1": b"row"}, {DAY: b"day"})
