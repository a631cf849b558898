"""The changelog: what a restore makes of it, wherever it was cut off.

In the pictures `r` is a row, `M` a marker, `|` the end of an epoch.
"""

from itertools import accumulate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.changelog import (
    MARKER_KEY,
    Marker,
    Output,
    Record,
    Restore,
    State,
    marker_record,
    output_record,
    read_marker,
)
from tables.codec import VERSION, DamagedError, UnknownVersionError
from tables.merge import Position


def state(watermark: int = 5) -> State:
    return State(
        positions={"A": Position(3, 4), "B": Position(0, None)},
        watermark=watermark,
        census={"lifecycle": {"active": 1}},
        counters={"applied": 2},
    )


def marker(epoch: int, generation: int = 1, outputs: int = 0) -> Marker:
    return Marker(generation=generation, epoch=epoch, state=state(epoch), outputs=outputs)


def said(value: bytes) -> Output:
    return Output("tag-changes", b"u", value, [("ce_id", value)])


def restored(*records: Record) -> Restore:
    restore = Restore()
    restore.read(records)
    return restore


def test_nothing_is_restored_from_nothing() -> None:
    restore = restored()
    assert (restore.rows, restore.marker, restore.outputs, restore.records) == ({}, None, [], 0)


def test_a_marker_comes_back_as_it_was() -> None:
    assert restored(marker_record(marker(7, 3, 2))).marker == marker(7, 3, 2)


# changelog   r r M | r M | r        the last row belongs to no epoch
def test_rows_are_true_up_to_the_last_marker() -> None:
    restore = restored(
        (b"u1", b"a"), (b"u2", b"b"), marker_record(marker(1)), (b"u1", b"c"), marker_record(marker(2)), (b"u2", b"x")
    )
    assert restore.rows == {b"u1": b"c", b"u2": b"b"}
    assert restore.marker == marker(2)
    assert restore.records == 6


def test_a_deleted_row_is_gone_also_where_it_never_was() -> None:
    restore = restored((b"u1", b"a"), marker_record(marker(1)), (b"u1", None), (b"u2", None), marker_record(marker(2)))
    assert restore.rows == {}


def test_chunks_may_cut_anywhere() -> None:
    records = [(b"u1", b"a"), marker_record(marker(1)), (b"u1", b"b"), (b"u2", b"c"), marker_record(marker(2))]
    whole, cut = restored(*records), Restore()
    for record in records:
        cut.read([record])
        cut.read([])
    assert (cut.rows, cut.marker) == (whole.rows, whole.marker)


# changelog   r M(g2) | r M(g1) | r M(g2)       a writer of an older generation, who is not the writer any more
def test_an_epoch_of_an_older_generation_is_not_believed() -> None:
    restore = restored(
        (b"u1", b"a"), marker_record(marker(1, 2)), (b"u1", b"zombie"), marker_record(marker(9, 1)),
        (b"u2", b"b"), marker_record(marker(2, 2)),
    )  # fmt: skip
    assert restore.rows == {b"u1": b"a", b"u2": b"b"}
    assert restore.marker == marker(2, 2)


def test_the_outputs_of_the_last_epoch_are_read_back_in_their_order() -> None:
    outputs = [said(b"%d" % number) for number in range(12)]
    stored = [output_record(number, 4, output) for number, output in enumerate(outputs)]
    assert restored(*stored, marker_record(marker(4, outputs=12))).outputs == outputs


# changelog   o0 o1 o2 M(1) | o0 M(2)       of the first epoch two are left, of which the second knows nothing
def test_outputs_of_older_epochs_were_published() -> None:
    first = [output_record(number, 1, said(b"%d" % number)) for number in range(3)]
    second = output_record(0, 2, said(b"new"))
    restore = restored(*first, marker_record(marker(1, outputs=3)), second, marker_record(marker(2, outputs=1)))
    assert restore.outputs == [said(b"new")]
    assert restored(*first, marker_record(marker(1, outputs=3)), marker_record(marker(2))).outputs == []


def test_outputs_of_an_epoch_without_a_marker_are_not_published() -> None:
    assert restored(output_record(0, 1, said(b"a"))).outputs == []
    restore = restored(
        output_record(0, 1, said(b"a")), marker_record(marker(1, outputs=1)), output_record(0, 2, said(b"torn"))
    )
    assert restore.outputs == []


def test_the_keys_of_markers_and_outputs_are_no_users() -> None:
    for user in ("\xff", "ÿmarker", "output/0"):
        restore = restored((user.encode(), b"row"), marker_record(marker(1)))
        assert restore.rows == {user.encode(): b"row"}


# changelog   r r M | r r x r M |       the epoch at x was cut off; the next writer's marker must not make it true
def test_rows_that_were_torn_are_told_of_so_that_they_can_be_written_again() -> None:
    good = [(b"u1", b"a"), marker_record(marker(1))]
    torn = [(b"u1", b"torn"), (b"u2", b"torn")]
    restore = restored(*good, *torn)
    again = restored(*good, *torn, *restore.torn, (b"u3", b"c"), marker_record(marker(2, 2)))
    assert again.rows == {b"u1": b"a", b"u3": b"c"}


def as_written(marker: Marker, **fields: object) -> bytes:
    """A marker's value with some fields set, or taken out where they are None."""
    wire = {**msgspec.json.decode(marker_record(marker)[1] or b""), **fields}
    return msgspec.json.encode({name: value for name, value in wire.items() if value is not None})


def test_what_older_versions_did_not_know_of_a_marker_has_a_default() -> None:
    whole = Marker(generation=2, epoch=7, state=state(), partitions=8)
    older = read_marker(as_written(whole, partitions=None, version=None, outputs=None))
    assert older == Marker(generation=2, epoch=7, state=state(), partitions=0, outputs=0)
    assert read_marker(as_written(whole)) == whole


def test_what_a_newer_version_only_added_to_a_marker_is_passed_over() -> None:
    assert read_marker(as_written(marker(7), mood="fine", version=VERSION)) == marker(7)


# a newer version may have changed whatever it likes: nothing but the number is believed
@pytest.mark.parametrize("fields", [{}, {"state": "elsewhere"}, {"epoch": None}])
def test_a_marker_of_a_newer_version_is_refused_with_what_to_do(fields: dict[str, object]) -> None:
    value = as_written(marker(7), version=VERSION + 1, **fields)
    with pytest.raises(UnknownVersionError) as refused:
        restored((b"u1", b"a"), (MARKER_KEY, value))
    assert str(refused.value) == (
        f"the changelog is of version {VERSION + 1}; this Rekindle knows {VERSION}: upgrade this worker"
    )


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b"[" * 5000, as_written(marker(7), epoch="seven")])
def test_what_is_no_marker_or_output_is_told_in_one_line(value: bytes) -> None:
    for key, what in ((MARKER_KEY, "a marker"), (b"\xffoutput/0", "an output")):
        with pytest.raises(DamagedError, match=f"^{what} of the changelog is damaged: .* replay the history$"):
            restored((key, value))


USERS = st.sampled_from([b"u1", b"u2", b"u3"])
EPOCHS = st.lists(st.lists(st.tuples(USERS, st.none() | st.binary(max_size=2))), max_size=6)


@given(EPOCHS, st.data())
def test_compaction_up_to_any_place_before_the_last_marker_makes_no_difference(
    epochs: list[list[Record]], data: st.DataObject
) -> None:
    records = [record for number, rows in enumerate(epochs) for record in [*rows, marker_record(marker(number))]]
    until = data.draw(st.integers(0, len(records)))
    last = {key: place for place, (key, _) in enumerate(records[:until])}
    compacted = [record for place, record in enumerate(records[:until]) if last[record[0]] == place] + records[until:]
    assert restored(*compacted).rows == restored(*records).rows
    assert restored(*compacted).marker == restored(*records).marker


@given(EPOCHS, st.data())
def test_a_changelog_that_is_cut_off_anywhere_is_that_of_its_last_whole_epoch(
    epochs: list[list[Record]], data: st.DataObject
) -> None:
    lines = [[*rows, marker_record(marker(number))] for number, rows in enumerate(epochs)]
    records = [record for line in lines for record in line]
    cut = data.draw(st.integers(0, len(records)))
    whole = [end for end in accumulate(map(len, lines)) if end <= cut]
    restore, expected = restored(*records[:cut]), restored(*records[: whole[-1] if whole else 0])
    assert (restore.rows, restore.marker) == (expected.rows, expected.marker)
