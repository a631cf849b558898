"""Events in words: every type and every action, whatever is missing."""

import itertools
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from app.explain.event_words import in_words
from schemas import events as e
from schemas.times import DAY_MS
from tests.agents.drive import cart, click, day, message, order, profile, tag

AT = day(1)
THREE = e.Item(item_id="i", price=2, quantity=3)
CONSENT = {"sms": True, "email": False}
MANY = {str(number): number for number in range(6)}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (click(AT, item_id="sku"), "looked at sku"),
        (click(AT, category="shoes", brand="acme", price=12.5), "looked at i, in shoes, by acme, for 12.50"),
        (click(AT, action="search", query="red  shoes"), 'searched for "red shoes"'),
        (click(AT, action="search"), "searched for i"),
        (click(AT, action="coupon_claim", coupon_id="c1"), "claimed a coupon (c1)"),
        (cart(AT, quantity=2, price=3), "put 2 of i into the cart, for 3.00"),
        (cart(AT, action="remove"), "took i out of the cart"),
        (cart(AT, action="checkout"), "took the cart to the till"),
        (order(AT), "paid order o"),
        (order(AT, status="cancelled", total=7), "cancelled order o: 7.00"),
        (order(AT, coupon_id="c", items=[THREE]), "paid order o: 3 items, 6.00, with the coupon c"),
        (profile(AT, kind="registered", consent=CONSENT), "registered, agreed to sms, refused email"),
        (profile(AT, attributes=MANY), "0 is 0, 1 is 1, 2 is 2, 3 is 3, and 2 more attributes"),
        (profile(AT, attributes={"region": "north"}), "region is north"),
        (profile(AT, reachable=["sms", "push"]), "can be reached by sms, push"),
        (profile(AT), "profile updated, with nothing in it"),
        (message(AT, kind="opened", campaign="spring"), "message opened of spring"),
        (tag(AT, value="gold", actor="anna", ttl_ms=30 * DAY_MS), "tag vip set to gold by anna, for 30 days"),
        (tag(AT), "tag vip removed by hand"),
    ],
)  # fmt: skip
def test_an_event_is_told_in_words(event: Any, words: str) -> None:
    assert in_words(event) == words


def test_every_action_status_and_kind_has_words() -> None:
    made: Iterator[e.AnyEvent] = itertools.chain(
        (click(AT, action=action) for action in (None, *get_args(e.ClickAction))),
        (cart(AT, action=action, quantity=None) for action in (None, *get_args(e.CartAction))),
        (order(AT, status=status) for status in (None, *get_args(e.OrderStatus))),
        (profile(AT, kind=kind) for kind in (None, *get_args(e.ProfileKind))),
        (message(AT, kind=kind) for kind in get_args(e.MessageKind)),
    )
    assert all(in_words(event) for event in made)


def test_nothing_that_came_over_the_wire_can_move_the_cursor() -> None:
    evil = "a\x1b[2J\nb"
    words = [
        in_words(click(AT, item_id=evil, category=evil, brand=evil, action="search", query=evil)),
        in_words(click(AT, action="coupon_claim", coupon_id=evil)),
        in_words(cart(AT, item_id=evil)),
        in_words(order(AT, order_id=evil, coupon_id=evil)),
        in_words(profile(AT, attributes={evil: evil})),
        in_words(message(AT, campaign=evil)),
        in_words(tag(AT, tag=evil, value=evil, actor=evil)),
    ]
    assert all(text.isprintable() for text in words)
