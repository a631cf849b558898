"""Tags set by hand: the newest word wins, whatever arrives last, until it ends.

In the timelines `t` is a word, `|` where it ends, `W` how far time had come.
"""

import pytest

from schemas.times import DAY_MS
from tables.row import MAX_TAGS
from tests.agents.drive import LATENESS, Story, click, day, tag

TEN_DAYS = 10 * DAY_MS


def test_a_tag_is_set_changed_and_removed() -> None:
    story = Story()
    assert story.apply(tag(day(0), "a", value="gold")) == ["1 vip: null -> gold at 0d (tag:a)"]
    assert story.apply(tag(day(1), "b", value="silver")) == ["2 vip: gold -> silver at 1d (tag:b)"]
    assert story.apply(tag(day(2), "c", value=None)) == ["3 vip: silver -> null at 2d (tag:c)"]
    assert {change.rule_version for change in story.changes} == {0}


def test_removing_what_is_not_set_says_nothing() -> None:
    assert Story().apply(tag(day(0), value=None)) == []


def test_a_tag_stays_for_ever_without_a_ttl() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold"))
    assert story.watermark(day(10_000)) == []


# day        0                   10
# tag        t-------------------|
#            gold                null, said once W is past it
def test_a_tag_ends_exactly_when_its_time_is_over() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold", ttl_ms=TEN_DAYS))
    assert story.watermark(day(10)) == []
    assert story.watermark(day(10, 1)) == ["2 vip: gold -> null at 10d (timer)"]
    assert story.watermark(day(100)) == []


def test_a_tag_can_last_a_single_millisecond() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold", ttl_ms=1))
    assert story.watermark(day(0, 2)) == ["2 vip: gold -> null at 0d+1ms (timer)"]


# day        0         5              10        15
# tag        t---------t--------------(|)-------|
def test_a_word_that_repeats_the_value_only_moves_its_end() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold", ttl_ms=TEN_DAYS))
    assert story.apply(tag(day(5), value="gold", ttl_ms=TEN_DAYS)) == []
    assert story.watermark(day(15)) == []
    assert story.watermark(day(15, 1)) == ["2 vip: gold -> null at 15d (timer)"]


def test_a_word_that_repeats_the_value_without_a_ttl_makes_it_last() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold", ttl_ms=TEN_DAYS), tag(day(5), value="gold"))
    assert story.watermark(day(1000)) == []


# day        0         5         15
# tag        t---------t---------|
def test_a_word_that_repeats_the_value_with_a_ttl_gives_it_an_end() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold"))
    assert story.apply(tag(day(5), value="gold", ttl_ms=TEN_DAYS)) == []
    assert story.watermark(day(15, 1)) == ["2 vip: gold -> null at 15d (timer)"]


def test_nothing_does_not_end() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold"), tag(day(1), value=None, ttl_ms=TEN_DAYS))
    assert story.watermark(day(100)) == []


# day        0         5              10
# tag        t---------t--------------(|)
#            gold      silver
def test_another_value_takes_over_before_the_end() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold", ttl_ms=TEN_DAYS), tag(day(5), value="silver"))
    assert story.watermark(day(100)) == []
    assert story.row().tags["vip"].value == "silver"


# day        0         10        12
# tag        t---------|---------t
#            gold      null      silver     the end is said before what follows, also without a timer between
def test_a_word_after_the_end_finds_nothing() -> None:
    story = Story()
    story.apply(tag(day(0), "a", value="gold", ttl_ms=TEN_DAYS))
    assert story.apply(tag(day(12), "b", value="silver")) == [
        "2 vip: gold -> null at 10d (timer)",
        "3 vip: null -> silver at 12d (tag:b)",
    ]


# day        0         10
# tag        t---------t        at exactly the end
def test_a_word_at_exactly_the_end_comes_in_time() -> None:
    story = Story()
    story.apply(tag(day(0), "a", value="gold", ttl_ms=TEN_DAYS))
    assert story.apply(tag(day(10), "b", value="silver")) == ["2 vip: gold -> silver at 10d (tag:b)"]


# day        0    3
# tag        t2---t1            t2 comes late
def test_an_older_word_that_comes_late_changes_nothing() -> None:
    story = Story()
    story.apply(tag(day(3), value="gold"))
    assert story.apply(tag(day(0), value="silver", ttl_ms=1)) == []
    assert story.watermark(day(100)) == []
    assert story.row().tags["vip"].value == "gold"


@pytest.mark.parametrize("turned", [False, True])
def test_of_one_moment_the_greater_event_id_wins(turned: bool) -> None:
    words = [tag(day(0), "a", value="gold"), tag(day(0), "b", value="silver")]
    story = Story()
    story.apply(*(words[::-1] if turned else words))
    assert story.row().tags["vip"].value == "silver"


# day        0         8    10   W 12
# tag        t---------t----|----
#            gold      silver (null)
def test_a_late_word_takes_back_the_end() -> None:
    story = Story()
    story.apply(tag(day(0), "a", value="gold", ttl_ms=TEN_DAYS))
    story.watermark(day(12))
    assert story.apply(tag(day(8), "b", value="silver")) == [
        "3 vip: null -> gold at 10d, takes back 2 (tag:b)",
        "4 vip: gold -> silver at 8d (tag:b)",
    ]


# day        0         8    10   W 12          18
# tag        t---------t----|----              |
#            gold      gold (null)             null
def test_a_late_word_of_the_same_value_takes_back_the_end_and_moves_it() -> None:
    story = Story()
    story.apply(tag(day(0), "a", value="gold", ttl_ms=TEN_DAYS))
    story.watermark(day(12))
    assert story.apply(tag(day(8), "b", value="gold", ttl_ms=TEN_DAYS)) == [
        "3 vip: null -> gold at 10d, takes back 2 (tag:b)"
    ]
    assert story.watermark(day(18, 1)) == ["4 vip: gold -> null at 18d (timer)"]


# day        0         10   W 12       a late word at 10, and one a millisecond later
def test_a_late_word_at_exactly_the_end_takes_it_back_and_a_later_one_does_not() -> None:
    story = Story()
    story.apply(tag(day(0), "a", value="gold", ttl_ms=TEN_DAYS))
    story.watermark(day(12))
    assert story.apply(tag(day(10, 1), "b", value="silver")) == ["3 vip: null -> silver at 10d+1ms (tag:b)"]
    story = Story()
    story.apply(tag(day(0), "a", value="gold", ttl_ms=TEN_DAYS))
    story.watermark(day(12))
    assert story.apply(tag(day(10), "b", value=None)) == [
        "3 vip: null -> gold at 10d, takes back 2 (tag:b)",
        "4 vip: gold -> null at 10d (tag:b)",
    ]


def test_a_late_word_may_end_in_the_past() -> None:
    # ---t(0) gold---        W 12     late t(8) silver for 1 d: over at 9
    story = Story()
    story.apply(tag(day(0), "a", value="gold"))
    story.watermark(day(12))
    assert story.apply(tag(day(8), "b", value="silver", ttl_ms=DAY_MS)) == ["2 vip: gold -> silver at 8d (tag:b)"]
    assert story.watermark(day(12)) == ["3 vip: silver -> null at 9d (timer)"]


def test_a_word_that_comes_too_late_changes_nothing_even_if_it_is_the_only_one() -> None:
    story = Story()
    story.apply(click(day(0)))
    assert story.apply(tag(day(0), "a", value="gold"), now=day(0) + LATENESS + 1) == []
    assert story.row().tags == {}
    assert story.apply(tag(day(0, 1), "b", value="gold")) == ["3 vip: null -> gold at 0d+1ms (tag:b)"]


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (True, 1), ("1", 1), (None, False), ("", None), (1.5, 1)]
)
def test_values_of_different_kinds_are_different(one: object, other: object) -> None:
    story = Story()
    story.apply(tag(day(0), value=one))
    story.apply(tag(day(1), value=other))
    last = story.changes[-1]
    assert [type(last.from_), type(last.to)] == [type(one), type(other)]
    assert (last.from_, last.to, last.at) == (one, other, day(1))


def test_a_whole_number_is_the_same_with_a_fraction_of_nothing() -> None:
    story = Story()
    story.apply(tag(day(0), value=1))
    assert story.apply(tag(day(1), value=1.0)) == []


def test_tags_end_in_the_order_of_their_times_and_names() -> None:
    story = Story()
    story.apply(tag(day(0), "1", tag="c", value=1, ttl_ms=5), tag(day(0), "2", tag="b", value=1, ttl_ms=9))
    story.apply(tag(day(0), "3", tag="a", value=1, ttl_ms=9))
    assert story.watermark(day(1)) == [
        "4 c: 1 -> null at 0d+5ms (timer)",
        "5 a: 1 -> null at 0d+9ms (timer)",
        "6 b: 1 -> null at 0d+9ms (timer)",
    ]


# day        0         30        40
# activity   x---------|                tags and lifecycles share one timer
# tag        t-------------------|
def test_a_tag_ends_beside_the_lifecycles() -> None:
    story = Story()
    story.apply(click(day(0)), tag(day(0), value="gold", ttl_ms=40 * DAY_MS))
    assert story.watermark(day(61)) == [
        "4 lifecycle: active -> silent at 30d (timer)",
        "5 vip: gold -> null at 40d (timer)",
        "6 lifecycle: silent -> lost at 60d (timer)",
    ]


def test_the_sixty_fifth_tag_pushes_the_one_with_the_oldest_word_out() -> None:
    story = Story()
    story.apply(*[tag(day(n), tag=f"t{n}", value=n) for n in range(1, MAX_TAGS + 1)])
    assert story.apply(tag(day(70), "new", tag="t0", value=0)) == [
        "65 t0: null -> 0 at 70d (tag:new)",
        "66 t1: 1 -> null at 70d (tag:new)",
    ]
    assert story.row().tags.keys() == {"t0", *(f"t{n}" for n in range(2, MAX_TAGS + 1))}


def test_a_tag_that_is_pushed_out_after_its_end_says_its_end_alone() -> None:
    story = Story()
    story.apply(tag(day(0), tag="t0", value=0, ttl_ms=TEN_DAYS))
    story.apply(*[tag(day(n), tag=f"t{n}", value=n) for n in range(1, MAX_TAGS)])
    assert story.apply(tag(day(70), "new", tag="new", value="new")) == [
        "65 new: null -> new at 70d (tag:new)",
        "66 t0: 0 -> null at 10d (timer)",
    ]


def test_a_tag_that_was_removed_is_pushed_out_without_a_word() -> None:
    story = Story()
    story.apply(tag(day(0), tag="t0", value=None))
    story.apply(*[tag(day(n), tag=f"t{n}", value=n) for n in range(1, MAX_TAGS)])
    assert len(story.apply(tag(day(70), tag="new", value="new"))) == 1


def test_a_tag_that_comes_late_as_the_oldest_of_sixty_five_leaves_at_once() -> None:
    story = Story()
    story.apply(*[tag(day(1, n), tag=f"t{n}", value=n) for n in range(MAX_TAGS)])
    assert story.apply(tag(day(0), "late", value="gold")) == [
        "65 vip: null -> gold at 0d (tag:late)",
        "66 vip: gold -> null at 0d (tag:late)",
    ]
    assert "vip" not in story.row().tags


def test_a_tag_knows_no_other_tag() -> None:
    story = Story()
    story.apply(tag(day(0), "a", value="gold"))
    assert story.apply(tag(day(1), "b", tag="muted", value=True)) == ["2 muted: null -> true at 1d (tag:b)"]
    assert story.row().tags["vip"].value == "gold"
