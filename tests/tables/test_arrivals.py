"""The ring of the last 64 arrivals: copies are known, and what came is told again in order of time."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import MAX_TS, Millis
from tables.arrivals import Arrivals, activities, after, fingerprint, remember

LATEST: Final = MAX_TS - 1
KINDS: Final = ("click", "cart", "order", "profile", "message", "tag")


def ring(*arrivals: tuple[Millis, bool, bool]) -> Arrivals:
    """Arrivals of (ts, is_activity, is_order), the first of which is named e0."""
    made = Arrivals()
    for number, (ts, is_activity, is_order) in enumerate(arrivals):
        remember(made, fingerprint("click", f"e{number}"), ts, is_activity=is_activity, is_order=is_order)
    return made


def test_a_fingerprint_is_stable_because_rows_keep_it() -> None:
    assert fingerprint("click", "c1").hex() == "312e2a7272c348c8"
    assert len(fingerprint("order", "用户" * 64)) == 8


def test_a_fingerprint_tells_types_and_ids_apart() -> None:
    ids = ("e1", "e2", "e", "", "click:e1", "é", "1e", "e1 ")
    assert len({fingerprint(kind, event_id) for kind in KINDS for event_id in ids}) == len(KINDS) * len(ids)


def test_the_last_64_arrivals_are_known_and_the_one_before_is_not() -> None:
    made = Arrivals()
    names = [fingerprint("click", f"e{number}") for number in range(200)]
    for number, name in enumerate(names):
        assert name not in made
        remember(made, name, 1 + number, is_activity=True, is_order=False)
        first_known = max(0, number - 63)
        assert all(known in made for known in names[first_known : number + 1])
        assert not any(forgotten in made for forgotten in names[:first_known])
    assert len(made) == 64 * 14


def test_what_was_remembered_is_told_in_order_of_time_orders_first() -> None:
    # arrival   0     1     2     3     4     5     6
    # ts        9     5     5     7     5     1     9
    # what      click click order tag   order order order
    made = ring(
        (9, True, False), (5, True, False), (5, True, True), (7, False, False), (5, True, True), (1, True, True),
        (9, True, True),
    )  # fmt: skip
    assert activities(made) == [(1, True), (5, True), (5, True), (5, False), (9, True), (9, False)]


def test_an_order_that_is_no_activity_is_remembered_but_not_told() -> None:
    made = ring((5, False, True))
    assert fingerprint("click", "e0") in made
    assert activities(made) == []


@pytest.mark.parametrize("ts", [1, LATEST])
@pytest.mark.parametrize("is_order", [True, False])
def test_the_first_and_the_last_possible_time_fit_into_a_record(ts: Millis, is_order: bool) -> None:
    made = ring((ts, True, is_order))
    assert len(made) == 14
    assert activities(made) == [(ts, is_order)]


def test_after_a_moment_remain_those_with_a_later_ts_in_order_of_arrival() -> None:
    made = ring((9, True, False), (5, True, False), (6, True, True), (4, True, False), (6, False, False))
    left = after(made, 5)
    assert left == b"".join(bytes(made[start : start + 14]) for start in (0, 28, 56))
    assert [fingerprint("click", f"e{number}") in left for number in range(5)] == [True, False, True, False, True]
    assert activities(left) == [(6, True), (9, False)]
    assert after(made, 9) == b""
    assert after(made, 0) == made


def test_after_gives_a_ring_of_its_own() -> None:
    made = ring((9, True, False))
    left = after(made, 0)
    remember(left, fingerprint("click", "new"), 10, is_activity=True, is_order=False)
    assert (len(made), len(left)) == (14, 28)


@given(st.lists(st.tuples(st.integers(1, LATEST), st.booleans(), st.booleans()), max_size=100), st.integers(0, LATEST))
def test_a_ring_agrees_with_a_list_of_the_last_64(arrivals: list[tuple[Millis, bool, bool]], moment: Millis) -> None:
    made, last = ring(*arrivals), arrivals[-64:]
    told = [(ts, is_order) for ts, is_activity, is_order in last if is_activity]
    assert activities(made) == sorted(told, key=lambda each: (each[0], not each[1]))
    assert activities(after(made, moment)) == [each for each in activities(made) if each[0] > moment]
    assert len(after(made, moment)) == 14 * sum(ts > moment for ts, *_ in last)
