"""Snapshots as records: back as they were, whole or not at all, and never by other features."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.churn import snapshot as module
from agents.churn.snapshot import PART_BYTES, Newest, Snapshot, SnapshotError, records_of


def snapshot(as_of: int, size: int) -> Snapshot:
    return Snapshot(as_of, 5, 30, bytes(number * as_of % 251 for number in range(size)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3 * PART_BYTES), min_size=1, max_size=4))
def test_the_newest_one_that_is_whole_comes_back(sizes: list[int]) -> None:
    newest, last = Newest(), None
    for as_of, size in enumerate(sizes, start=1):
        written = snapshot(as_of, max(size, 1))
        records = records_of(written, newest.slots)
        newest.read(records[:-1])
        assert newest.snapshot() in {None, last, written}
        newest.read(records[-1:])
        last = newest.snapshot()
        assert last == written
    compacted = Newest()
    compacted.read(records_of(snapshot(len(sizes), max(sizes[-1], 1))))
    assert compacted.snapshot() == last


def test_parts_fit_into_records() -> None:
    records = records_of(snapshot(7, 3 * PART_BYTES + 1), slots=9)
    assert [value is None for _, value in records] == [False] * 4 + [True] * 5
    assert all(len(value or b"") < PART_BYTES + 200 for _, value in records)


def test_what_is_no_snapshot_is_refused() -> None:
    with pytest.raises(SnapshotError, match="damaged"):
        Newest().read([(b"model/0", b"{}")])


def test_a_part_that_was_changed_on_the_way_is_not_used() -> None:
    newest = Newest()
    ((key, value),) = records_of(snapshot(7, 100))
    assert value is not None
    newest.read([(key, value[:-1] + b"x")])
    assert newest.snapshot() is None


def test_models_of_other_features_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    records = records_of(snapshot(7, 100))
    monkeypatch.setattr(module, "_FEATURES", 1)
    newest = Newest()
    newest.read(records)
    with pytest.raises(SnapshotError, match="other features"):
        newest.snapshot()


def test_nothing_but_plain_data_is_in_a_record() -> None:
    ((_, value),) = records_of(snapshot(7, 100))
    assert {type(each) for each in msgspec.msgpack.decode(value or b"")} == {int, bytes}
