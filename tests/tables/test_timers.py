"""The calendar against a sorted list: whatever is added when, it comes out in the order of (due, user)."""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import islice
from typing import Final, Protocol, TypeAlias

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.events import UserId
from schemas.times import HOUR_MS, NEVER, Millis
from tables.timers import Timers

Entry: TypeAlias = tuple[Millis, UserId]
Take: TypeAlias = tuple[Millis, int, list[tuple[int, Entry]]]
"""A bound, how many entries to take at the most, and what is added after which of them."""


class Calendar(Protocol):
    def add(self, due: Millis, user_id: UserId) -> None: ...
    def due_before(self, bound: Millis) -> Iterator[Entry]: ...


class SortedList:
    """The oracle: a heap over all entries."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def add(self, due: Millis, user_id: UserId) -> None:
        heappush(self._entries, (due, user_id))

    def due_before(self, bound: Millis) -> Iterator[Entry]:
        while self._entries and self._entries[0][0] < bound:
            yield heappop(self._entries)


def run(calendar: Calendar, steps: list[Entry | Take]) -> list[list[Entry]]:
    """What comes out of a calendar, in one list a take; the last one takes all that is left."""
    taken = []
    for step in [*steps, (NEVER, 10_000, [])]:
        if len(step) == 2:
            calendar.add(*step)
            continue
        bound, most, meanwhile = step
        slice_: list[Entry] = []
        for number, entry in enumerate(islice(calendar.due_before(bound), most)):
            slice_.append(entry)
            for _, added in (each for each in meanwhile if each[0] == number):
                calendar.add(*added)
        taken.append(slice_)
    return taken


def test_nothing_is_due_in_an_empty_calendar() -> None:
    assert list(Timers().due_before(NEVER)) == []


def test_what_is_due_at_the_bound_itself_stays() -> None:
    timers = Timers()
    timers.add(5, "u")
    assert list(timers.due_before(5)) == []
    assert list(timers.due_before(6)) == [(5, "u")]
    assert list(timers.due_before(NEVER)) == []


def test_one_entry_asked_for_twice_comes_twice() -> None:
    timers = Timers()
    timers.add(5, "u")
    timers.add(5, "u")
    assert list(timers.due_before(6)) == [(5, "u"), (5, "u")]


def test_what_is_added_into_the_open_hour_or_one_before_it_still_comes_in_order() -> None:
    # hour     0 |        1         |   2
    #            |  a    c  |  b    |   d
    #      e     |     open, up to |            then e (past) and c (open) are added
    timers = Timers()
    a, b, d = (HOUR_MS + 1, "a"), (HOUR_MS + 9, "b"), (2 * HOUR_MS, "d")
    for entry in (d, b, a):
        timers.add(*entry)
    assert list(timers.due_before(HOUR_MS + 5)) == [a]
    c, e = (HOUR_MS + 4, "c"), (7, "e")
    timers.add(*c)
    timers.add(*e)
    assert list(timers.due_before(HOUR_MS + 9)) == [e, c]
    assert list(timers.due_before(NEVER)) == [b, d]


def test_an_hour_that_is_over_can_be_added_to_again() -> None:
    timers = Timers()
    timers.add(5 * HOUR_MS, "u")
    assert list(timers.due_before(6 * HOUR_MS)) == [(5 * HOUR_MS, "u")]
    timers.add(5 * HOUR_MS, "u")
    timers.add(HOUR_MS, "v")
    assert list(timers.due_before(6 * HOUR_MS)) == [(HOUR_MS, "v"), (5 * HOUR_MS, "u")]


def test_what_is_added_while_taking_comes_in_the_same_go_if_it_is_due() -> None:
    timers = Timers()
    timers.add(1, "u")
    taken = []
    for due, user in timers.due_before(3 * HOUR_MS):
        taken.append(due)
        timers.add(due + HOUR_MS, user)
    assert taken == [1, HOUR_MS + 1, 2 * HOUR_MS + 1]
    assert list(timers.due_before(NEVER)) == [(3 * HOUR_MS + 1, "u")]


dues: Final = st.builds(
    lambda hour, nudge: max(1, hour * HOUR_MS + nudge),
    st.integers(0, 5),
    st.sampled_from([-1, 0, 1, 2, HOUR_MS // 2]),
) | st.just(NEVER - 1)
entries: Final = st.tuples(dues, st.sampled_from(["u1", "u2", "ü", "a/b"]))
takes: Final = st.tuples(dues, st.integers(1, 5), st.lists(st.tuples(st.integers(0, 3), entries), max_size=4))


@given(st.lists(entries | takes, max_size=30))
@example([(HOUR_MS, "u1"), (HOUR_MS + 1, 5, [(0, (1, "u2")), (0, (HOUR_MS, "u2")), (0, (HOUR_MS + 2, "u1"))])])
def test_timers_agree_with_a_sorted_list_whatever_is_added_when(steps: list[Entry | Take]) -> None:
    assert run(Timers(), steps) == run(SortedList(), steps)
