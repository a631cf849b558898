"""What one order adds to counts and spend, and which order leaves first."""

from itertools import permutations
from typing import Final

import pytest

from tables.orders import Entry, Orders, OrderState, oldest, order_fingerprint
from tables.row import Row, Totals

BOUGHT: Final = OrderState(5, "e1", is_purchased=True, amount=1999)


@pytest.mark.parametrize(
    ("state", "entries"),
    [
        (OrderState(5), []),
        (BOUGHT, [(5, 1, 1999)]),
        (OrderState(5, "e1", is_purchased=True), [(5, 1, 0)]),
        (OrderState(5, is_cancelled=True), []),
        (OrderState(5, "e1", is_purchased=True, amount=1999, is_cancelled=True), []),
        (OrderState(5, whole_return_ts=9), []),
        (OrderState(5, "e1", is_purchased=True, amount=1999, whole_return_ts=9), [(5, 1, 1999), (9, 0, -1999)]),
        (OrderState(5, "e1", is_purchased=True, amount=1999, whole_return_ts=4), [(5, 1, 1999), (4, 0, -1999)]),
        (OrderState(5, "e1", is_purchased=True, amount=1999, is_cancelled=True, whole_return_ts=9), []),
    ],
    ids=[
        "nothing is known but its id",
        "a purchase counts on its day",
        "a purchase of no amount counts",
        "a cancellation that came first",
        "a cancelled purchase",
        "a return that came first",
        "a whole return takes off what was paid on its own day",
        "a return dated before the purchase",
        "a return of what was cancelled",
    ],
)
def test_an_order_adds_its_purchase_and_takes_off_its_whole_return(state: OrderState, entries: list[Entry]) -> None:
    assert state.entries() == entries


def test_a_fingerprint_is_stable_because_rows_keep_it() -> None:
    assert order_fingerprint("o1") == 4_309_528_396_637_968_591
    assert order_fingerprint("用户/1") == 17_037_854_703_682_844_835


def test_a_fingerprint_has_64_bits_and_tells_orders_apart() -> None:
    fingerprints = {order_fingerprint(f"o{number}") for number in range(1_000)}
    assert len(fingerprints) == 1_000
    assert max(fingerprints) < 2**64
    assert max(fingerprints) >= 2**63


def test_the_order_with_the_least_ts_leaves_first_and_of_two_the_lesser_fingerprint() -> None:
    states: list[tuple[int, OrderState]] = [(10, OrderState(7)), (30, OrderState(5)), (20, OrderState(5))]
    for arrival in permutations(states):
        orders: Orders = dict(arrival)
        gone = []
        while orders:
            gone.append(oldest(orders))
            del orders[gone[-1]]
        assert gone == [20, 30, 10]


def test_the_greatest_order_is_the_greatest_purchase_that_was_not_cancelled() -> None:
    row = Row()
    row.orders = {
        1: BOUGHT,
        2: OrderState(6, "e2", is_purchased=True, amount=9_999, is_cancelled=True),
        3: OrderState(7, amount=8_888),
    }
    assert row.max_order == 1999
    row.totals = Totals(max_old_order=1998)
    assert row.max_order == 1999
    row.totals = Totals(max_old_order=2000)
    assert row.max_order == 2000
    assert Row().max_order == 0
