"""How long a value lasts: since the first of the days without a break at whose ends its rule finds it."""

from typing import Any, Final

import msgspec
import pytest

from schemas.events import AnyEvent
from schemas.rules import TagRule
from schemas.times import HOUR_MS, Millis
from tests.agents.drive import Story, about, click, day
from tests.agents.rules.test_look import book, renew, told
from tests.oracle import effective

OFTEN: Final = TagRule(name="often", when="clicks(60d) >= 2", ttl="36h")
LATELY: Final = TagRule(name="lately", when="clicks(1d) >= 1", ttl="36h")


@pytest.mark.parametrize("slide", [day(60), day(60, 1), day(60) + HOUR_MS])
def test_a_late_click_finds_the_time_to_live_as_it_is_where_the_window_slides_on_the_day_of_the_next_one(
    slide: Millis,
) -> None:
    # day     0        2.5         56.5       60                                      61
    #         x x      | over      o late     | both of day 0 leave the window;  x    x
    first, late, last, more = (click(day(0), "a"), click(day(0), "b")), click(day(56.5)), click(slide), click(day(61))
    expected = [(day(0), None, True), (day(2.5, -1), True, None)]
    assert history(*first, late, last, more) == history(*first, last, late, more) == expected


def test_what_a_rule_finds_between_two_ends_of_days_does_not_begin_a_life_anew() -> None:
    # day     0       1       2    2.5
    #           x     |  x    |  x  |       each midnight the window is empty until the next click
    story = Story(rulebook=book(LATELY))
    story.apply(*(click(day(number + 0.25)) for number in range(4)))
    story.watermark(day(4.5))
    assert [line.split(" (")[0] for line in told(story, "lately")] == [
        "lately: null -> true at 0d+21600000ms",
        "lately: true -> null at 1d",
        "lately: null -> true at 1d+21600000ms",
        "lately: true -> null at 2d",
        "lately: null -> true at 2d+21600000ms",
        "lately: true -> null at 2d+43199999ms",
    ]
    story.apply(click(day(5.25)))
    assert about("lately", story.watermark(day(5.5))) == ["lately: null -> true at 5d+21600000ms (click:5d+21600000ms)"]


def test_a_life_that_began_before_all_that_is_remembered_ends_in_time() -> None:
    story = Story(rulebook=book(msgspec.structs.replace(LATELY, ttl="20d")))
    for number in range(22):
        story.apply(click(day(number + 0.25)))
        story.cool()
    story.watermark(day(22))
    assert told(story, "lately")[-1] == "lately: true -> null at 21d-1ms (timer)"
    tag = story.row().rule_tags["lately"]
    assert (tag.ended, len(tag.answers)) == (True, 1)
    assert len(tag.said) < 20


def test_a_rule_that_is_given_a_time_to_live_counts_it_from_what_it_said_before() -> None:
    story = Story(rulebook=book(msgspec.structs.replace(OFTEN, ttl=msgspec.UNSET)))
    story.apply(click(day(0), "a"), click(day(0), "b"))
    story.watermark(day(1))
    renew(story, book(OFTEN))
    story.apply(click(day(2)))
    assert about("often", story.watermark(day(3))) == ["often: true -> null at 2d+43199999ms (timer)"]


def history(*events: AnyEvent) -> list[Any]:
    """What is true of `often` in the end, where the events came in this order."""
    story = Story(rulebook=book(OFTEN))
    for event in events:
        story.apply(event)
        story.watermark(event.ts + 1)
    records = msgspec.json.decode(msgspec.json.encode(story.changes))
    return effective(records, {"often"})["u"]["often"]
