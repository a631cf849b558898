"""Clicks, carts, orders and spend, on the day and in the hour of their own time."""

from agents.counting import count, count_purchase
from schemas.events import AnyEvent
from schemas.times import HOUR_MS
from tables.row import Row, Totals
from tests.agents.drive import Counts, Story, by_day, by_hour, cart, click, day, order


def test_each_event_counts_on_its_day_and_in_its_hour() -> None:
    # hour  0    1              24
    #       c c  c a            o
    story = Story()
    story.apply(click(day(0), "1"), click(day(0, HOUR_MS - 1), "2"), click(day(0, HOUR_MS), "3"))
    story.apply(cart(day(0, HOUR_MS)), order(day(1), total=12.34))
    row = story.row()
    assert by_day(row) == {0: Counts(clicks=3, carts=1), 1: Counts(orders=1, spend=1234)}
    assert by_hour(row) == {0: Counts(clicks=2), 1: Counts(clicks=1, carts=1), 24: Counts(orders=1, spend=1234)}
    assert row.totals == Totals(clicks=3, carts=1, orders=1, spend=1234)


def test_a_late_event_counts_on_its_own_day() -> None:
    story = Story()
    story.apply(click(day(5)), click(day(3)), click(day(4)), now=day(6))
    assert by_day(story.row()) == {3: Counts(clicks=1), 4: Counts(clicks=1), 5: Counts(clicks=1)}


def test_a_day_with_looks_counts_once_whatever_comes_first() -> None:
    # day   0   1   2   3   4
    #       c   o   a       c   and late: c on 0, c on 1, a on 2, c on 3
    story = Story()
    story.apply(click(day(0), "1"), order(day(1)), cart(day(2)), click(day(4), "4"))
    assert story.row().look_days == 3
    late: list[AnyEvent] = [click(day(0, 5), "5"), click(day(1, 5), "6"), cart(day(2, 5), "7"), click(day(3, 5), "8")]
    found = [(story.apply(event, now=day(6)), story.row().look_days)[1] for event in late]
    assert found == [3, 4, 4, 5]


def test_a_look_too_late_for_its_pane_adds_no_day() -> None:
    story = Story()
    story.apply(click(day(0), "1"), click(day(90), "2"), click(day(1), "3"))
    assert (story.row().look_days, story.row().totals.clicks) == (2, 3)


def test_what_is_added_and_taken_off_again_leaves_nothing() -> None:
    row = Row()
    count_purchase(row, day(0), 1, 500)
    count_purchase(row, day(0), -1, -500)
    assert (row.totals, by_day(row), by_hour(row)) == (Totals(), {}, {})


def test_a_return_may_leave_less_than_nothing() -> None:
    row = Row()
    count_purchase(row, day(2), 0, -500)
    assert row.totals == Totals(spend=-500)
    assert by_day(row) == {2: Counts(spend=-500)}


def test_fields_are_counted_apart() -> None:
    row = Row()
    count(row, day(0), clicks=1)
    count(row, day(0), carts=3)
    assert by_day(row) == by_hour(row) == {0: Counts(clicks=1, carts=3)}


def test_panes_that_are_too_old_are_gone_once_the_row_is_stored() -> None:
    # day   0        1                  69          days: those up to 68 before the newest; hours: up to 48
    #       c        c                  c
    story = Story()
    story.apply(click(day(0)), click(day(1)), click(day(69)))
    story.cool()
    row = story.row()
    assert by_day(row) == {1: Counts(clicks=1), 69: Counts(clicks=1)}
    assert by_hour(row) == {69 * 24: Counts(clicks=1)}
    assert row.totals.clicks == 3


def test_what_comes_too_late_counts_only_into_panes_that_still_exist() -> None:
    # day   0    10              73     late ones at 10 and at 4: day 4 is more than 68 before the newest
    story = Story()
    story.apply(click(day(0)), click(day(10)), click(day(73)))
    story.cool()
    story.apply(click(day(10), "late"), click(day(4), "later"))
    story.cool()
    assert by_day(story.row()) == {10: Counts(clicks=2), 73: Counts(clicks=1)}
    assert story.row().totals.clicks == 5
