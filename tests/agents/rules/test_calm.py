"""For how many further actions a preference holds: fewer than it says never make a difference."""

from typing import Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from agents.rules.preference import Preference
from agents.rules.view import View
from schemas.events import Scalar
from schemas.times import DAY_MS
from tables.action import ACTIVE, HOUR, Action
from tables.portrait import BLOCK_MS
from tables.row import Row

START_MS: Final = 700 * BLOCK_MS
VALUES: Final = st.sampled_from("abcd")


def row_of(values: str, now: int) -> Row:
    row = Row()
    for value in values:
        row.portraits.add(Action(now, ACTIVE | HOUR, category=value))
    return row


def preferred(row: Row, preference: Preference, current: Scalar, now: int) -> tuple[Scalar, int]:
    view = View(row, now)
    return preference.of(view, current), view.calm_for


preferences: Final = st.builds(
    Preference,
    st.just("category"),
    st.integers(1, 12),
    st.sampled_from([0.2, 0.3, 0.5, 1.0]),
    st.sampled_from([0.0, 1.1]),
    st.sampled_from([0.0, 0.05, 0.15]),
    st.just({"a": 0.4}),
    st.sampled_from([None, "any", 0, "a"]),
)


@settings(max_examples=400, deadline=None)
@given(st.text(VALUES, max_size=60), st.text(VALUES, max_size=40), preferences, st.none() | VALUES, st.integers(0, 2))
def test_fewer_actions_than_a_preference_holds_for_leave_it_as_it_is(
    known: str, further: str, preference: Preference, current: Scalar, blocks_later: int
) -> None:
    now = START_MS + blocks_later * BLOCK_MS
    row = row_of(known, START_MS)
    found, holds_for = preferred(row, preference, current, now)
    event(f"holds for {min(holds_for, 5)} or more")
    for number, value in enumerate(further, start=1):
        row.portraits.add(Action(now, ACTIVE | HOUR, category=value))
        if number < holds_for:
            assert preferred(row, preference, found, now)[0] == found


#                  known           holds for: until so many further actions may make a difference
@pytest.mark.parametrize(
    ("known", "holds_for"),
    [("", 10), ("aaaa", 6), ("abcdefghij", 3), ("a" * 20, 23), ("a" * 60 + "b" * 40, 27), ("a" * 11 + "b" * 10, 3)],
)
def test_a_preference_knows_how_many_actions_it_holds_for(known: str, holds_for: int) -> None:
    preference = Preference("category", 10, 0.3, 0.0, 0.05, {}, None)
    assert preferred(row_of(known, START_MS), preference, None, START_MS + DAY_MS)[1] == holds_for
