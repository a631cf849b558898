"""What is activity and what is not; who was first; what comes too late.

In the timelines `x` is activity that is no order, `o` an order, `m` what is no activity.
"""

from typing import Any

import pytest

from schemas.changes import LIFECYCLE, PURCHASE
from schemas.events import AnyEvent
from tables.row import FirstActivity
from tests.agents.drive import (
    LATENESS,
    Counts,
    Story,
    about_any,
    about_orders,
    by_day,
    cart,
    click,
    day,
    message,
    order,
    profile,
    tag,
)

ACTIVITIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "click": (click, {}),
    "cart-add": (cart, {}),
    "cart-checkout": (cart, {"action": "checkout"}),
    "order-paid": (order, {"status": "paid"}),
    "order-placed": (order, {"status": "placed"}),
    "order-of-no-status": (order, {"status": None}),
    "login": (profile, {"kind": "login"}),
    "registered": (profile, {"kind": "registered"}),
}
NO_ACTIVITIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "order-cancelled": (order, {"status": "cancelled"}),
    "order-returned": (order, {"status": "returned", "total": 5.0}),
    "profile": (profile, {}),
    "profile-updated": (profile, {"kind": "updated", "attributes": {"region": "north"}}),
    "profile-consent": (profile, {"kind": "consent", "consent": {"sms": True}}),
    "message-sent": (message, {"kind": "sent"}),
    "message-delivered": (message, {"kind": "delivered"}),
    "message-opened": (message, {"kind": "opened"}),
    "message-clicked": (message, {"kind": "clicked"}),
    "message-failed": (message, {"kind": "failed"}),
    "message-unsubscribed": (message, {"kind": "unsubscribed"}),
    "tag": (tag, {"value": None}),
}
an_activity = pytest.mark.parametrize(("make", "fields"), ACTIVITIES.values(), ids=ACTIVITIES)
no_activity = pytest.mark.parametrize(("make", "fields"), NO_ACTIVITIES.values(), ids=NO_ACTIVITIES)


# day        0                  20        30                  50
# activity   x------------------x---------|-------------------|
# lifecycle  active                                           silent
@an_activity
def test_an_activity_keeps_a_user_from_silence(make: Any, fields: dict[str, Any]) -> None:
    story = Story()
    story.apply(click(day(0)), make(day(20), "e", **fields))
    assert about_any(story.watermark(day(50))) == []
    (silent,) = about_any(story.watermark(day(50, 1)))
    assert "active -> silent at 50d (timer)" in silent


# day        0                  20        30
# activity   x------------------m---------|
# lifecycle  active                       silent
@no_activity
def test_what_is_no_activity_does_not_keep_a_user_from_silence(make: Any, fields: dict[str, Any]) -> None:
    story = Story()
    story.apply(click(day(0)))
    assert story.apply(make(day(20), "e", **fields)) == []
    assert story.watermark(day(30, 1)) == ["3 lifecycle: active -> silent at 30d (timer)"]


# day        0                  30                  60        70
# activity   o------------------|-------------------|---------m
# lifecycle  active             silent              lost
@no_activity
def test_what_is_no_activity_brings_nobody_back(make: Any, fields: dict[str, Any]) -> None:
    story = Story()
    story.apply(order(day(0)))
    story.watermark(day(65))
    assert story.apply(make(day(70), "e", **fields)) == []
    assert story.watermark(day(200)) == []
    assert story.states() == ("lost", "lost")


@no_activity
def test_what_is_no_activity_starts_no_lifecycle(make: Any, fields: dict[str, Any]) -> None:
    story = Story()
    assert story.apply(make(day(0), "e", **fields)) == []
    assert story.watermark(day(100)) == []
    assert (story.states(), story.row().first) == ((None, None), None)


# day        0              5                  30   W 31
# activity   x--------------m------------------|---
@no_activity
def test_what_is_no_activity_takes_no_change_back(make: Any, fields: dict[str, Any]) -> None:
    story = Story()
    story.apply(click(day(0)))
    story.watermark(day(31))
    assert story.apply(make(day(29), "e", **fields)) == []
    assert story.states() == ("silent", "unactivated")


# order      o---                 at once active in both
@pytest.mark.parametrize("status", ["paid", "placed", None])
def test_a_first_activity_that_is_an_order_is_active_in_both_at_once(status: str | None) -> None:
    assert Story().apply(order(day(0), "o1", status=status)) == [
        "1 lifecycle: null -> active at 0d (order:o1)",
        "2 lifecycle.purchase: null -> active at 0d (order:o1)",
    ]


# day        0              10                       40                       70
# activity   x--------------o------------------------|------------------------|
# purchase   unactivated    active                   silent                   lost
def test_the_first_order_activates() -> None:
    story = Story()
    assert story.apply(click(day(0), "c1"), order(day(10), "o1")) == [
        "1 lifecycle: null -> active at 0d (click:c1)",
        "2 lifecycle.purchase: null -> unactivated at 0d (click:c1)",
        "3 lifecycle.purchase: unactivated -> active at 10d (order:o1)",
    ]
    assert about_orders(story.watermark(day(70, 1))) == [
        "5 lifecycle.purchase: active -> silent at 40d (timer)",
        "7 lifecycle.purchase: silent -> lost at 70d (timer)",
    ]


# day        0                  30                  60                  1000
# activity   x------------------|-------------------|-------------------
# purchase   unactivated
def test_who_never_ordered_is_never_silent_after_orders() -> None:
    story = Story()
    story.apply(click(day(0)))
    assert about_orders(story.watermark(day(1000))) == []
    assert story.states() == ("lost", "unactivated")


# day        0         10        40
# order      o---------x---------|     the click keeps the one lifecycle active, not the other
def test_a_click_is_no_order() -> None:
    story = Story()
    story.apply(order(day(0)), click(day(10)))
    assert story.watermark(day(40, 1)) == [
        "3 lifecycle.purchase: active -> silent at 30d (timer)",
        "4 lifecycle: active -> silent at 40d (timer)",
    ]


# a millisecond     o:a x:b     the order is the least by (ts, event_id): active at once
@pytest.mark.parametrize("late_one", ["order", "click"])
def test_of_one_moment_the_order_is_first_if_its_id_is_less(late_one: str) -> None:
    story = Story()
    pair: list[AnyEvent] = [click(day(0), "b"), order(day(0), "a")]
    story.apply(*(pair if late_one == "order" else pair[::-1]))
    assert story.history["u"] == {
        LIFECYCLE: [(day(0), None, "active")],
        PURCHASE: [(day(0), None, "active")],
    }


# a millisecond     x:a o:b     the click is the least: first unactivated, and active in the same millisecond
@pytest.mark.parametrize("late_one", ["order", "click"])
def test_of_one_moment_the_click_is_first_if_its_id_is_less(late_one: str) -> None:
    story = Story()
    pair: list[AnyEvent] = [click(day(0), "a"), order(day(0), "b")]
    story.apply(*(pair if late_one == "order" else pair[::-1]))
    assert story.history["u"] == {
        LIFECYCLE: [(day(0), None, "active")],
        PURCHASE: [(day(0), None, "unactivated"), (day(0), "unactivated", "active")],
    }


@pytest.mark.parametrize(
    ("other", "purchase"),
    [
        (cart, [(None, "unactivated"), ("unactivated", "active")]),
        (click, [(None, "unactivated"), ("unactivated", "active")]),
        (profile, [(None, "active")]),
    ],
    ids=["cart-before-order", "click-before-order", "order-before-profile"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_of_one_moment_and_one_id_the_type_decides_who_is_first(
    other: Any,
    purchase: list[tuple[str | None, str]],
    turned: bool,
) -> None:
    fields = {"kind": "login"} if other is profile else {}
    pair = [other(day(0), "a", **fields), order(day(0), "a")]
    story = Story()
    story.apply(*(pair[::-1] if turned else pair))
    assert [(before, after) for _, before, after in story.history["u"][PURCHASE]] == purchase


# a millisecond     o:b      then late x:a
def test_a_click_that_wins_the_tie_late_takes_back_that_the_order_came_first() -> None:
    story = Story()
    story.apply(order(day(0), "b"))
    assert story.apply(click(day(0), "a"), now=day(1)) == [
        "3 lifecycle.purchase: active -> null at 0d, takes back 2 (click:a)",
        "4 lifecycle.purchase: null -> unactivated at 0d (click:a)",
        "5 lifecycle.purchase: unactivated -> active at 0d (click:a)",
    ]
    assert story.row().first == FirstActivity(day(0), "a", "click")


# a millisecond     x:b      then late o:a
def test_an_order_that_wins_the_tie_late_takes_back_unactivated() -> None:
    story = Story()
    story.apply(click(day(0), "b"))
    assert story.apply(order(day(0), "a"), now=day(1)) == [
        "3 lifecycle.purchase: unactivated -> null at 0d, takes back 2 (order:a)",
        "4 lifecycle.purchase: null -> active at 0d (order:a)",
    ]


# day        3    5
# activity   x2---x1          x2 comes late
def test_a_late_first_activity_takes_back_the_first_and_is_it() -> None:
    story = Story()
    story.apply(click(day(5), "x1"))
    assert story.apply(click(day(3), "x2")) == [
        "3 lifecycle: active -> null at 5d, takes back 1 (click:x2)",
        "4 lifecycle: null -> active at 3d (click:x2)",
        "5 lifecycle.purchase: unactivated -> null at 5d, takes back 2 (click:x2)",
        "6 lifecycle.purchase: null -> unactivated at 3d (click:x2)",
    ]
    assert story.watermark(day(35)) == []
    assert story.watermark(day(35, 1)) == ["7 lifecycle: active -> silent at 35d (timer)"]


# day        4    5    6
# activity   x2---x1---o      x2 comes late; all of the purchase lifecycle is said again, newest withdrawn first
def test_a_late_first_activity_says_again_what_followed() -> None:
    story = Story()
    story.apply(click(day(5), "x1"), order(day(6), "o"))
    assert about_orders(story.apply(click(day(4), "x2"))) == [
        "6 lifecycle.purchase: active -> unactivated at 6d, takes back 3 (click:x2)",
        "7 lifecycle.purchase: unactivated -> null at 5d, takes back 2 (click:x2)",
        "8 lifecycle.purchase: null -> unactivated at 4d (click:x2)",
        "9 lifecycle.purchase: unactivated -> active at 6d (click:x2)",
    ]


# day        4    5
# activity   o----x           o comes late: the first activity was an order after all
def test_a_late_order_before_the_first_click_was_active_at_once() -> None:
    story = Story()
    story.apply(click(day(5), "x"))
    assert about_orders(story.apply(order(day(4), "o"))) == [
        "5 lifecycle.purchase: unactivated -> null at 5d, takes back 2 (order:o)",
        "6 lifecycle.purchase: null -> active at 4d (order:o)",
    ]


# day        4    5    6
# activity   x----o2---o1     o2 comes late, between
def test_a_late_first_order_moves_the_activation() -> None:
    story = Story()
    story.apply(click(day(4)), order(day(6), "o1"))
    assert story.apply(order(day(5), "o2", order_id="p")) == [
        "4 lifecycle.purchase: active -> unactivated at 6d, takes back 3 (order:o2)",
        "5 lifecycle.purchase: unactivated -> active at 5d (order:o2)",
    ]
    assert story.row().purchase.last == day(6)


# day        3    4    5
# activity   o2---x----o1     first x, then o1, then late o2: unactivated never was
def test_a_late_order_before_everything_takes_back_unactivated_and_the_activation() -> None:
    story = Story()
    story.apply(click(day(4), "x"), order(day(5), "o1"))
    assert about_orders(story.apply(order(day(3), "o2", order_id="p"))) == [
        "6 lifecycle.purchase: active -> unactivated at 5d, takes back 3 (order:o2)",
        "7 lifecycle.purchase: unactivated -> null at 4d, takes back 2 (order:o2)",
        "8 lifecycle.purchase: null -> active at 3d (order:o2)",
    ]


def test_a_late_activity_between_two_others_says_nothing() -> None:
    story = Story()
    story.apply(click(day(0)), click(day(6)))
    assert story.apply(click(day(3))) == []
    assert story.row().lifecycle.last == day(6)


# day        0                            30         37 +1 ms
# activity   x----------------------------o----------W       7 d and a millisecond late
def test_what_comes_too_late_counts_but_changes_no_lifecycle() -> None:
    story = Story()
    story.apply(click(day(0)))
    story.watermark(day(37))
    assert story.apply(order(day(30), total=5.0), now=day(30) + LATENESS + 1) == []
    row = story.row()
    assert story.states() == ("silent", "unactivated")
    assert (row.lifecycle.last, row.purchase.first) == (day(0), None)
    assert (row.totals.clicks, row.totals.orders, row.totals.spend) == (1, 1, 500)
    assert by_day(row) == {0: Counts(clicks=1), 30: Counts(orders=1, spend=500)}
    assert story.partition.counters.too_late == 1


def test_what_comes_too_late_is_not_the_first_activity() -> None:
    story = Story()
    story.apply(click(day(10)))
    before = story.row().first
    assert story.apply(order(day(9)), now=day(9) + LATENESS + 1) == []
    assert story.row().first == before
    assert story.states() == ("active", "unactivated")


def test_what_comes_too_late_never_starts_a_row() -> None:
    story = Story()
    assert story.apply(click(day(0)), now=day(0) + LATENESS + 1) == []
    assert not story.knows_user()
    assert (story.partition.counters.too_late, story.partition.counters.applied) == (1, 0)


def test_what_comes_as_late_as_is_allowed_starts_a_row() -> None:
    story = Story()
    assert len(story.apply(click(day(0)), now=day(0) + LATENESS)) == 2
    assert story.partition.counters.too_late == 0


def test_a_row_that_no_activity_started_gets_its_lifecycles_later() -> None:
    story = Story()
    story.apply(message(day(0)))
    assert story.apply(click(day(5), "c")) == [
        "1 lifecycle: null -> active at 5d (click:c)",
        "2 lifecycle.purchase: null -> unactivated at 5d (click:c)",
    ]
    assert story.watermark(day(35, 1)) == ["3 lifecycle: active -> silent at 35d (timer)"]


def test_lifecycles_are_rules_of_version_1() -> None:
    story = Story()
    story.apply(order(day(0)))
    story.watermark(day(40))
    assert {change.rule_version for change in story.changes} == {1}
