"""Habits: every activity counts in its quarter of the day and in its channel, whatever the order of arrival."""

from itertools import permutations
from random import Random

import pytest

from schemas.events import AnyEvent
from schemas.times import HOUR_MS
from tables.dimensions import MAX_LABEL
from tables.row import MAX_CHANNELS
from tests.agents.drive import LATENESS, Story, cart, click, day, erased, message, order, profile, tag


@pytest.mark.parametrize(
    ("hour", "parts"),
    [
        (0, (1, 0, 0, 0)),
        (5.99, (1, 0, 0, 0)),
        (6, (0, 1, 0, 0)),
        (12, (0, 0, 1, 0)),
        (18, (0, 0, 0, 1)),
        (23.99, (0, 0, 0, 1)),
    ],
)
def test_an_activity_counts_in_its_quarter_of_the_utc_day(hour: float, parts: tuple[int, ...]) -> None:
    story = Story()
    story.apply(click(day(3, int(hour * HOUR_MS))))
    assert story.row().day_parts == parts


def test_whatever_is_activity_counts_and_nothing_else() -> None:
    story = Story()
    story.apply(click(day(0), channel="app"), cart(day(1), channel="app"), order(day(2), channel="store"))
    story.apply(profile(day(3), kind="login", channel="web"), profile(day(4), kind="registered"))
    assert (sum(story.row().day_parts), story.row().channels) == (5, {"app": 2, "store": 1, "web": 1})
    story.apply(order(day(5), status="cancelled", channel="web"), order(day(6), status="returned", channel="web"))
    story.apply(message(day(7), channel="web"), tag(day(8), channel="web"), profile(day(9), channel="web"))
    assert (sum(story.row().day_parts), story.row().channels) == (5, {"app": 2, "store": 1, "web": 1})


def test_what_comes_later_than_the_lateness_counts_no_more() -> None:
    story = Story()
    story.apply(click(day(0), channel="app"), click(day(90), channel="app"))
    story.apply(click(day(90) - LATENESS, channel="web"), click(day(90) - LATENESS - 1, channel="store"))
    assert (sum(story.row().day_parts), story.row().channels) == (3, {"app": 2, "web": 1})


def test_a_copy_counts_once() -> None:
    story = Story()
    story.apply(*[click(day(0), "same", channel="app")] * 2)
    assert (story.row().day_parts, story.row().channels) == ((1, 0, 0, 0), {"app": 1})


def test_of_too_many_channels_the_first_by_name_stay_whatever_came_first() -> None:
    events: list[AnyEvent] = [
        click(day(1, number), channel=f"c{number // 2 % (MAX_CHANNELS + 3):02}") for number in range(60)
    ]
    for seed in range(20):
        story, shuffled = Story(), Random(seed).sample(events, len(events))  # noqa: S311  an order, no secret
        story.apply(*shuffled, now=day(2))
        counts = [6, 6, 6, 6, 6, 6, 6, 6]
        assert story.row().channels == {f"c{number:02}": count for number, count in enumerate(counts)}


def test_long_names_are_told_apart_by_their_beginning() -> None:
    long = "x" * MAX_LABEL
    for names in permutations([long, long + "a", long + "b"]):
        story = Story()
        story.apply(*(click(day(0, place), channel=name) for place, name in enumerate(names)))
        assert story.row().channels == {long: 3}


def test_an_empty_name_is_no_channel() -> None:
    story = Story()
    story.apply(click(day(0), channel=""))
    assert (story.row().day_parts, story.row().channels) == ((1, 0, 0, 0), {})


def test_who_is_erased_has_no_habits() -> None:
    story = Story()
    story.apply(click(day(0), channel="app"), erased(day(1)), click(day(2), channel="web"))
    assert (story.row().day_parts, story.row().channels) == ((1, 0, 0, 0), {"web": 1})
