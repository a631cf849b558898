"""Erasure: every tag to null, the row forgotten, a stub that keeps older events dead.

In the timelines `x` is activity that is no order, `o` an order, `E` an erasure, `W` how far time had come.
"""

from typing import Any

import pytest

from schemas.times import DAY_MS
from tables.arrivals import CAPACITY
from tables.row import Row
from tests.agents.drive import (
    LATENESS,
    Story,
    about_any,
    cart,
    click,
    day,
    erased,
    message,
    order,
    profile,
    tag,
)
from tests.agents.test_activity import an_activity, no_activity

NOTHING = Row()


def is_forgotten(row: Row) -> bool:
    """Whether nothing but the stub is left."""
    kept = {"due", "sequence", "erased_at"}
    return row.is_blank and all(
        getattr(row, name) == getattr(NOTHING, name) for name in Row.__struct_fields__ if name not in kept
    )


# day        0                  10
# activity   o------------------E
# tags       t
def test_an_erasure_takes_every_tag_to_null() -> None:
    story = Story()
    story.apply(order(day(0)), tag(day(0), "t", tag="vip", value="gold"), tag(day(0), "u", tag="big", value=True))
    assert story.apply(erased(day(10), "E")) == [
        "5 lifecycle: active -> null at 10d (profile:E)",
        "6 lifecycle.purchase: active -> null at 10d (profile:E)",
        "7 big: true -> null at 10d (profile:E)",
        "8 vip: gold -> null at 10d (profile:E)",
    ]
    assert is_forgotten(story.row())
    assert story.row().erased_at == day(10)


def test_an_erasure_forgets_everything_that_was_known() -> None:
    story = Story()
    story.apply(
        cart(day(0), price=1.0),
        order(day(0), total=5.0),
        profile(day(0), attributes={"region": "north"}, consent={"sms": True}, reachable=["sms"], kind="registered"),
        message(day(0)),
    )
    story.apply(erased(day(1)))
    assert is_forgotten(story.row())


def test_a_value_that_is_null_already_gets_no_change() -> None:
    story = Story()
    story.apply(message(day(0)), tag(day(0), "a", value="gold"), tag(day(1), "b", value=None))
    assert story.apply(erased(day(2))) == []
    assert is_forgotten(story.row())


# day        0                  30        60     E 70
def test_what_was_due_before_the_erasure_is_said_before_it() -> None:
    story = Story()
    story.apply(click(day(0)), tag(day(0), value="gold", ttl_ms=40 * DAY_MS))
    assert story.apply(erased(day(70), "E")) == [
        "4 lifecycle: active -> silent at 30d (timer)",
        "5 lifecycle: silent -> lost at 60d (timer)",
        "6 lifecycle: lost -> null at 70d (profile:E)",
        "7 lifecycle.purchase: unactivated -> null at 70d (profile:E)",
        "8 vip: gold -> null at 40d (timer)",
    ]


# day        0                  E 30
def test_what_is_due_at_exactly_the_erasure_is_not_said() -> None:
    story = Story()
    story.apply(click(day(0)), tag(day(0), value="gold", ttl_ms=30 * DAY_MS))
    assert story.apply(erased(day(30), "E")) == [
        "4 lifecycle: active -> null at 30d (profile:E)",
        "5 lifecycle.purchase: unactivated -> null at 30d (profile:E)",
        "6 vip: gold -> null at 30d (profile:E)",
    ]


# day        0         E 10      20
# activity   x---------E---------x          who comes again is a new user, whose sequence goes on
def test_sequence_numbers_go_on_over_an_erasure() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(10)))
    assert story.apply(click(day(10, 1), "c")) == [
        "5 lifecycle: null -> active at 10d+1ms (click:c)",
        "6 lifecycle.purchase: null -> unactivated at 10d+1ms (click:c)",
    ]
    assert story.watermark(day(41)) == ["7 lifecycle: active -> silent at 40d+1ms (timer)"]


# day        0    4    E 5     W 6       x late at 4 and at 5: dead; at 5 d + 1 ms: alive
def test_older_events_that_arrive_after_the_erasure_stay_dead_and_are_counted() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(5)), now=day(6))
    assert story.apply(click(day(4)), order(day(5)), tag(day(5), value="gold"), profile(day(3), kind="login")) == []
    assert is_forgotten(story.row())
    assert (story.partition.counters.erased, story.partition.counters.applied) == (4, 2)
    assert len(story.apply(click(day(5, 1)))) == 2
    assert story.row().totals.clicks == 1


def test_a_copy_of_the_erasure_is_dead_too() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(5), "E"))
    assert story.apply(erased(day(5), "E"), erased(day(4), "F")) == []
    assert story.partition.counters.erased == 2


# day        0         5    8              x 5 and x 8 had come before the late E 4
def test_a_late_erasure_starts_the_row_anew_from_what_had_come_of_later_times() -> None:
    story = Story()
    story.apply(click(day(0)), order(day(5), total=9.0), click(day(8)))
    assert story.apply(erased(day(4), "E")) == [
        "4 lifecycle: active -> null at 4d (profile:E)",
        "5 lifecycle.purchase: active -> unactivated at 5d, takes back 3 (profile:E)",
        "6 lifecycle.purchase: unactivated -> null at 4d (profile:E)",
        "7 lifecycle: null -> active at 5d (profile:E)",
        "8 lifecycle.purchase: null -> active at 5d (profile:E)",
    ]
    row = story.row()
    assert (row.lifecycle.first, row.lifecycle.last) == (day(5), day(8))
    assert (row.purchase.first, row.purchase.last) == (day(5), day(5))
    assert (row.totals, row.days, row.orders) == (NOTHING.totals, NOTHING.days, NOTHING.orders)
    assert not story.watermark(day(35))
    assert story.watermark(day(35, 1)) == ["9 lifecycle.purchase: active -> silent at 35d (timer)"]
    assert story.watermark(day(38, 1)) == ["10 lifecycle: active -> silent at 38d (timer)"]


# day        4    5              what had come at 5 before the late E 4 starts the row anew only if it is activity
@no_activity
def test_what_is_no_activity_starts_nothing_anew(make: Any, fields: dict[str, Any]) -> None:
    story = Story()
    story.apply(make(day(5), "e", **fields))
    assert story.apply(erased(day(4))) == []
    assert (story.states(), story.row().first) == ((None, None), None)


@an_activity
def test_every_activity_starts_the_row_anew(make: Any, fields: dict[str, Any]) -> None:
    story = Story()
    story.apply(make(day(5), "e", **fields), erased(day(4)))
    purchase = "active" if make is order else "unactivated"
    assert story.states() == ("active", purchase)
    assert story.history["u"]["lifecycle.purchase"] == [(day(5), None, purchase)]


# day        3    4    5           E 3 comes late: the user began only after it
def test_a_late_erasure_before_the_first_activity_says_the_same_again() -> None:
    story = Story()
    story.apply(click(day(5), "c"))
    assert story.apply(erased(day(3), "E")) == [
        "3 lifecycle: active -> null at 5d, takes back 1 (profile:E)",
        "4 lifecycle.purchase: unactivated -> null at 5d, takes back 2 (profile:E)",
        "5 lifecycle: null -> active at 5d (profile:E)",
        "6 lifecycle.purchase: null -> unactivated at 5d (profile:E)",
    ]


# day        0         29   30    W 31       E 29 comes late: the silence was never said of a user
def test_a_late_erasure_takes_back_what_was_said_of_later_times() -> None:
    story = Story()
    story.apply(click(day(0)))
    story.watermark(day(31))
    assert about_any(story.apply(erased(day(29), "E"))) == [
        "4 lifecycle: silent -> active at 30d, takes back 3 (profile:E)",
        "5 lifecycle: active -> null at 29d (profile:E)",
    ]


# day        0         10   W 12       E 9 comes late: the tag's end at 10 is taken back
def test_a_late_erasure_takes_back_the_end_of_a_tag() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold", ttl_ms=10 * DAY_MS))
    story.watermark(day(12))
    assert story.apply(erased(day(9), "E")) == [
        "3 vip: null -> gold at 10d, takes back 2 (profile:E)",
        "4 vip: gold -> null at 9d (profile:E)",
    ]


def test_a_tag_that_ended_before_the_erasure_stays_ended() -> None:
    story = Story()
    story.apply(tag(day(0), value="gold", ttl_ms=DAY_MS))
    story.watermark(day(2))
    assert story.apply(erased(day(3))) == []


# day        3    5         E 3 comes late, the tag was set at 5
def test_a_tag_set_after_a_late_erasure_stays_and_ends_in_its_time() -> None:
    story = Story()
    story.apply(tag(day(5), value="gold", ttl_ms=DAY_MS))
    assert story.apply(erased(day(3))) == []
    assert story.row().tags["vip"].value == "gold"
    assert story.watermark(day(6, 1)) == ["2 vip: gold -> null at 6d (timer)"]


# a millisecond     x:a o:b     both arrived before a late erasure: their ids are forgotten, the order counts as first
def test_of_one_moment_an_order_counts_as_first_once_ids_are_forgotten() -> None:
    story = Story()
    story.apply(click(day(5), "a"), order(day(5), "b"))
    assert story.apply(erased(day(4), "E"))[-2:] == [
        "7 lifecycle: null -> active at 5d (profile:E)",
        "8 lifecycle.purchase: null -> active at 5d (profile:E)",
    ]
    assert story.history["u"]["lifecycle.purchase"] == [(day(5), None, "active")]


def test_copies_of_what_a_late_erasure_left_alive_are_known() -> None:
    story = Story()
    story.apply(click(day(0), "a"), click(day(5), "b"), erased(day(4)))
    assert story.apply(click(day(5), "b")) == []
    assert (story.partition.counters.duplicates, story.row().totals.clicks) == (1, 0)


# day        0              14   21 W      E 0 comes 21 d late and takes effect at 14
def test_an_erasure_that_comes_too_late_takes_effect_at_the_earliest_correctable_time() -> None:
    story = Story()
    story.apply(click(day(0)), click(day(10)), click(day(15)))
    story.watermark(day(21))
    assert story.apply(erased(day(0), "E"), now=day(14) + LATENESS) == [
        "3 lifecycle: active -> null at 14d (profile:E)",
        "4 lifecycle.purchase: unactivated -> null at 14d (profile:E)",
        "5 lifecycle: null -> active at 15d (profile:E)",
        "6 lifecycle.purchase: null -> unactivated at 15d (profile:E)",
    ]
    assert story.row().erased_at == day(14)
    assert story.partition.counters.too_late == 1


def test_an_erasure_as_late_as_is_allowed_takes_effect_at_its_own_time() -> None:
    story = Story()
    story.apply(click(day(0)))
    story.apply(erased(day(1)), now=day(1) + LATENESS)
    assert story.row().erased_at == day(1)


# day        E 5    W 6       of a user of whom nothing is known: what is older stays dead all the same
def test_an_erasure_of_an_unknown_user_leaves_a_stub() -> None:
    story = Story()
    assert story.apply(erased(day(5)), now=day(6)) == []
    assert is_forgotten(story.row())
    assert story.apply(click(day(4))) == []
    assert story.partition.counters.erased == 1


def test_an_erasure_of_an_unknown_user_that_comes_too_late_leaves_nothing() -> None:
    story = Story()
    story.apply(erased(day(5)), now=day(5) + LATENESS + 1)
    assert not story.knows_user()


# day        E 5                  12        the stub outlives the allowed lateness, to the millisecond
def test_the_stub_goes_when_nothing_older_can_come_in_time() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(5)))
    story.watermark(day(12))
    assert story.knows_user()
    assert story.watermark(day(12, 1)) == []
    assert not story.knows_user()
    assert story.partition.table.collect().rows == {"u": None}


# day        E 5       12        20 (21: far too late, of 4)      also where the stub's timer comes later
@pytest.mark.parametrize("timer_first", [True, False])
def test_who_comes_back_after_the_stubs_time_is_new(*, timer_first: bool) -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(5)))
    if timer_first:
        story.watermark(day(20))
    assert story.apply(click(day(20)))[0] == "1 lifecycle: null -> active at 20d (click:20d)"
    story.apply(click(day(4)), now=day(21))
    story.watermark(day(21))
    assert story.row().erased_at is None
    assert story.row().totals.clicks == 2
    assert story.partition.counters.erased == 0


def test_the_stub_goes_after_a_stored_row_was_loaded_again() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(5)))
    story.cool()
    story.watermark(day(12, 1))
    assert not story.knows_user()
    assert story.partition.table.collect().rows == {"u": None}


def test_the_stub_of_an_unknown_user_goes_too() -> None:
    story = Story()
    story.apply(erased(day(5)))
    story.watermark(day(12, 1))
    assert not story.knows_user()


def test_a_stub_that_came_to_life_stays() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(5)), message(day(6)))
    story.watermark(day(100))
    assert story.row().messages == {"sent": 1}


def test_a_stub_that_only_a_tag_brought_to_life_stays() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(5)), tag(day(6), value="gold"))
    story.watermark(day(100))
    assert story.row().tags["vip"].value == "gold"


# day        1 (64 clicks, late)    E 4    t 5        the arrival of the tag was forgotten, the tag was not
def test_a_tag_keeps_a_row_alive_whose_later_arrivals_are_forgotten() -> None:
    story = Story()
    story.apply(tag(day(5), value="gold"), *[click(day(1, n)) for n in range(CAPACITY)], erased(day(4)))
    assert not story.row().arrivals
    story.watermark(day(100))
    assert story.row().tags["vip"].value == "gold"


def test_a_tag_set_at_the_very_moment_of_the_erasure_goes_with_it() -> None:
    story = Story()
    story.apply(tag(day(5), value="gold"))
    assert story.apply(erased(day(5), "E")) == ["2 vip: gold -> null at 5d (profile:E)"]


def test_a_timer_of_the_erased_user_says_nothing() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(29)))
    assert story.watermark(day(1000)) == []


# day        0    E 5    6    E 8
def test_a_user_can_be_erased_again() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(5)), click(day(6)))
    assert about_any(story.apply(erased(day(8), "E"))) == ["7 lifecycle: active -> null at 8d (profile:E)"]
    assert story.row().erased_at == day(8)


# day        0    E2 5   6    E1 8          the older erasure comes after the newer one
def test_an_older_erasure_after_a_newer_one_is_dead() -> None:
    story = Story()
    story.apply(click(day(0)), erased(day(8)))
    assert story.apply(erased(day(5))) == []
    assert story.row().erased_at == day(8)


@pytest.mark.parametrize("kind", ["registered", "login", "updated", "consent", None])
def test_no_other_profile_erases(kind: str | None) -> None:
    story = Story()
    story.apply(click(day(0)), profile(day(1), kind=kind))
    assert story.row().erased_at is None
    assert story.row().totals.clicks == 1


# day        0      5      8
# u          o      E      E       one epoch
# v          t -o  E               of v no tag is left to take back: the erasure is told all the same
def test_an_epoch_tells_whom_it_erased_also_who_had_no_tag() -> None:
    story = Story()
    story.apply(click(day(0)), tag(day(0), "1", "v", value="gold"), tag(day(1), "2", "v"), click(day(0), user_id="w"))
    assert story.partition.collect().erased == set()
    assert about_any(story.apply(erased(day(5)), erased(day(2), user_id="v"), erased(day(8)))) != []
    assert story.partition.collect().erased == {"u", "v"}
    story.apply(click(day(9)), erased(day(7)))
    assert story.partition.collect().erased == set()
