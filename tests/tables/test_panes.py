"""Panes of hours and days: where they lie, what they hold, and which ones are kept."""

from itertools import permutations
from typing import Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.counting import count
from schemas.times import DAY_MS, HOUR_MS
from tables.panes import DAYS_KEPT, HOURS_KEPT, Panes, Window, add
from tables.row import Row

NEW_YEAR: Final = 14_610 * DAY_MS  # 2010-01-01T00:00:00Z


def panes_of(*numbers: int, kept: int = DAYS_KEPT) -> Panes:
    """A pane of each number, its clicks the same number."""
    window = Window()
    for number in numbers:
        add(window, kept, number, number, 0, 0, 0)
    return window.panes()


def numbers_of(panes: Panes) -> list[int]:
    return panes[::5]


@pytest.mark.parametrize(
    ("ts", "day", "hour"),
    [
        (1, 0, 0),
        (HOUR_MS - 1, 0, 0),
        (HOUR_MS, 0, 1),
        (DAY_MS - 1, 0, 23),
        (DAY_MS, 1, 24),
        (NEW_YEAR - 1, 14_609, 14_610 * 24 - 1),
        (NEW_YEAR, 14_610, 14_610 * 24),
    ],
)
def test_a_time_falls_into_the_pane_that_starts_with_it(ts: int, day: int, hour: int) -> None:
    row = Row()
    count(row, ts, clicks=1)
    assert (row.days, row.hours) == ([day, 1, 0, 0, 0], [hour, 1, 0, 0, 0])


def test_a_pane_holds_its_number_and_four_counts() -> None:
    window = Window()
    for amounts in ((1, 0, 0, 0), (0, 2, 0, 0), (0, 0, 3, 0), (0, 0, 0, -4)):
        add(window, DAYS_KEPT, 7, *amounts)
    assert window.panes() == [7, 1, 2, 3, -4]


@pytest.mark.parametrize("arrival", list(permutations((0, 7, 8, 30))))
def test_panes_lie_in_order_of_time_whichever_is_opened_first(arrival: tuple[int, ...]) -> None:
    assert panes_of(*arrival) == [0, 0, 0, 0, 0, 7, 7, 0, 0, 0, 8, 8, 0, 0, 0, 30, 30, 0, 0, 0]


amounts: Final = st.integers(-5, 5) | st.sampled_from(
    [sign * 2**bits + more for sign in (-1, 1) for bits in (5, 7, 8, 15, 16, 31, 32, 50) for more in (-1, 0)]
)


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 3), amounts), max_size=30), st.sampled_from([12, 48, 60]))
def test_counting_into_panes_agrees_with_counting_into_a_dict(counts: list[tuple[int, int, int]], kept: int) -> None:
    window = Window()
    known: dict[int, list[int]] = {}
    for number, field, amount in counts:
        add(window, kept, number, *(amount if each == field else 0 for each in range(4)))
        known.setdefault(number, [number, 0, 0, 0, 0])[field + 1] += amount
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(window), type=Window) == window
    # A late one that is too old is not counted; one that had been counted before has gone since.
    oldest = max(known, default=0) - kept
    assert window.panes() == [each for number in sorted(known) if number >= oldest for each in known[number]]


@pytest.mark.parametrize("kept", [DAYS_KEPT, HOURS_KEPT, 2])
def test_panes_more_than_the_kept_ones_before_the_newest_are_dropped_whole(kept: int) -> None:
    # ...  newest-kept-1 | newest-kept ... newest
    #          dropped   |         stays
    newest = 1_000
    panes = panes_of(newest, newest - kept, newest - kept - 1, 1, newest - 1, kept=kept)
    assert panes == panes_of(newest - kept, newest - 1, newest, kept=kept)
    assert numbers_of(panes) == [newest - kept, newest - 1, newest]


@pytest.mark.parametrize("numbers", [(), (5,), (0, DAYS_KEPT), (100, 130)])
def test_nothing_is_dropped_from_few_panes_or_none(numbers: tuple[int, ...]) -> None:
    assert panes_of(*numbers) == [each for number in numbers for each in (number, number, 0, 0, 0)]


def test_sixty_days_and_forty_eight_hours_are_kept() -> None:
    assert (DAYS_KEPT, HOURS_KEPT) == (60, 48)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(1, 20))
@example([0, 40, 0, 25], 20)
def test_what_is_kept_depends_not_on_the_order_of_arrival(numbers: list[int], kept: int) -> None:
    outcomes = []
    for order in permutations(numbers):
        window = Window()
        for number in order:
            add(window, kept, number, 1, 0, 0, 0)
        outcomes.append(window)
    assert all(window == outcomes[0] for window in outcomes)
    assert numbers_of(outcomes[0].panes()) == sorted({each for each in numbers if max(numbers) - each <= kept})
