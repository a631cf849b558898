"""Events in words, one line each."""

from collections.abc import Callable
from typing import Any, Final

from app.explain.phrases import counted, money, plain, span, value
from schemas.events import AnyEvent, Cart, Click, Message, Order, Profile, Tag
from schemas.money import CENTS

_CLICKS: Final = {
    "view": "looked at {item}",
    "search": "searched for {query}",
    "favorite": "saved {item}",
    "share": "shared {item}",
    "compare": "compared {item}",
    "review": "reviewed {item}",
    "coupon_claim": "claimed a coupon ({coupon})",
    "campaign_join": "joined a campaign ({item})",
}
_CARTS: Final = {"add": "put {count}{item} into the cart", "remove": "took {item} out of the cart"}
_ORDERS: Final = {
    "placed": "placed order",
    "paid": "paid order",
    "cancelled": "cancelled order",
    "returned": "returned order",
}
_PROFILES: Final = {"registered": "registered", "login": "logged in", "erased": "was erased on request"}
_MOST: Final = 4
"""So many attributes are told."""


def in_words(event: AnyEvent) -> str:
    """What happened, with what and for how much.

    >>> in_words(Order(event_id="e", user_id="u", ts=1, order_id="A-17", total=25.9))
    'paid order A-17: 25.90'
    """
    told: Callable[[Any], str] = _WORDS[type(event)]
    return told(event)


def _click(event: Click) -> str:
    query = f'"{plain(event.query)}"' if event.query else plain(event.item_id)
    words = _CLICKS[event.action or "view"]
    told = words.format(item=plain(event.item_id), query=query, coupon=plain(event.coupon_id or event.item_id))
    return told + _details(event.category, event.brand, event.price)


def _cart(event: Cart) -> str:
    if event.action == "checkout":
        return "took the cart to the till"
    count = f"{event.quantity:,} of " if (event.quantity or 1) > 1 else ""
    told = _CARTS[event.action or "add"].format(item=plain(event.item_id), count=count)
    return told + _details(event.category, event.brand, event.price)


def _details(category: str | None, brand: str | None, price: float | None) -> str:
    """Of an item: in which category, of which brand, for how much."""
    return "".join(
        (
            f", in {plain(category)}" if category else "",
            f", by {plain(brand)}" if brand else "",
            f", for {money(price)}" if price is not None else "",
        )
    )


def _order(event: Order) -> str:
    items = sum(item.quantity or 1 for item in event.items or ())
    told = [
        counted(items, "item") if items else "",
        money(event.amount / CENTS) if event.amount is not None else "",
        f"with the coupon {plain(event.coupon_id)}" if event.coupon_id else "",
    ]
    details = ", ".join(filter(None, told))
    return f"{_ORDERS[event.status or 'paid']} {plain(event.order_id)}" + (f": {details}" if details else "")


def _profile(event: Profile) -> str:
    told = [_PROFILES[event.kind]] if event.kind in _PROFILES else []
    attributes = list((event.attributes or {}).items())
    told += [f"{plain(name)} is {value(each)}" for name, each in attributes[:_MOST]]
    if len(attributes) > _MOST:
        told.append(f"and {counted(len(attributes) - _MOST, 'more attribute')}")
    told += [f"{'agreed to' if agreed else 'refused'} {channel}" for channel, agreed in (event.consent or {}).items()]
    if event.reachable is not None:
        told.append(f"can be reached by {value(list(event.reachable))}")
    return ", ".join(told) or "profile updated, with nothing in it"


def _message(event: Message) -> str:
    return f"message {event.kind}" + (f" of {plain(event.campaign)}" if event.campaign else "")


def _tag(event: Tag) -> str:
    what = "removed" if event.value is None else f"set to {value(event.value)}"
    lasts = f", for {span(event.ttl_ms)}" if event.ttl_ms and event.value is not None else ""
    return f"tag {plain(event.tag)} {what} by {plain(event.actor) if event.actor else 'hand'}{lasts}"


_WORDS: Final[dict[type, Callable[[Any], str]]] = {
    Click: _click,
    Cart: _cart,
    Order: _order,
    Profile: _profile,
    Message: _message,
    Tag: _tag,
}
