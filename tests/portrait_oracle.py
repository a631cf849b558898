"""Every answer of a view by brute force, over all events of one user: docs/semantics.md, "The portrait", once more.

It shares no code with the product. Nothing is summed up beforehand: each answer looks at all events that are known at
the instant. As of a midnight that is what came on days before it, but for what rows do not remember: former words on
the profile and on items in the cart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from tests.oracle import DAY_MS, Wire, instant, is_activity, is_purchase, without_copies

HOUR_MS: Final = DAY_MS // 24
BLOCK_MS: Final = 30 * DAY_MS
FIELDS: Final = ("clicks", "carts", "orders", "spend")
DIMENSIONS: Final = ("category", "brand", "channel", "price_band", "hour")
CLICKS: Final = ("search", "favorite", "share", "compare", "review", "coupon_claim", "campaign_join")
INSTANTS: Final = ("first_activity", "last_activity", "first_order", "last_order", "last_cart", "registered")
FOREVER: Final = 2**63 - 1


class Told(NamedTuple):
    """One action in one dimension, or (`spend`) what was paid for it, in hundredths."""

    dimension: str
    value: Any
    ts: int
    spend: int | None = None


class Bought(NamedTuple):
    ts: int
    amount: int


def hundredths(amount: float) -> int:
    return round(amount * 100)


def band(price: float) -> str:
    """Between which powers of two a price lies."""
    top = 1
    while top <= price:
        top *= 2
    return f"{top // 2}-{top}"


def is_paid(event: Wire) -> bool:
    return event["type"] == "order" and event.get("status", "paid") in (None, "paid")


def amount_of(event: Wire) -> int | None:
    if event.get("total") is not None:
        return hundredths(event["total"])
    priced = [item for item in event.get("items") or () if item.get("price") is not None]
    return sum(price_of(item) for item in priced) if priced else None


def price_of(item: Wire) -> int:
    return hundredths(item.get("price") or 0) * (item.get("quantity") or 1)


class PortraitOracle:
    """What is true of a user at `now`, from all arrivals of that user; as of the midnight `before`."""

    def __init__(self, arrivals: Sequence[Wire], now: int, before: int = FOREVER) -> None:
        self.all = sorted(without_copies(list(arrivals)), key=lambda event: (instant(event), event["event_id"]))
        self.events = [event for event in self.all if instant(event) <= now and instant(event) < before]
        self.now = now
        self.before = before

    # What was bought

    @cached_property
    def purchases(self) -> list[Bought]:
        """The least placed or paid record of each order that was not cancelled."""
        gone = {event["order_id"] for event in self.of("order") if event.get("status") == "cancelled"}
        first: dict[str, Wire] = {}
        for event in filter(is_purchase, self.events):
            first.setdefault(event["order_id"], event)
        return [Bought(instant(e), amount_of(e) or 0) for order_id, e in first.items() if order_id not in gone]

    @cached_property
    def taken_off(self) -> list[Bought]:
        """Returns: those with an amount one by one, of those without the first of each order that stands."""
        returned = [event for event in self.of("order") if event.get("status") == "returned"]
        found = [Bought(instant(event), amount_of(event) or 0) for event in returned if amount_of(event) is not None]
        gone = {event["order_id"] for event in self.of("order") if event.get("status") == "cancelled"}
        whole: dict[str, int] = {}
        for event in returned:
            if amount_of(event) is None:
                whole.setdefault(event["order_id"], instant(event))
        for order_id, ts in whole.items():
            records = [e for e in self.events if is_purchase(e) and e["order_id"] == order_id and order_id not in gone]
            found += [Bought(ts, amount_of(record) or 0) for record in records[:1]]
        return found

    def of(self, kind: str) -> list[Wire]:
        return [event for event in self.events if event["type"] == kind]

    # Windows

    def counted(self, field: int, oldest: int = 0) -> float:
        name = FIELDS[field]
        if name in ("clicks", "carts"):
            return sum(instant(event) >= oldest for event in self.of(name.removesuffix("s")))
        if name == "orders":
            return sum(each.ts >= oldest for each in self.purchases)
        paid = sum(each.amount for each in self.purchases if each.ts >= oldest)
        return (paid - sum(each.amount for each in self.taken_off if each.ts >= oldest)) / 100

    def window(self, field: int, hours: int = 0, days: int = 0) -> float:
        unit, length = (HOUR_MS, hours) if hours else (DAY_MS, days)
        return self.counted(field, (self.now // unit - length + 1) * unit)

    def total(self, field: int) -> float:
        return self.counted(field)

    def days_active(self, days: int) -> int:
        times = [instant(event) for kind in ("click", "cart") for event in self.of(kind)]
        active = {ts // DAY_MS for ts in (*times, *(each.ts for each in self.purchases))}
        return len([day for day in active if day > self.now // DAY_MS - days])

    # Instants

    def instant(self, name: str) -> int | None:
        registered = [e for e in self.of("profile") if e.get("kind") == "registered"]
        found = {
            "first_activity": [instant(event) for event in self.events if is_activity(event)],
            "first_order": [each.ts for each in self.purchases],
            "last_cart": [instant(event) for event in self.of("cart")],
            "registered": [instant(event) for event in registered],
        }
        times = found.get(name) or found.get(name.replace("last", "first")) or []
        if name not in found and name.replace("last", "first") not in found:
            raise KeyError(name)
        return (max(times) if name.startswith("last") else min(times)) if times else None

    def since(self, name: str, unit_ms: int) -> int | None:
        then = self.instant(name)
        return None if then is None else (self.now - then) // unit_ms

    def mean_gap(self) -> float | None:
        times = sorted(each.ts for each in self.purchases)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        return sum(gaps) / len(gaps) / DAY_MS if gaps else None

    def cycle(self) -> float | None:
        gap, days = self.mean_gap(), self.since("last_order", DAY_MS)
        return days / gap if gap and days is not None else None

    def purchase_days(self) -> int:
        return len({each.ts // DAY_MS for each in self.purchases})

    def max_order(self) -> float:
        return max((each.amount for each in self.purchases), default=0) / 100

    def returns(self) -> int:
        return sum(event.get("status") == "returned" for event in self.of("order"))

    def return_rate(self) -> float | None:
        return self.returns() / len(self.purchases) if self.purchases else None

    def done(self, name: str) -> int:
        if name == "coupon_used":
            return sum(is_paid(event) and bool(event.get("coupon_id")) for event in self.events)
        kind = "click" if name in CLICKS else "cart"
        return sum(event.get("action") == name for event in self.of(kind))

    # Interests

    @cached_property
    def told(self) -> list[Told]:
        return [told for event in self.events for told in _told(event)]

    def weights(self, dimension: str, *, of_spend: bool = False) -> dict[str, Fraction]:
        """Each action weighs half as much as one of 30 days (as the blocks have it) later, until nothing is left."""
        weights: dict[str, Fraction] = defaultdict(Fraction)
        oldest = Fraction(2) ** ((self.newest_block - 20) // 10 * 10)
        for told in self.told:
            if told.dimension == dimension and (told.spend is not None) == of_spend:
                number = 1 if told.spend is None else told.spend
                weights[self.shown(dimension, told.value)] += number * Fraction(2) ** (told.ts // BLOCK_MS)
        return {value: Fraction(weight // oldest) for value, weight in weights.items() if weight // oldest}

    @cached_property
    def newest_block(self) -> int:
        told = [e for e in self.events if is_activity(e) or e.get("status") == "returned"]
        return max((instant(event) for event in told), default=0) // BLOCK_MS

    def shown(self, dimension: str, value: Any) -> str:
        if dimension != "hour":
            return str(value)
        return str((value + self.hours_ahead) % 24)

    @cached_property
    def hours_ahead(self) -> int:
        """Of the user's clock at their last activity."""
        then, name = self.instant("last_activity"), self.attr("timezone")
        if then is None or not isinstance(name, str):
            return 0
        if name[0] in "+-":
            sign = -1 if name[0] == "-" else 1
            zone: Any = timezone(sign * timedelta(hours=int(name[1:3]), minutes=int(name[4:])))
        else:
            zone = ZoneInfo(name)
        offset = datetime.fromtimestamp(then / 1000, UTC).astimezone(zone).utcoffset()
        assert offset is not None
        return offset // timedelta(hours=1)

    def share(self, dimension: str, value: str) -> float | None:
        return _share(self.weights(dimension), value)

    def spend_share(self, dimension: str, value: str) -> float | None:
        return _share(self.weights(dimension, of_spend=True), value)

    def top(self, dimension: str) -> str | None:
        weights = self.weights(dimension)
        is_number = dimension in {"hour", "price_band"}
        found = [value for value, weight in weights.items() if weight == max(weights.values())]
        return min(found, key=lambda value: int(value.split("-")[0]) if is_number else value) if found else None

    def top_share(self, dimension: str) -> float | None:
        top = self.top(dimension)
        return None if top is None else self.share(dimension, top)

    def observed(self, dimension: str) -> int:
        return sum(told.dimension == dimension and told.spend is None for told in self.told)

    def category_due(self) -> str | None:
        days: dict[str, list[int]] = defaultdict(list)
        for event in filter(is_paid, self.events):
            for category in {item["category"] for item in event.get("items") or () if item.get("category")}:
                days[category].append(instant(event) // DAY_MS)
        overdue: dict[str, Fraction] = {}
        for category, found in days.items():
            if len(found) >= 3 and max(found) > min(found):
                cycle = Fraction(max(found) - min(found), len(found) - 1)
                overdue[category] = (self.now // DAY_MS - max(found)) / cycle
        due = {category: ratio for category, ratio in overdue.items() if ratio >= 1}
        return min((c for c in due if due[c] == max(due.values())), default=None)

    # The profile and the cart: the newest words of all, also as of a midnight

    def newest(self, found: Iterable[tuple[Wire, Any]]) -> Any:
        words = list(found)
        return words[-1][1] if words else None

    def attr(self, name: str) -> Any:
        profiles = [e for e in self.all if e["type"] == "profile" and name in (e.get("attributes") or {})]
        return self.newest((event, event["attributes"][name]) for event in profiles)

    def consent(self, channel: str) -> Any:
        return self.newest(
            (event, event["consent"][channel])
            for event in self.all
            if event["type"] == "profile" and channel in (event.get("consent") or {})
        )

    def reachable(self, channel: str) -> bool:
        profiles = [e for e in self.all if e["type"] == "profile" and e.get("reachable") is not None]
        return channel in (self.newest((event, event["reachable"]) for event in profiles) or ())

    @cached_property
    def cart(self) -> list[Wire]:
        closed = max((instant(event) for event in self.of("cart") if event.get("action") == "checkout"), default=0)
        words: dict[str, Wire] = {}
        for event in self.all:
            if event["type"] == "cart" and event.get("action") != "checkout":
                words[event["item_id"]] = event
        return [e for e in words.values() if e.get("action") != "remove" and closed < instant(e) < self.before]

    def cart_items(self) -> int:
        return len(self.cart)

    def cart_value(self) -> float:
        return sum(price_of(event) for event in self.cart) / 100


def _told(event: Wire) -> list[Told]:
    """What one event counts in the dimensions."""
    ts = instant(event)
    if event["type"] == "order":
        return _told_by_order(event, ts) if is_purchase(event) else []
    if event["type"] not in ("click", "cart"):
        return []
    values = {name: event.get(name) for name in ("category", "brand", "channel")}
    values["hour"] = ts % DAY_MS // HOUR_MS
    values["price_band"] = None if event.get("price") is None else band(event["price"])
    return [Told(dimension, value, ts) for dimension, value in values.items() if value not in (None, "")]


def _told_by_order(event: Wire, ts: int) -> list[Told]:
    spends: dict[str, Counter[Any]] = {dimension: Counter() for dimension in DIMENSIONS}
    spends["hour"][ts % DAY_MS // HOUR_MS] += amount_of(event) or 0
    if event.get("channel"):
        spends["channel"][event["channel"]] += amount_of(event) or 0
    for item in event.get("items") or ():
        values = {"category": item.get("category"), "brand": item.get("brand")}
        values["price_band"] = None if item.get("price") is None else band(item["price"])
        for dimension, value in values.items():
            if value not in (None, ""):
                spends[dimension][value] += price_of(item)
    found = [(dimension, value, spend) for dimension in spends for value, spend in spends[dimension].items()]
    actions = [Told(dimension, value, ts) for dimension, value, _ in found]
    return actions + (
        [Told(dimension, value, ts, spend) for dimension, value, spend in found] if is_paid(event) else []
    )


def _share(weights: dict[str, Fraction], value: str) -> float | None:
    whole = sum(weights.values())
    return float(weights.get(value, Fraction(0)) / whole) if whole else None
