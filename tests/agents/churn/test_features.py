from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.churn.ageing import aged
from agents.churn.catalogue import NAMES, PLACE
from agents.churn.features import features, matrix
from app.churn_docs import tables
from schemas.events import AnyEvent
from schemas.times import DAY_MS, HOUR_MS, MAX_TS
from tables.row import FirstActivity, Row
from tests.agents.drive import Story, cart, click, day, order, profile
from tests.properties.test_the_law import drive
from tests.storms import Storm, storms


def value(story: Story, name: str, at: int) -> float:
    return features(story.row(), at)[PLACE[name]]


def habits(story: Story) -> dict[str, float]:
    return {name: value(story, name, day(9)) for name in ("channels", "channel_main")}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([-99, -20, -1, 0, 1, 15, 100, 4_000]), storms())
def test_all_are_finite_for_every_row_at_any_time(beyond: int, storm: Storm) -> None:
    """Also earlier than what the row knows, as where a clock was wrong."""
    as_of = min(max(storm.until + beyond * DAY_MS, 1), MAX_TS)
    for partition in drive(storm):
        users = {event["user_id"] for event in storm.all_arrivals()}
        rows = [row for user in users if (row := partition.table.get(user)) is not None]
        assert np.isfinite(matrix(rows, as_of)).all()


def test_an_empty_row_has_them_all() -> None:
    assert np.isfinite(features(Row(), day(0))).all()


def test_the_history_of_bg_nbd_is_in_days() -> None:
    story = Story()
    for number in (0, 0.2, 10, 30):
        story.apply(order(day(number), order_id=f"o{number}", total=5))
    assert [value(story, name, day(40)) for name in ("repeat_days", "last_day", "age_days")] == [2, 30, 40]


def test_the_days_of_orders_that_left_the_row_still_count() -> None:
    story = Story()
    for number in range(0, 400, 8):
        story.apply(order(day(number), order_id=f"o{number}", total=5))
    assert value(story, "repeat_days", day(400)) == 49


def test_days_of_clicks_that_left_the_panes_still_count() -> None:
    story = Story()
    for number in range(0, 300, 5):
        story.apply(*(click(day(number, place), f"c{number}/{place}") for place in range(3)))
    assert value(story, "repeat_days", day(300)) == 59


def test_older_days_with_orders_are_taken_to_be_days_with_clicks() -> None:
    story = Story()
    for number in range(0, 300, 5):
        story.apply(
            click(day(number)), *([order(day(number, 9), order_id=f"o{number}", total=5)] if number % 10 else [])
        )
    assert value(story, "repeat_days", day(300)) == 59


def test_events_late_within_the_lateness_make_no_difference() -> None:
    events: list[AnyEvent] = [order(day(number), order_id=f"o{number}", total=5 + number) for number in range(0, 90, 3)]
    events.extend(click(day(number, 7)) for number in range(0, 90, 4))
    events.extend(cart(day(number, 9)) for number in range(0, 90, 9))
    in_order, late = Story(), Story()
    in_order.apply(*sorted(events, key=lambda event: event.ts))
    late.apply(*sorted(events, key=lambda event: event.ts + 6 * DAY_MS * (event.ts // DAY_MS % 2)))
    assert features(in_order.row(), day(100)) == features(late.row(), day(100))


@pytest.mark.parametrize(
    ("events", "opened"),
    [
        ([cart(day(1))], 1.0),
        ([cart(day(1)), order(day(2))], 0.0),
        ([cart(day(1)), cart(day(2), action="checkout")], 0.0),
        ([order(day(1)), cart(day(2))], 1.0),
    ],
)
def test_a_cart_is_open_until_a_checkout_or_an_order(events: list[AnyEvent], opened: float) -> None:
    story = Story()
    story.apply(*events)
    assert value(story, "cart_open", day(3)) == opened


def test_the_cart_recency_counts_from_the_cart() -> None:
    story = Story()
    story.apply(click(day(0)), cart(day(6)))
    assert value(story, "cart_recency", day(10)) == pytest.approx(np.log1p(4))


def test_channels_are_counted_as_far_as_they_are_told() -> None:
    story = Story()
    story.apply(click(day(0)), profile(day(1), kind="login"))
    assert habits(story) == {"channels": 0.0, "channel_main": 1.0}
    story.apply(click(day(2), channel="app"), cart(day(3), channel="app"), order(day(4), channel="store"))
    assert habits(story) == {"channels": pytest.approx(np.log1p(2)), "channel_main": 3 / 4}


def test_each_part_of_the_day_has_its_share_of_the_activities() -> None:
    # hour  0     6     12    18    24
    #       |     | c   |     | c c |
    story = Story()
    story.apply(*(click(day(0, hour * HOUR_MS)) for hour in (8, 18, 23)))
    shares = {"morning": 1.5 / 5, "afternoon": 0.5 / 5, "evening": 2.5 / 5, "hours_main": 2.5 / 5}
    assert {name: value(story, name, day(2)) for name in shares} == shares


def test_who_keeps_to_the_night_has_hours_too() -> None:
    story = Story()
    story.apply(*(click(day(number)) for number in range(8)))
    shares = {"morning": 0.5 / 10, "afternoon": 0.5 / 10, "evening": 0.5 / 10, "hours_main": 8.5 / 10}
    assert {name: value(story, name, day(9)) for name in shares} == shares


def test_of_a_row_from_before_habits_were_counted_no_hour_stands_out() -> None:
    found = features(Row(first=FirstActivity(day(0), "a", "click")), day(9))
    names = ("channels", "channel_main", "morning", "afternoon", "evening", "hours_main")
    assert [found[PLACE[name]] for name in names] == [0.0, 1.0, *[0.25] * 4]


def test_what_is_aged_is_what_the_row_says_then() -> None:
    story = Story()
    for number in (0, 3, 4, 11, 25, 60):
        story.apply(order(day(number), order_id=f"o{number}", total=5), click(day(number, 5)), cart(day(number, 8)))
    now, then = (np.array([features(story.row(), at)]) for at in (day(70), day(100)))
    place = PLACE["last_year"]
    assert np.delete(aged(now, 30), place) == pytest.approx(np.delete(then, place), abs=1e-9)
    assert any(now[0] != then[0])


def test_ageing_in_two_steps_is_ageing_in_one() -> None:
    story = Story()
    story.apply(order(day(0), total=5), order(day(9), order_id="p", total=6), click(day(10)))
    now = np.array([features(story.row(), day(12))])
    assert aged(aged(now, 15), 15) == pytest.approx(aged(now, 30), abs=1e-9)


def test_each_has_its_name_once_and_a_line_in_the_table() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(f"| `{name}` |" in tables()["features"] for name in NAMES)


def test_longer_away_is_never_a_shorter_recency() -> None:
    story = Story()
    story.apply(click(day(0)))
    assert all(one < other for one, other in pairwise(value(story, "recency", day(number)) for number in range(9)))
