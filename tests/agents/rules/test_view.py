"""What a view answers at an instant, until when, and as of which midnight.

In the timelines a letter is an event on a day: `c` click, `a` cart, `o` order, `x` cancelled, `r` returned.
"""

from typing import Any

import pytest

from agents.rules.cycles import Cycle, most_overdue
from agents.rules.view import View
from schemas.events import AnyEvent, Item
from schemas.times import DAY_MS, HOUR_MS, NEVER
from tests.agents.drive import Story, cart, click, day, order, profile

CLICKS, CARTS, ORDERS, SPEND = range(4)


def view(*events: AnyEvent, now: float = 10, before: float | None = None, ms: int = 0) -> View:
    story = Story()
    story.apply(*events)
    return View(story.row(), day(now, ms), NEVER if before is None else day(before))


def bought(number: float, name: str, **fields: Any) -> AnyEvent:
    return order(day(number), name, order_id=name, **fields)


# day        0    1         29   30
#            o    o         |    |        orders(30d): both on day 29, one on day 30
def test_a_window_of_days_falls_at_the_midnight_that_its_oldest_day_leaves() -> None:
    orders = bought(0.5, "a", total=5), bought(1.5, "b", total=2.5)
    before, after = view(*orders, now=29.99), view(*orders, now=30)
    assert (before.window(ORDERS, days=30), before.changes_at) == (2, day(30))
    assert (after.window(ORDERS, days=30), after.changes_at) == (1, day(31))
    assert (after.window(SPEND, days=30), after.window(SPEND, days=60), after.total(SPEND)) == (2.5, 7.5, 7.5)


# hour       0   1   2   3
#            c       c   |
def test_a_window_of_hours_counts_whole_hours_this_one_among_them() -> None:
    story = view(click(day(0), "1"), click(day(0, 2 * HOUR_MS), "2"), now=0, ms=3 * HOUR_MS - 1)
    assert [story.window(CLICKS, hours=hours) for hours in (1, 2, 3)] == [1, 1, 2]
    assert story.changes_at == day(0, 3 * HOUR_MS)


def test_an_empty_window_never_changes_by_itself() -> None:
    empty = view(click(day(0)), now=100)
    assert (empty.window(CLICKS, days=60), empty.days_active(60), empty.changes_at) == (0, 0, NEVER)


def test_days_active_counts_a_day_once_and_no_return() -> None:
    # day    1     2    3
    #        cca   o    r
    story = view(
        *(click(day(1), "1"), click(day(1), "2"), cart(day(1)), bought(2, "a", total=1)),
        order(day(3), "r", order_id="a", status="returned", total=1),
    )
    assert (story.days_active(30), story.changes_at) == (2, day(31))


def test_time_since_is_in_whole_units_and_changes_with_the_next() -> None:
    late = view(bought(0.5, "a"), now=3)
    assert (late.since("last_order", DAY_MS), late.changes_at) == (2, day(3.5))
    assert (late.since("last_order", HOUR_MS), late.changes_at) == (60, day(3, HOUR_MS))
    assert late.since("last_cart", DAY_MS) is None


def test_a_crossing_matters_only_when_it_is_reached() -> None:
    story = view(bought(0.5, "a"), now=3)
    assert (story.since_crosses("last_order", DAY_MS, 30), story.changes_at) == (2, day(30.5))
    assert (story.since_crosses("last_order", DAY_MS, 2, 3), story.changes_at) == (2, day(3.5))
    passed = view(bought(0.5, "a"), now=40)
    assert (passed.since_crosses("last_order", DAY_MS, 30), passed.changes_at) == (39, NEVER)


# day        0    2         6
#            o    o    ox   o       mean gap 3, two days after the last 2/3 of a cycle
def test_the_mean_gap_and_the_cycle_are_of_purchases_that_stand() -> None:
    orders = [bought(number, f"o{number}", total=number) for number in (0, 2, 4, 6)]
    story = view(*orders, order(day(4), "x", order_id="o4", status="cancelled"), now=8.5)
    assert story.cycle() == pytest.approx(2 / 3)
    assert (story.mean_gap(), story.changes_at) == (3, day(9))
    assert (story.purchase_days(), story.max_order()) == (3, 6)
    assert (story.instant("first_order"), story.instant("last_order")) == (day(0), day(6))


# day        0    3 1/3   6 2/3   10            13
#            o    o       o       o             |     0.9 of a mean gap of 3 1/3 days
def test_a_cycle_is_met_on_the_very_day() -> None:
    orders = [bought(number * 10 / 3, f"o{number}") for number in range(4)]
    assert (view(*orders, now=12).cycle(), view(*orders, now=13).cycle()) == (0.6, 0.9)
    slow = view(*(bought(number * 50 / 3, f"o{number}") for number in range(4)), now=50)
    assert (slow.cycle_crosses(0.9), slow.changes_at) == (0, day(65)), "0.9 * (50 / 3) is 15, exactly"
    early = view(*orders, now=11)
    assert (early.cycle_crosses(0.8), early.changes_at) == (0.3, day(13)), "0.6 on day 12, and 0.9 on day 13: past 0.8"


def test_what_is_not_known_is_none() -> None:
    story = view(click(day(0)))
    names = ("mean_gap", "cycle", "return_rate", "category_due")
    assert [getattr(story, name)() for name in names] == [None] * 4
    assert [story.top("category"), story.top_share("brand"), story.share("channel", "app")] == [None] * 3
    assert [story.spend_share("hour", "0"), story.attr("region"), story.consent("sms"), story.tag("vip")] == [None] * 4
    assert (story.reachable("sms"), story.observed("brand"), story.top("hour")) == (False, 0, "0")


def test_orders_that_are_no_longer_remembered_one_by_one_still_count() -> None:
    story = view(*(bought(number / 2, f"o{number}", total=1) for number in range(100)), now=50)
    assert (story.purchase_days(), story.mean_gap(), story.instant("first_order")) == (50, 0.5, day(0))


# day        1    2    3    4    5
#            o         x              cancelled on day 3: as of midnights 2 and 3 it stands
def test_a_cancellation_is_not_known_before_its_day() -> None:
    events = bought(1, "a", total=9), order(day(3), "x", order_id="a", status="cancelled")
    seen = [view(*events, now=number, before=number) for number in (1, 2, 3, 4)]
    assert [each.total(ORDERS) for each in seen] == [0, 1, 1, 0]
    assert [each.window(SPEND, days=7) for each in seen] == [0, 9, 9, 0]
    assert [each.max_order() for each in seen] == [0, 9, 9, 0]
    assert [each.instant("last_order") for each in seen] == [None, day(1), day(1), None]


def test_a_whole_return_takes_off_on_its_own_day() -> None:
    events = bought(1, "a", total=9), order(day(3), "r", order_id="a", status="returned")
    seen = [view(*events, now=number, before=number) for number in (2, 3, 4)]
    assert [each.total(SPEND) for each in seen] == [9, 9, 0]
    assert [each.returns() for each in seen] == [0, 0, 1]
    assert seen[-1].return_rate() == 1


# day        0         30        60       an action of a block of 30 days weighs twice one of the block before
#            tea tea   |shoes    |
def test_an_action_weighs_half_of_one_that_came_a_block_later() -> None:
    block = 30 * DAY_MS
    start = (day(0) // block + 1) * block
    told = [(0, "tea"), (1, "tea"), (block, "shoes")]
    clicks = [click(start + ms, f"{ms}", category=category) for ms, category in told]
    story = Story()
    story.apply(*clicks)
    seen = View(story.row(), start + block)
    assert (seen.share("category", "shoes"), seen.share("category", "tea"), seen.share("category", "hats")) == (
        0.5,
        0.5,
        0,
    )
    assert (seen.top("category"), seen.top_share("category"), seen.observed("category")) == ("shoes", 0.5, 3)
    assert seen.changes_at == NEVER


def test_an_order_is_one_action_in_each_category_and_its_money_goes_by_item() -> None:
    items = [
        Item(item_id="1", category="tea", brand="acme", price=2, quantity=3),
        Item(item_id="2", category="tea", brand="zenith", price=4),
        Item(item_id="3", category="cups", price=10),
    ]
    story = view(
        bought(1, "a", items=items, channel="app", coupon_id="c"), click(day(1), category="cups", channel="web")
    )
    assert story.share("category", "tea") == pytest.approx(1 / 3)
    assert story.observed("category") == 3
    assert (story.spend_share("category", "tea"), story.spend_share("brand", "acme")) == (0.5, 0.6)
    assert (story.spend_share("price_band", "8-16"), story.spend_share("channel", "app")) == (0.5, 1)
    assert (story.top("channel"), story.done("coupon_used")) == ("app", 1)


def test_a_placed_order_is_an_action_without_money_or_coupon() -> None:
    items = [Item(item_id="1", category="tea", price=2)]
    story = view(bought(1, "a", items=items, status="placed", coupon_id="c"))
    assert (story.share("category", "tea"), story.spend_share("category", "tea"), story.done("coupon_used")) == (
        1,
        None,
        0,
    )


def test_hours_are_those_of_the_users_clock() -> None:
    zone = profile(day(0), attributes={"timezone": "Asia/Kolkata"})
    story = view(zone, click(day(1, 20 * HOUR_MS)))
    assert (story.top("hour"), story.share("hour", "1"), story.share("hour", "20")) == ("1", 1, 0)


def test_what_was_done_is_counted_by_name() -> None:
    acts = [click(day(1), str(n), action=action) for n, action in enumerate(("search", "review", "review", "view"))]
    story = view(*acts, cart(day(2), "a", action="remove"), cart(day(2), "b", action="checkout"))
    assert [story.done(name) for name in ("search", "review", "share", "remove", "checkout")] == [1, 2, 0, 1, 1]
    assert view(*acts, before=1).done("review") == 0


# day        1      2          3        4
#            +i +j  checkout   +k -l    |
def test_the_open_cart_is_what_was_put_in_since_the_last_checkout() -> None:
    events = (
        *(cart(day(1), item, item_id=item, price=5) for item in "ij"),
        cart(day(2), "out", action="checkout"),
        cart(day(3), "k", item_id="k", price=2.5, quantity=2),
        cart(day(3), "l", item_id="l", action="remove"),
    )
    now, early = view(*events), view(*events, now=2, before=2)
    assert (now.cart_items(), now.cart_value(), now.instant("last_cart")) == (1, 5, day(3))
    assert (early.cart_items(), early.cart_value(), early.instant("last_cart")) == (2, 10, day(1))


def test_the_newest_words_on_the_profile() -> None:
    words = (
        profile(day(1), "1", attributes={"region": "north", "age": 3}, consent={"sms": True}, reachable=["sms"]),
        profile(day(2), "2", attributes={"region": "south"}, consent={"sms": False}),
    )
    story = view(*words)
    assert (story.attr("region"), story.attr("age"), story.consent("sms")) == ("south", 3, False)
    assert (story.reachable("sms"), story.reachable("email")) == (True, False)


def test_instants_as_of_a_midnight() -> None:
    events = (
        *(profile(day(1), kind="registered"), click(day(2.5)), cart(day(3.5))),
        *(click(day(4)), bought(5, "a", total=1)),
    )
    early = view(*events, now=4, before=4)
    assert (early.instant("registered"), early.instant("first_activity")) == (day(1), day(1))
    assert (early.instant("last_activity"), early.instant("last_cart")) == (day(3.5), day(3.5))
    assert early.instant("last_order") is None
    assert view(*events, now=1, before=1).instant("first_activity") is None


# day        0    5    10        15   20    the cycle of tea is 5 days, of cups 2
#            t    t    t c c c   |
def test_the_category_that_is_most_overdue_by_its_own_cycle() -> None:
    def line(number: float, category: str) -> AnyEvent:
        return bought(number, f"{category}{number}", items=[Item(item_id="i", category=category, price=1)])

    events = [line(number, "tea") for number in (0, 5, 10)] + [line(number, "cups") for number in (11, 13, 15)]
    story = view(*events, now=15.5)
    assert (story.category_due(), story.changes_at) == ("tea", day(19))
    assert view(*events, now=19).category_due() == "cups"


def test_of_two_cycles_the_quicker_overtakes() -> None:
    slow, quick = Cycle("slow", 2, 20, 0), Cycle("quick", 2, 4, 28)
    assert most_overdue([slow, quick], 9) == (None, 10)
    changes = [
        day for day in range(10, 90) if most_overdue([slow, quick], day)[0] != most_overdue([slow, quick], day + 1)[0]
    ]
    assert changes == [34]  # on day 35 both are 3.5 cycles overdue, and the lesser name is said
    category, at = most_overdue([slow, quick], 12)
    assert category == "slow"
    assert at is not None
    assert 12 < at <= 35


def test_tags_are_those_that_are_handed_in() -> None:
    story = Story()
    story.apply(click(day(0)))
    assert View(story.row(), day(1), tags={"vip": "gold"}).tag("vip") == "gold"
