"""Panes of hours and days: which one a time falls into, where it lies in the list, and which ones are kept."""

from itertools import permutations
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.times import DAY_MS, HOUR_MS
from tables.panes import (
    CARTS,
    CLICKS,
    DAYS_KEPT,
    HOURS_KEPT,
    ORDERS,
    SPEND,
    Panes,
    day_of,
    hour_of,
    pane_at,
    prune,
)

NEW_YEAR: Final = 14_610 * DAY_MS  # 2010-01-01T00:00:00Z


def panes_of(*numbers: int) -> Panes:
    """A pane of each number, its clicks the same number."""
    panes: Panes = []
    for number in numbers:
        panes[pane_at(panes, number) + CLICKS] += number
    return panes


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
    assert (day_of(ts), hour_of(ts)) == (day, hour)


def test_a_pane_holds_its_number_and_four_counts() -> None:
    panes: Panes = []
    for field, amount in ((CLICKS, 1), (CARTS, 2), (ORDERS, 3), (SPEND, -4)):
        panes[pane_at(panes, 7) + field] += amount
    assert panes == [7, 1, 2, 3, -4]


@pytest.mark.parametrize("arrival", list(permutations((0, 7, 8, 30))))
def test_panes_lie_in_order_of_time_whichever_is_opened_first(arrival: tuple[int, ...]) -> None:
    assert panes_of(*arrival) == [0, 0, 0, 0, 0, 7, 7, 0, 0, 0, 8, 8, 0, 0, 0, 30, 30, 0, 0, 0]


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from([CLICKS, CARTS, ORDERS, SPEND]), st.integers(-5, 5)), max_size=30
    )
)
def test_counting_into_panes_agrees_with_counting_into_a_dict(counts: list[tuple[int, int, int]]) -> None:
    panes: Panes = []
    known: dict[int, list[int]] = {}
    for number, field, amount in counts:
        panes[pane_at(panes, number) + field] += amount
        known.setdefault(number, [number, 0, 0, 0, 0])[field] += amount
    assert panes == [each for number in sorted(known) for each in known[number]]


@pytest.mark.parametrize("kept", [DAYS_KEPT, HOURS_KEPT, 2])
def test_panes_more_than_the_kept_ones_before_the_newest_are_dropped_whole(kept: int) -> None:
    # ...  newest-kept-1 | newest-kept ... newest
    #          dropped   |         stays
    newest = 1_000
    panes = panes_of(newest, newest - kept, newest - kept - 1, 1, newest - 1)
    prune(panes, kept)
    assert panes == panes_of(newest - kept, newest - 1, newest)


@pytest.mark.parametrize("numbers", [(), (5,), (0, DAYS_KEPT), (100, 130)])
def test_nothing_is_dropped_from_few_panes_or_none(numbers: tuple[int, ...]) -> None:
    panes = panes_of(*numbers)
    prune(panes, DAYS_KEPT)
    assert panes == panes_of(*numbers)


def test_sixty_days_and_forty_eight_hours_are_kept() -> None:
    assert (DAYS_KEPT, HOURS_KEPT) == (60, 48)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(1, 20), st.integers(0, 2**15 - 1))
@example([0, 40, 0, 25], 20, 0b_0111)
def test_what_is_kept_depends_neither_on_the_order_of_arrival_nor_on_how_often_it_is_pruned(
    numbers: list[int], kept: int, pruned_after: int
) -> None:
    outcomes = []
    for turn, order in enumerate(permutations(numbers)):
        panes: Panes = []
        for place, number in enumerate(order):
            panes[pane_at(panes, number) + CLICKS] += 1
            if pruned_after >> (turn + place) % 15 & 1:
                prune(panes, kept)
        prune(panes, kept)
        outcomes.append(panes)
    assert all(panes == outcomes[0] for panes in outcomes)
    assert numbers_of(outcomes[0]) == sorted({each for each in numbers if max(numbers) - each <= kept})
