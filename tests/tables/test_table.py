"""The table of a partition: what is staged, what an epoch hands over, what stays decoded."""

from collections.abc import Iterator
from typing import Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.changes import LIFECYCLE, TagChange
from schemas.events import UserId
from schemas.times import HOUR_MS, NEVER
from tables import codec
from tables.row import Row
from tables.table import Table

UNREADABLE: Final = codec.HEADER.pack(codec.VERSION, 5) + b"\xc1"


def change(number: int) -> TagChange:
    return TagChange(
        id=f"u/lifecycle/{number}/1",
        user_id="u",
        tag=LIFECYCLE,
        from_=None,
        to="active",
        at=number,
        cause="click:e",
        rule_version=1,
    )


def test_a_row_is_known_once_it_was_put() -> None:
    table = Table()
    row = Row(sequence=1)
    assert table.get("u") is None
    assert len(table) == 0
    table.put("u", row)
    assert table.get("u") is row
    assert len(table) == 1


def test_looking_at_a_row_does_not_make_it_dirty() -> None:
    table = Table()
    table.load("u", codec.encode(Row(sequence=1)))
    assert table.get("u") == Row(sequence=1)
    assert table.get("u") is table.get("u")
    assert table.get("nobody") is None
    assert len(table) == 1
    assert table.collect().rows == {}


def test_an_epoch_has_each_changed_row_once_as_it_is_at_the_end() -> None:
    table = Table()
    row = Row(sequence=1)
    table.put("u", row)
    row.sequence = 2
    table.put("u", row)
    table.put("v", Row())
    epoch = table.collect()
    assert epoch.rows == {"u": codec.encode(Row(sequence=2)), "v": codec.encode(Row())}
    assert list(epoch.rows) == ["u", "v"]
    assert table.collect().rows == {}


def test_an_epoch_has_the_staged_changes_in_their_order_and_the_next_has_none() -> None:
    table = Table()
    table.changes.extend([change(2), change(1)])
    epoch = table.collect()
    table.changes.append(change(3))
    assert epoch.changes == [change(2), change(1)]
    assert table.collect().changes == [change(3)]
    assert table.collect().changes == []


def test_the_staged_changes_can_be_taken_alone() -> None:
    table = Table()
    table.put("u", Row())
    table.changes.extend([change(2), change(1)])
    assert table.take_changes() == [change(2), change(1)]
    assert table.take_changes() == []
    table.changes.append(change(3))
    epoch = table.collect()
    assert (epoch.changes, list(epoch.rows)) == ([change(3)], ["u"])


def test_what_an_epoch_handed_over_is_not_touched_by_what_comes_after() -> None:
    table = Table()
    row = Row(sequence=1)
    table.put("u", row)
    epoch = table.collect()
    row.sequence = 2
    table.put("u", row)
    table.delete("v")
    assert epoch.rows == {"u": codec.encode(Row(sequence=1))}
    assert table.encoded_rows() == {"u": codec.encode(Row(sequence=1))}
    table.collect()
    assert table.encoded_rows() == {"u": codec.encode(Row(sequence=2))}


def test_a_deleted_row_is_none_in_the_epoch_and_is_gone() -> None:
    table = Table()
    table.load("cold", codec.encode(Row()))
    table.put("hot", Row())
    for user in ("cold", "hot", "unknown"):
        table.delete(user)
        assert table.get(user) is None
    assert len(table) == 0
    assert table.collect().rows == {"hot": None, "cold": None, "unknown": None}
    assert table.encoded_rows() == {}
    assert table.get("hot") is None


def test_a_user_who_comes_back_after_a_deletion_has_a_new_row_in_the_epoch() -> None:
    table = Table()
    table.load("u", codec.encode(Row(sequence=1)))
    table.delete("u")
    table.put("u", Row(sequence=2))
    assert table.collect().rows == {"u": codec.encode(Row(sequence=2))}
    assert table.get("u") == Row(sequence=2)


def test_rows_stay_decoded_while_there_are_no_more_than_max_hot() -> None:
    table = Table(max_hot=2)
    rows = {user: Row(sequence=number) for number, user in enumerate("ab")}
    for user, row in rows.items():
        table.put(user, row)
    assert not table.is_crowded
    table.collect()
    table.collect()
    assert all(table.get(user) is row for user, row in rows.items())


def test_of_more_than_max_hot_rows_those_stay_decoded_that_the_epoch_has_changed() -> None:
    table = Table(max_hot=2)
    rows = {user: Row(sequence=number) for number, user in enumerate("abc")}
    for user, row in rows.items():
        table.put(user, row)
    table.collect()
    assert (table.is_crowded, len(table)) == (True, 3)
    table.put("c", rows["c"])
    table.delete("b")
    table.put("d", Row())
    table.collect()
    assert (table.is_crowded, len(table)) == (False, 3)
    assert table.get("c") is rows["c"]
    assert table.get("a") is not rows["a"]
    assert table.get("a") == rows["a"]
    assert table.get("b") is None


def test_a_row_that_was_put_is_not_lost_when_the_hot_ones_go() -> None:
    table = Table(max_hot=0)
    for number in (1, 2, 3):
        row = table.get("u") or Row()
        row.sequence = number
        table.put("u", row)
        assert table.get("u") is row
        assert table.collect().rows == {"u": codec.encode(Row(sequence=number))}


def test_a_loaded_row_is_not_decoded_before_it_is_asked_for() -> None:
    table = Table()
    table.load("u", UNREADABLE)
    assert len(table) == 1
    assert table.encoded_rows() == {"u": UNREADABLE}
    assert list(table.timers.due_before(NEVER)) == [(5, "u")]
    with pytest.raises(codec.DamagedError):
        table.get("u")


@pytest.mark.parametrize(
    ("encoded", "error"),
    [(codec.HEADER.pack(codec.VERSION + 1, 5) + b"?", codec.UnknownVersionError), (b"", codec.DamagedError)],
)
def test_what_a_newer_version_or_nobody_wrote_is_refused_when_it_is_loaded(
    encoded: bytes, error: type[Exception]
) -> None:
    table = Table()
    with pytest.raises(error):
        table.load("u", encoded)
    assert len(table) == 0


def test_loading_sets_a_timer_for_each_row_that_has_one() -> None:
    table = Table()
    rows = {"b": Row(due=2 * HOUR_MS), "a": Row(due=2 * HOUR_MS), "late": Row(due=NEVER - 1), "never": Row()}
    for user, row in rows.items():
        table.load(user, codec.encode(row))
    assert list(table.timers.due_before(NEVER + 1)) == [(2 * HOUR_MS, "a"), (2 * HOUR_MS, "b"), (NEVER - 1, "late")]
    assert table.collect().rows == {}


def test_a_timer_is_set_only_if_none_is_set_for_so_early_a_time() -> None:
    # asked for    9   9   12   5
    # set          9   -   -    5
    table = Table()
    row = Row()
    for due in (9, 9, 12, 5):
        table.schedule("u", row, due)
    assert row.due == 5
    assert list(table.timers.due_before(NEVER)) == [(5, "u"), (9, "u")]


Step: TypeAlias = tuple[str, UserId]
steps: Final = st.tuples(st.sampled_from(["put", "get", "delete", "collect"]), st.sampled_from("abcd"))


def play(table: Table, steps: list[Step]) -> Iterator[tuple[dict[UserId, int], dict[UserId, bytes | None]]]:
    """Do the steps on a table and on a dict of sequence numbers; gives the dict and the rows of each epoch."""
    model: dict[UserId, int] = {}
    for number, (what, user) in enumerate(steps, 1):
        if what == "put":
            row = table.get(user) or Row()
            row.sequence = model[user] = number
            table.put(user, row)
        elif what == "delete":
            table.delete(user)
            model.pop(user, None)
        elif what == "collect":
            yield dict(model), table.collect().rows
        found = table.get(user)
        assert (found and found.sequence) == model.get(user)
        assert len(table) == len(model)
    yield model, table.collect().rows


@given(st.lists(steps, max_size=30), st.integers(0, 3))
def test_the_epochs_one_after_another_make_the_table(steps: list[Step], max_hot: int) -> None:
    table = Table(max_hot)
    changelog: dict[UserId, bytes] = {}
    for model, rows in play(table, steps):
        for user, encoded in rows.items():
            if encoded is None:
                changelog.pop(user, None)
            else:
                changelog[user] = encoded
        assert {user: codec.decode(encoded).sequence for user, encoded in changelog.items()} == model
        assert table.encoded_rows() == changelog
