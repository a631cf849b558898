"""What an event adds to the portrait (docs/semantics.md, "The portrait")."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Final, TypeVar

from schemas.events import Cart, Click, Item, Order
from schemas.money import Minor, to_minor
from schemas.times import Millis
from tables.action import ACTIVE, BOUGHT, CART, HOUR, PAID, Action, Spend
from tables.dimensions import DONE, MAX_LABEL, band_of
from tables.row import Row

_CLICK: Final = ACTIVE | HOUR
_CART: Final = ACTIVE | HOUR | CART
_RETURNED: Final = DONE["return"]
_COUPON_USED: Final = DONE["coupon_used"]
_NOTHING: Final = (None, 0)
_Value = TypeVar("_Value", int, str)


def count_click(row: Row, event: Click) -> None:
    """A click is one action."""
    _count(row, event, _CLICK)


def count_cart(row: Row, event: Cart) -> None:
    """A cart event is one action."""
    _count(row, event, _CART)


def count_visit(row: Row, ts: Millis) -> None:
    """A login or a registration is activity, and no action."""
    row.portraits.add(Action(ts, ACTIVE))


def count_order(row: Row, event: Order) -> None:
    """An order is an action in its channel and hour, and one in each category, brand and price band of its items."""
    if event.status == "returned":
        row.portraits.add(Action(event.ts, 0, done=_RETURNED))
    elif event.is_activity:
        for action in _actions(event):
            row.portraits.add(action)


def _count(row: Row, event: Click | Cart, what: int) -> None:
    category, brand, channel, price = event.category, event.brand, event.channel, event.price
    row.portraits.add(
        Action(
            event.ts,
            what,
            category and category[:MAX_LABEL],
            brand and brand[:MAX_LABEL],
            channel and channel[:MAX_LABEL],
            None if price is None else band_of(price),
            DONE.get(event.action),
        )
    )


def _actions(event: Order) -> Iterator[Action]:
    """One for the order itself, with the first of each; then as many as there are more of any."""
    items, channel = event.items or (), event.channel and event.channel[:MAX_LABEL]
    categories = _spend_by((item.category and item.category[:MAX_LABEL], item) for item in items)
    brands = _spend_by((item.brand and item.brand[:MAX_LABEL], item) for item in items)
    bands = _spend_by((None if item.price is None else band_of(item.price), item) for item in items)
    is_paid = event.status != "placed"
    what = PAID | BOUGHT if is_paid else 0
    done = _COUPON_USED if is_paid and event.coupon_id else None
    lines = zip_longest((categories.items()), brands.items(), bands.items(), fillvalue=_NOTHING)
    (category, by_category), (brand, by_brand), (band, by_band) = next(lines, (_NOTHING,) * 3)
    spend = Spend(by_category, by_brand, by_band, event.amount or 0) if is_paid else None
    yield Action(event.ts, ACTIVE | HOUR | what, category, brand, channel, band, done, spend)
    for (category, by_category), (brand, by_brand), (band, by_band) in lines:
        spend = Spend(by_category, by_brand, by_band) if is_paid else None
        yield Action(event.ts, what, category, brand, None, band, None, spend)


def _spend_by(lines: Iterable[tuple[_Value | None, Item]]) -> dict[_Value, Minor]:
    """What the items of each value cost, by the values that are told."""
    spends: dict[_Value, Minor] = {}
    for value, item in lines:
        if value is not None and value != "":
            spends[value] = spends.get(value, 0) + to_minor(item.price or 0) * (item.quantity or 1)
    return spends
