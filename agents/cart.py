"""The cart: what lies in it follows from the newest word on each item, whatever arrives last."""

from collections.abc import Sequence

from agents.activity import active
from agents.counting import count_look
from agents.limits import Limits
from agents.portrait import count_cart
from schemas.changes import TagChange
from schemas.events import Cart
from schemas.money import to_minor
from schemas.times import Millis
from tables.row import MAX_CART_ITEMS, CartItem, Row


def cart(row: Row, event: Cart, now: Millis, limits: Limits) -> Sequence[TagChange]:
    """A cart event counts, changes the open cart, and is activity."""
    row.last_cart = max(row.last_cart or 0, event.ts)
    count_look(row, event.ts, carts=1)
    if limits.portraits:
        count_cart(row, event)
    if event.action == "checkout":
        row.cart_closed_at = max(row.cart_closed_at or 0, event.ts)
    else:
        _put(row, event)
    return active(row, event, now, limits)


def _put(row: Row, event: Cart) -> None:
    """Keep the newest word on each of the newest items."""
    items = row.cart
    known = items.get(event.item_id)
    if known is not None and (known.ts, known.event_id) > (event.ts, event.event_id):
        return
    quantity = 0 if event.action == "remove" else event.quantity or 1
    price = None if event.price is None else to_minor(event.price)
    items[event.item_id] = CartItem(event.ts, event.event_id, quantity, price)
    if len(items) > MAX_CART_ITEMS:
        del items[min(items, key=lambda item: (items[item].ts, items[item].event_id))]
    row.cart = items
