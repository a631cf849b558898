"""Clicks and carts around real orders: simulated, the same in every run, and labelled in every record."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final

import xxhash

from app.demo.labels import Label, labelled_id
from schemas.events import AnyEvent, Cart, Click, Order, order_key
from schemas.times import DAY_MS, HOUR_MS, MINUTE_MS, Millis

_LABEL: Final[Label] = "simulated"
_CLICKS: Final = (1, 5)
_BEFORE: Final = (10 * MINUTE_MS, 4 * HOUR_MS)
_CART_BEFORE: Final = (MINUTE_MS, 9 * MINUTE_MS)
_BROWSE_SHARE: Final = 0.12
"""Of so many orders the customer looks around once more some days later, and buys nothing."""
_BROWSE_AFTER: Final = (3 * DAY_MS, 45 * DAY_MS)
_NO_ITEM: Final = "unknown"


def seeded(*key: object) -> Random:
    """Random numbers that depend on a name alone."""
    return Random(xxhash.xxh64_intdigest("/".join(map(str, key)).encode()))  # noqa: S311  a demo needs no secrecy


def with_sessions(orders: Iterable[AnyEvent], until: Millis) -> list[AnyEvent]:
    """The events as they are, and around each order what may have led to it; sorted, nothing later than `until`."""
    events: list[AnyEvent] = []
    for event in orders:
        events.append(event)
        if isinstance(event, Order) and event.is_activity:
            events += (each for each in _around(event) if each.ts <= until)
    return sorted(events, key=order_key)


def _around(order: Order) -> Iterator[AnyEvent]:
    """Clicks in the hours before an order, a cart in the minutes before it; sometimes a visit without an order."""
    random = seeded(_LABEL, order.event_id)
    for number in range(random.randint(*_CLICKS)):
        yield _click(order, number, order.ts - random.randint(*_BEFORE), _item(order, random))
    yield Cart(
        event_id=labelled_id(_LABEL, order.event_id, "cart"),
        user_id=order.user_id,
        ts=order.ts - random.randint(*_CART_BEFORE),
        session_id=_LABEL,
        item_id=_item(order, random),
    )
    if random.random() < _BROWSE_SHARE:
        start = order.ts + random.randint(*_BROWSE_AFTER)
        for number in range(10, 10 + random.randint(*_CLICKS)):
            yield _click(order, number, start + random.randint(0, HOUR_MS), _item(order, random))


def _click(order: Order, number: int, ts: Millis, item_id: str) -> Click:
    return Click(
        event_id=labelled_id(_LABEL, order.event_id, number),
        user_id=order.user_id,
        ts=ts,
        session_id=_LABEL,
        item_id=item_id,
    )


def _item(order: Order, random: Random) -> str:
    return random.choice(order.items).item_id if order.items else _NO_ITEM
