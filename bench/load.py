"""Generated load: many users, all common types, in the order of time; the same for the same seed."""

from collections.abc import Iterator
from itertools import count, islice
from random import Random

import msgspec

START_MS = 1_700_000_000_000


def payloads(events: int, users: int, days: int = 90, seed: int = 1) -> Iterator[bytes]:
    """Wire records, evenly over some days."""
    encode = msgspec.json.Encoder().encode
    step_ms = days * 86_400_000 / events
    for number, event in enumerate(islice(live_events(users, seed), events)):
        yield encode(event | {"ts": int(START_MS + number * step_ms)})


def live_events(users: int, seed: int) -> Iterator[dict[str, object]]:
    """Events without a time, and without an end: 70 % clicks, 15 % carts, 10 % orders, 4 % logins, 1 % messages."""
    random = Random(seed)
    for number in count():
        yield {
            "event_id": f"{seed}-{number:09d}",
            "user_id": f"user-{int(users * random.random() ** 2):07d}",
            "channel": "app",
            **_kind(random.random(), random, number),
        }


def _kind(dice: float, random: Random, number: int) -> dict[str, object]:
    item = f"sku-{int(random.random() * 5000)}"
    price = round(random.random() * 100, 2)
    if dice < 0.70:
        return {"type": "click", "item_id": item, "category": "shoes", "brand": "acme", "price": price}
    if dice < 0.85:
        return {"type": "cart", "item_id": item, "quantity": 1, "price": price}
    if dice < 0.95:
        lines = [{"item_id": item, "price": price, "quantity": 2}]
        return {"type": "order", "order_id": f"o-{number}", "total": round(2 * price, 2), "items": lines}
    if dice < 0.99:
        return {"type": "profile", "kind": "login"}
    return {"type": "message", "kind": "opened", "trigger_id": f"t-{number}"}
