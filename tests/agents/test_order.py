"""Each order_id counts once, whichever of its records comes first.

In the timelines `p` is placed or paid, `c` cancelled, `r` returned.
"""

from collections.abc import Sequence
from itertools import permutations

import pytest

from schemas.events import AnyEvent, Item
from tables.orders import CAPACITY
from tables.row import Totals
from tests.agents.drive import Counts, Story, by_day, day, order

PLACED = order(day(1), "a", status="placed", total=10.0)
PAID = order(day(2), "b", status="paid", total=12.0)
CANCELLED = order(day(3), "c", status="cancelled")


def in_any_order(*events: AnyEvent) -> list[tuple[AnyEvent, ...]]:
    return list(permutations(events))


def after(*events: AnyEvent, now: int = day(4)) -> Story:
    story = Story()
    story.apply(*events, now=now)
    return story


# day        1     2
# order      p10   p12       one order: the first record is the purchase, both are activity
@pytest.mark.parametrize("records", in_any_order(PLACED, PAID), ids=["in-order", "turned"])
def test_an_order_that_is_placed_and_paid_counts_once(records: Sequence[AnyEvent]) -> None:
    story = after(*records)
    row = story.row()
    assert row.totals == Totals(orders=1, spend=1000)
    assert by_day(row) == {1: Counts(orders=1, spend=1000)}
    assert row.max_order == 1000
    assert (row.purchase.first, row.purchase.last) == (day(1), day(2))


# a millisecond    p:a 10   p:b 12     the lesser event_id is the purchase
@pytest.mark.parametrize("turned", [False, True])
def test_of_one_moment_the_record_of_the_lesser_id_is_the_purchase(turned: bool) -> None:
    pair = [order(day(1), "a", total=10.0), order(day(1), "b", total=12.0)]
    assert after(*(pair[::-1] if turned else pair)).row().totals == Totals(orders=1, spend=1000)


def test_two_orders_count_twice() -> None:
    story = after(order(day(1), "a", order_id="o", total=10.0), order(day(1), "b", order_id="p", total=12.0))
    assert story.row().totals == Totals(orders=2, spend=2200)
    assert story.row().max_order == 1200


# day        1     2     3
# order      p     p     c      in any order of arrival nothing is left
@pytest.mark.parametrize("records", in_any_order(PLACED, PAID, CANCELLED))
def test_a_cancelled_order_leaves_nothing_whenever_the_cancellation_comes(records: Sequence[AnyEvent]) -> None:
    story = after(*records)
    row = story.row()
    assert (row.totals, by_day(row), row.max_order) == (Totals(), {}, 0)
    assert story.states() == ("active", "active")


def test_a_cancellation_takes_no_lifecycle_change_back() -> None:
    story = after(PLACED)
    assert story.apply(CANCELLED) == []


def test_a_cancellation_of_an_unknown_order_counts_nothing() -> None:
    assert after(CANCELLED).row().totals == Totals()


# day        1     3
# order      p10   r4           the amount is taken off on the day of the return
@pytest.mark.parametrize("turned", [False, True])
def test_a_return_with_a_total_takes_it_off_on_its_own_day(turned: bool) -> None:
    records = [PLACED, order(day(3), "r", status="returned", total=4.0)]
    row = after(*(records[::-1] if turned else records)).row()
    assert row.totals == Totals(orders=1, spend=600, returns=1)
    assert by_day(row) == {1: Counts(orders=1, spend=1000), 3: Counts(spend=-400)}


def test_a_return_of_items_takes_their_sum_off() -> None:
    items = [Item(item_id="x", price=1.5, quantity=2), Item(item_id="y")]
    returned = order(day(3), "r", status="returned", items=items)
    assert after(PLACED, returned).row().totals == Totals(orders=1, spend=700, returns=1)


# day        1     2     3
# order      p10   p12   r      a return without an amount takes the whole purchase off, whatever comes first
@pytest.mark.parametrize("records", in_any_order(PLACED, PAID, order(day(3), "r", status="returned")))
def test_a_return_without_a_total_takes_the_purchase_off(records: Sequence[AnyEvent]) -> None:
    row = after(*records).row()
    assert row.totals == Totals(orders=1, spend=0, returns=1)
    assert by_day(row) == {1: Counts(orders=1, spend=1000), 3: Counts(spend=-1000)}


@pytest.mark.parametrize("turned", [False, True])
def test_a_whole_return_takes_the_purchase_off_once_on_the_earliest_day(turned: bool) -> None:
    returns = [order(day(n), f"r{n}", status="returned") for n in (2, 3)]
    row = after(PLACED, *(returns[::-1] if turned else returns)).row()
    assert row.totals == Totals(orders=1, spend=0, returns=2)
    assert by_day(row) == {1: Counts(orders=1, spend=1000), 2: Counts(spend=-1000)}


def test_a_total_of_nothing_is_an_amount() -> None:
    row = after(PLACED, order(day(3), "r", status="returned", total=0.0)).row()
    assert row.totals == Totals(orders=1, spend=1000, returns=1)


@pytest.mark.parametrize("records", in_any_order(PLACED, CANCELLED, order(day(2), "r", status="returned")))
def test_a_whole_return_of_a_cancelled_order_takes_nothing_off(records: Sequence[AnyEvent]) -> None:
    assert after(*records).row().totals == Totals(returns=1)


def test_a_return_of_an_unknown_order_is_a_return_all_the_same() -> None:
    assert after(order(day(3), "r", status="returned", total=4.0)).row().totals == Totals(spend=-400, returns=1)


def test_the_total_wins_over_the_items_and_the_items_make_one() -> None:
    items = [Item(item_id="x", price=19.99, quantity=3), Item(item_id="y", price=0.01)]
    assert after(order(day(1), total=50.0, items=items)).row().totals.spend == 5000
    assert after(order(day(1), items=items)).row().totals.spend == 5998
    assert after(order(day(1))).row().totals == Totals(orders=1)


def test_the_greatest_order_is_forgotten_when_it_is_cancelled() -> None:
    story = after(order(day(1), "a", order_id="small", total=5.0), order(day(1), "b", order_id="great", total=50.0))
    assert story.row().max_order == 5000
    story.apply(order(day(2), "c", order_id="great", status="cancelled"))
    assert story.row().max_order == 500


# 33 orders, the first of which is the greatest; only 32 are remembered one by one
def test_the_thirty_third_order_pushes_the_oldest_out_which_stays_counted() -> None:
    story = Story()
    story.apply(*[order(day(n), order_id=f"o{n}", total=100.0 - n) for n in range(CAPACITY + 1)])
    row = story.row()
    assert len(row.orders) == CAPACITY
    assert row.totals.orders == CAPACITY + 1
    assert row.max_order == 10_000
    story.apply(order(day(40), "c", order_id="o0", status="cancelled"))
    assert (story.row().totals.orders, story.row().max_order) == (CAPACITY + 1, 10_000)


def test_an_order_among_the_last_thirty_two_is_still_known() -> None:
    story = Story()
    story.apply(*[order(day(n), order_id=f"o{n}", total=1.0) for n in range(CAPACITY)])
    story.apply(order(day(40), "again", order_id="o0", total=1.0))
    assert story.row().totals.orders == CAPACITY
    story.apply(order(day(40), "c", order_id="o0", status="cancelled"))
    assert story.row().totals.orders == CAPACITY - 1


def test_a_cancelled_order_that_is_pushed_out_is_no_greatest_order() -> None:
    story = Story()
    story.apply(order(day(0), "p", order_id="o0", total=99.0), order(day(0), "c", order_id="o0", status="cancelled"))
    story.apply(*[order(day(n), order_id=f"o{n}", total=1.0) for n in range(1, CAPACITY + 1)])
    assert (story.row().max_order, story.row().totals.orders) == (100, CAPACITY)


def test_event_ids_are_dropped_once_no_late_record_can_contest_the_purchase() -> None:
    # day   0     7     7 + 1 ms        the id of the purchase at 0 is known up to 7 d
    story = after(order(day(0), "a", order_id="o", total=1.0))
    story.apply(order(day(7), order_id="p"))
    assert [state.event_id for state in story.row().orders.values()] == ["a", "7d"]
    story.apply(order(day(7, 1), order_id="q"))
    assert [state.event_id for state in story.row().orders.values()] == ["", "7d", "7d+1ms"]


def test_an_order_without_an_amount_counts_as_one_of_nothing() -> None:
    row = after(order(day(1), items=[Item(item_id="x")])).row()
    assert (row.totals, row.max_order) == (Totals(orders=1), 0)
