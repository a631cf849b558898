"""The moves of one tag against a brute force that replays each user's effective history."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from app.tag_moves import ANY, MAX_VALUES, NONE, Key, TagMoves, in_order, key_of
from schemas.changes import TagChange
from schemas.events import Scalar
from schemas.times import DAY_MS, Millis

BASE = 20_000
"""A day."""
VALUES: tuple[Scalar, ...] = (None, True, 1, 1.5, "1", "vip", False)

Step = tuple[int, Scalar, int, bool]
"""User, the value to go to, the hours until then; or whether the newest change is withdrawn."""


def change(
    user: str, before: Scalar, after: Scalar, at: Millis, corrects: str | UnsetType = UNSET, tag: str = "t"
) -> TagChange:
    return TagChange(
        id=f"{user}/{tag}/{at}/0",
        user_id=user,
        tag=tag,
        from_=before,
        to=after,
        at=at,
        cause="timer",
        rule_version=1,
        corrects=corrects,
    )


def played(steps: list[Step]) -> tuple[dict[int, list[TagChange]], list[TagChange]]:
    """What stands for each user, and all that was said."""
    kept: dict[int, list[TagChange]] = {}
    said: list[TagChange] = []
    for user, to, hours, withdraws in steps:
        history = kept.setdefault(user, [])
        if withdraws:
            if history:
                old = history.pop()
                said.append(change(str(user), old.to, old.from_, old.at, corrects=old.id))
            continue
        before, last = (history[-1].to, history[-1].at) if history else (None, BASE * DAY_MS)
        if key_of(before) != key_of(to):
            history.append(change(str(user), before, to, last + hours * DAY_MS // 24))
            said.append(history[-1])
    return kept, said


def counted(said: list[TagChange]) -> TagMoves:
    moves = TagMoves()
    for each in said:
        moves.add(each)
    return moves


def users_before(kept: dict[int, list[TagChange]], end: Millis) -> Counter[Key]:
    past = [[each.to for each in history if each.at < end] for history in kept.values()]
    return Counter(key_of(values[-1]) for values in past if values and values[-1] is not None)


steps = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(VALUES), st.integers(0, 60), st.booleans()), max_size=50)


@settings(max_examples=150)
@given(steps)
def test_every_day_counts_the_users_whose_last_effective_change_led_there(plan: list[Step]) -> None:
    kept, said = played(plan)
    moves = counted(said)
    until = max((each.at for history in kept.values() for each in history), default=BASE * DAY_MS) + DAY_MS
    days = moves.days(until)
    keys = in_order(moves.users())
    by_day = moves.by_day(keys, days)
    for place, day in enumerate(days):
        brute = users_before(kept, (day + 1) * DAY_MS)
        assert {key: column[place] for key, column in zip(keys, by_day, strict=True) if column[place]} == brute
    assert {key: count for key, count in moves.users().items() if count} == users_before(kept, 2**62)
    assert moves.changes == sum(map(len, kept.values()))
    assert moves.withdrawn == sum(each.corrects is not UNSET for each in said)


@settings(max_examples=100)
@given(steps, st.integers(0, 50))
def test_where_values_are_told_apart_no_more_users_with_any_are_counted(plan: list[Step], place: int) -> None:
    kept, said = played(plan)
    moves = counted(said[:place])
    moves.count_any()
    for each in said[place:]:
        moves.add(each)
    days = range(BASE, BASE + 60)
    brute = [users_before(kept, (day + 1) * DAY_MS).total() for day in days]
    assert moves.by_day([ANY], days) == [brute]
    assert set(moves.users()) <= {ANY}


def test_a_tag_of_many_values_is_counted_as_one_of_any() -> None:
    said = [change(f"u{n}", None, n, (BASE + n) * DAY_MS) for n in range(MAX_VALUES)]
    assert len(counted(said).users()) == MAX_VALUES
    one_more = change("v", None, "another", (BASE + 30) * DAY_MS)
    moves = counted([*said, one_more, change("u0", 0, 99, (BASE + 31) * DAY_MS)])
    assert moves.has_many_values
    assert moves.users() == {ANY: MAX_VALUES + 1}
    assert moves.by_day([ANY], range(BASE, BASE + 3)) == [[1, 2, 3]]
    assert moves.changes == MAX_VALUES + 2


def test_a_number_and_a_text_and_a_truth_value_are_three_values() -> None:
    said = [change("a", None, 1, 0), change("b", None, "1", 0), change("c", None, True, 0), change("d", None, 1.0, 0)]
    assert counted(said).users() == {b"1": 2, b'"1"': 1, b"true": 1}


def test_nobody_is_counted_with_none() -> None:
    moves = counted([change("a", None, "vip", 0), change("a", "vip", None, DAY_MS)])
    assert NONE not in moves.users()
    assert moves.users() == {b'"vip"': 0}
    assert moves.by_day([b'"vip"'], range(3)) == [[1, 0, 0]]


def test_days_that_begin_later_know_what_came_before_them() -> None:
    early = [change("a", None, "vip", DAY_MS), change("c", None, "vip", 0), change("c", "vip", None, DAY_MS)]
    moves = counted([*early, change("b", None, "vip", 3 * DAY_MS)])
    assert moves.by_day([b'"vip"'], range(2, 5)) == [[1, 2, 2]]
