"""A year of a shop that does not exist: everybody has a rhythm, some leave, and some of those come back."""

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Final

from app.demo.labels import Label, labelled_id
from app.demo.simulated import seeded
from schemas.events import AnyEvent, Cart, Click, Order, order_key
from schemas.times import DAY_MS, MINUTE_MS, Millis

USERS: Final = 2_000
START: Final[Millis] = 1_704_067_200_000  # 2024-01-01T00:00:00Z
END: Final[Millis] = START + 365 * DAY_MS

_LABEL: Final[Label] = "generated"
_ITEMS: Final = 500
_MEDIAN_GAP_DAYS: Final = 9
_SPREAD: Final = 0.9
_JOIN_EARLY: Final = 1.6
_LEAVE_SHARE: Final = (0.01, 0.12)
_AWAY_DAYS: Final = (35, 130)
_RETURN_SHARE: Final = 0.35
_CART_SHARE: Final = 0.4
_ORDER_SHARE: Final = 0.6
_CLICKS: Final = (1, 5)


def generated_events(users: int = USERS) -> list[AnyEvent]:
    """The events of the year, sorted."""
    return sorted((event for number in range(users) for event in _life(number)), key=order_key)


def _life(number: int) -> Iterator[AnyEvent]:
    """All that one user does."""
    random = seeded(_LABEL, number)
    user_id = labelled_id(_LABEL, f"{number:04}")
    for visit, ts in enumerate(_visits(random)):
        yield from _session(random, user_id, visit, ts)


def _visits(random: Random) -> Iterator[Millis]:
    """When a user comes: after gaps of a length of their own, until they leave; perhaps anew after a long absence."""
    gap_ms = random.lognormvariate(0, _SPREAD) * _MEDIAN_GAP_DAYS * DAY_MS
    leaves = random.uniform(*_LEAVE_SHARE)
    ts = START + int(random.random() ** _JOIN_EARLY * (END - START))
    while ts < END - DAY_MS:
        yield ts
        ts += int(random.expovariate(1 / gap_ms)) + MINUTE_MS
        if random.random() < leaves:
            if random.random() > _RETURN_SHARE:
                return
            ts += random.randint(*_AWAY_DAYS) * DAY_MS


def _session(random: Random, user_id: str, visit: int, ts: Millis) -> Iterator[AnyEvent]:
    """One visit: some clicks, perhaps a cart, perhaps an order."""
    ids = (labelled_id(_LABEL, user_id.removeprefix(f"{_LABEL}-"), visit, step) for step in count())
    for _ in range(random.randint(*_CLICKS)):
        yield Click(event_id=next(ids), user_id=user_id, ts=ts, session_id=_LABEL, item_id=_item(random))
        ts += random.randint(1, 5 * MINUTE_MS)
    if random.random() < _CART_SHARE:
        yield Cart(event_id=next(ids), user_id=user_id, ts=ts, session_id=_LABEL, item_id=_item(random))
        if random.random() < _ORDER_SHARE:
            yield _order(random, next(ids), user_id, ts + random.randint(1, 5 * MINUTE_MS))


def _order(random: Random, event_id: str, user_id: str, ts: Millis) -> Order:
    total = random.randint(500, 9_000) / 100
    return Order(event_id=event_id, user_id=user_id, ts=ts, session_id=_LABEL, order_id=event_id, total=total)


def _item(random: Random) -> str:
    return f"item-{random.randrange(_ITEMS)}"
