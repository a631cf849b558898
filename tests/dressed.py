"""Storms whose events tell of interests: categories, brands, prices, channels, coupons, a time zone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from zlib import crc32

from tests.oracle import Wire
from tests.storms import Storm

CATEGORIES: Final = ("shoes", "tea", "鞋", None, "")
BRANDS: Final = ("acme", "zenith", None)
CHANNELS: Final = ("app", "web", "store", None)
PRICES: Final = (0, 0.99, 7.99, 8, 1234.5, None)
CLICKS: Final = ("view", "search", "favorite", "share", "compare", "review", "coupon_claim", "campaign_join", None)
ZONES: Final = ("Asia/Kolkata", "America/New_York", "-03:30", None)


def dressed(storm: Storm) -> Storm:
    """The same storm; an event and its copies tell the same."""
    return replace(
        storm, lanes={lane: [dressed_record(record) for record in records] for lane, records in storm.lanes.items()}
    )


def dressed_record(record: Wire) -> Wire:
    """One event, with what follows from its id."""
    if record["type"] not in ("click", "cart", "order", "profile"):
        return record
    dice = _Dice(f"{record['type']} {record['user_id']} {record['event_id']}")
    if record["type"] == "profile":
        zone = dice.of(ZONES)
        return record if zone is None or record.get("kind") == "erased" else _with_attributes(record, timezone=zone)
    told = {"channel": dice.of(CHANNELS), **_thing(dice)}
    if record["type"] == "click":
        return {"action": dice.of(CLICKS), **told, **record}
    if record["type"] == "cart":
        return {**told, "action": dice.of(("add", "remove", "checkout", None)), **record}
    items = [{"item_id": f"i{n}", "quantity": dice.of((1, 3, None)), **_thing(dice)} for n in range(dice.of((0, 1, 3)))]
    return {"channel": told["channel"], "items": items, "coupon_id": dice.of(("c", None)), **record}


def _thing(dice: "_Dice") -> Wire:
    return {"category": dice.of(CATEGORIES), "brand": dice.of(BRANDS), "price": dice.of(PRICES)}


def _with_attributes(record: Wire, **attributes: Any) -> Wire:
    return {**record, "attributes": {**(record.get("attributes") or {}), **attributes}}


class _Dice:
    """Choices that follow from a seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._thrown = 0

    def of(self, choices: Sequence[Any]) -> Any:
        self._thrown += 1
        return choices[crc32(f"{self._seed} {self._thrown}".encode()) % len(choices)]
