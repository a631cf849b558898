"""The open cart: the newest word on each item, whatever arrives last."""

from itertools import permutations
from typing import Any

import pytest

from tables.row import MAX_CART_ITEMS, CartItem
from tests.agents.drive import Story, cart, day


def test_what_is_put_in_lies_there_with_its_price() -> None:
    story = Story()
    story.apply(cart(day(0), "a", item_id="x", quantity=2, price=19.99), cart(day(1), "b", item_id="y"))
    assert story.row().cart == {"x": CartItem(day(0), "a", 2, 1999), "y": CartItem(day(1), "b", 1, None)}
    assert story.row().totals.carts == 2


def test_what_is_taken_out_is_remembered_as_none() -> None:
    story = Story()
    story.apply(cart(day(0), item_id="x"), cart(day(1), "r", item_id="x", action="remove"))
    assert story.row().cart == {"x": CartItem(day(1), "r", 0, None)}


@pytest.mark.parametrize("absent", [{"action": None}, {"quantity": None}])
def test_a_null_means_the_default(absent: dict[str, Any]) -> None:
    story = Story()
    story.apply(cart(day(0), "a", item_id="x", **absent))
    assert story.row().cart == {"x": CartItem(day(0), "a", 1, None)}


# day        0        1        2
# item x     add 1    add 3    remove           in any order of arrival it is out
def test_the_newest_word_on_an_item_wins_in_every_order() -> None:
    words = [
        cart(day(0), "a", item_id="x"),
        cart(day(1), "b", item_id="x", quantity=3),
        cart(day(2), "c", item_id="x", action="remove"),
    ]
    for arrivals in permutations(words):
        story = Story()
        story.apply(*arrivals, now=day(3))
        assert story.row().cart == {"x": CartItem(day(2), "c", 0, None)}


@pytest.mark.parametrize("turned", [False, True])
def test_of_one_moment_the_greater_event_id_is_the_newest_word(turned: bool) -> None:
    words = [cart(day(0), "a", item_id="x", quantity=3), cart(day(0), "b", item_id="x", quantity=4)]
    story = Story()
    story.apply(*(words[::-1] if turned else words))
    assert story.row().cart["x"].quantity == 4


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_checkout_closes_the_cart_and_is_no_item(turned: bool) -> None:
    checkouts = [cart(day(n), f"c{n}", item_id="x", action="checkout") for n in (1, 2)]
    story = Story()
    story.apply(*(checkouts[::-1] if turned else checkouts))
    assert (story.row().cart_closed_at, story.row().cart, story.row().totals.carts) == (day(2), {}, 2)


def test_of_too_many_items_those_with_the_newest_words_stay_in_every_order() -> None:
    # item   0  1  2 ... 8     nine items; then a newer word on item 0, so that item 1 has the oldest one
    words = [cart(day(0, n), f"{n}", item_id=f"i{n}") for n in range(MAX_CART_ITEMS + 1)]
    words.append(cart(day(1), "again", item_id="i0"))
    kept = {"i0", *(f"i{n}" for n in range(2, MAX_CART_ITEMS + 1))}
    for start in range(len(words)):
        turned = words[start:] + words[:start]
        for arrivals in (turned, turned[::-1]):
            story = Story()
            story.apply(*arrivals, now=day(1))
            assert story.row().cart.keys() == kept
