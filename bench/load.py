"""Generated load: many users, all common types, in the order of time; the same for the same seed."""

from collections.abc import Iterator
from itertools import count
from random import Random

import msgspec

START_MS = 1_700_000_000_000


def payloads(events: int, users: int, days: int = 90, seed: int = 1) -> Iterator[bytes]:
    """Wire records: 70 % clicks, 15 % carts, 10 % orders, 4 % logins, 1 % messages."""
    random, encode = Random(seed), msgspec.json.Encoder().encode
    step_ms = days * 86_400_000 / events
    for number in range(events):
        event = {
            "event_id": f"e-{number:09d}",
            "user_id": f"user-{int(users * random.random() ** 2):07d}",
            "ts": int(START_MS + number * step_ms),
            "channel": "app",
        }
        yield encode(event | _kind(random.random(), random, number))


def live_events(users: int, seed: int) -> Iterator[dict[str, object]]:
    """The same without a time, and without an end; ids are the seed's own."""
    random = Random(seed)
    for number in count():
        yield {
            "event_id": f"{seed}-{number}",
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
