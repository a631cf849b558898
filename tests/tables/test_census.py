"""The census: kept up to date by changes alone, it is what counting the rows would give."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings

from agents.partition import Partition
from schemas.changes import LIFECYCLE, PURCHASE, TagChange
from schemas.events import Scalar
from tables import codec
from tables.census import Census, count, empty
from tests.properties.test_the_law import drive
from tests.storms import Storm, storms

CHANGE = TagChange(
    id="u/lifecycle/5/1", user_id="u", tag=LIFECYCLE, from_=None, to="active", at=5, cause="click:c", rule_version=1
)


def counted(*moves: tuple[Scalar, Scalar], tag: str = LIFECYCLE) -> Census:
    census = empty()
    count(census, [msgspec.structs.replace(CHANGE, tag=tag, from_=before, to=after) for before, after in moves])
    return census


def test_each_user_is_counted_where_they_are() -> None:
    moves = [(None, "active"), (None, "active"), ("active", "silent"), ("silent", "lost")]
    assert counted(*moves) == {LIFECYCLE: {"active": 1, "silent": 0, "lost": 1}, PURCHASE: {}}


def test_a_withdrawal_is_a_move_back() -> None:
    assert counted((None, "active"), ("active", "silent"), ("silent", "active"))[LIFECYCLE] == {
        "active": 1,
        "silent": 0,
    }


def test_who_is_erased_is_nowhere() -> None:
    assert counted((None, "active"), ("active", None), tag=PURCHASE) == {LIFECYCLE: {}, PURCHASE: {"active": 0}}


@pytest.mark.parametrize("tag", ["vip", "lifecycle2"])
def test_tags_set_by_hand_are_not_counted(tag: str) -> None:
    assert counted((None, "gold"), tag=tag) == empty()


def by_counting(partition: Partition) -> Census:
    partition.collect()
    rows = [codec.decode(encoded) for encoded in partition.table.encoded_rows().values()]
    states = {LIFECYCLE: [row.lifecycle.state for row in rows], PURCHASE: [row.purchase.state for row in rows]}
    return {tag: dict(Counter(state for state in found if state is not None)) for tag, found in states.items()}


@settings(max_examples=150, deadline=None)
@given(storms())
def test_it_is_what_counting_the_rows_gives(storm: Storm) -> None:
    for partition in drive(storm):
        census = empty()
        count(census, partition.table.changes)
        assert {tag: {state: n for state, n in users.items() if n} for tag, users in census.items()} == by_counting(
            partition
        )
