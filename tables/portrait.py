"""The portrait: what a user did, by category, brand, channel, price band and hour, and how often; ever, but decayed.

Time is cut into blocks of 30 days since the epoch. An action weighs 2**(block - base): so weights stay as they are
while time passes, and a share of them has a half-life of 30 days.
"""

from typing import Final

from msgspec import Struct, field

from schemas.times import DAY_MS, HOUR_MS, Millis
from tables.action import ACTIVE, BOUGHT, CART, HOUR, PAID, Action, Spend
from tables.dimensions import DIMENSIONS, DONE, HOURS, Dimension
from tables.interest import Interest

MAX_VALUES: Final = 32
"""Where more values of a dimension have come up, KEPT_VALUES of them stay."""
KEPT_VALUES: Final = 16
BLOCK_MS: Final = 30 * DAY_MS
_LEAST_BLOCKS: Final = 20
_AT_A_TIME: Final = 10
"""Weights are whole numbers, counted from a block that lies 20 to 29 blocks before the newest: one that would weigh
less than 1 is cut off. (Which block that is follows from the newest alone, and what comes late is of a later one: so
the order of arrival makes no difference.)"""
_CLICK: Final = ACTIVE | HOUR
_CHECKOUT: Final = DONE["checkout"]


class Bought(Struct, array_like=True, gc=False):
    """Purchases in one category: how many, and the UTC day of the first and of the last."""

    count: int
    first: int
    last: int


class Portrait(Struct, array_like=True, gc=False):
    """Interests by dimension, how often all else was `done`, purchases by category (`bought`); the last instants.

    `base`: the block whose actions weigh 1; `unit`: what those of the block `newest` weigh. While there are no more
    than MAX_VALUES values of a dimension, the order in which they came makes no difference. `last`, `cart`, `checkout`:
    the last activity, cart event and checkout (0: none).
    """

    base: int | None = None
    newest: int | None = None
    unit: int = 1
    category: Interest = field(default_factory=Interest)
    brand: Interest = field(default_factory=Interest)
    channel: Interest = field(default_factory=Interest)
    price_band: Interest = field(default_factory=Interest)
    hour: Interest = field(default_factory=Interest)
    last: Millis = 0
    cart: Millis = 0
    checkout: Millis = 0
    done: dict[int, int] = field(default_factory=dict)
    bought: dict[str, Bought] = field(default_factory=dict)

    def interest(self, dimension: Dimension) -> Interest:
        """That in one dimension."""
        found: Interest = getattr(self, dimension)
        return found

    def add(self, action: Action) -> None:
        """Count an action. Every click comes by here: so what it needs is written out, without calls."""
        ts, what = action.ts, action.what
        block = ts // BLOCK_MS
        weight = self.unit if block == self.newest else self._weight_of(block)
        if what & HOUR:
            interest, hour = self.hour, ts // HOUR_MS % HOURS
            interest.observed += 1
            interest.weights[hour] = interest.weights.get(hour, 0) + weight
        if category := action.category:
            interest = self.category
            interest.observed += 1
            interest.weights[category] = interest.weights.get(category, 0) + weight
        if brand := action.brand:
            interest = self.brand
            interest.observed += 1
            interest.weights[brand] = interest.weights.get(brand, 0) + weight
        if channel := action.channel:
            interest = self.channel
            interest.observed += 1
            interest.weights[channel] = interest.weights.get(channel, 0) + weight
        if (price_band := action.price_band) is not None:
            interest = self.price_band
            interest.observed += 1
            interest.weights[price_band] = interest.weights.get(price_band, 0) + weight
        if what & ACTIVE and ts > self.last:
            self.last = ts
        if action.done is not None or what > _CLICK:
            self._add_rest(action, weight)

    def _add_rest(self, action: Action, weight: int) -> None:
        """What else an action may be than a look at something."""
        ts, what, done = action.ts, action.what, action.done
        if done is not None:
            self.done[done] = self.done.get(done, 0) + 1
        if what & CART:
            self.cart = max(self.cart, ts)
        if done == _CHECKOUT:
            self.checkout = max(self.checkout, ts)
        if what & PAID and action.spend is not None:
            self._pay(action, action.spend, weight)
        if what & BOUGHT and action.category:
            self._buy(action.category, ts // DAY_MS)

    def make_room(self, at_most: int = MAX_VALUES, kept: int = KEPT_VALUES) -> None:
        """Where there are more than `at_most` values of a dimension, keep some: the greatest by (weight, value)."""
        for interest in (self.category, self.brand, self.channel):
            interest.make_room(at_most, kept)
        if len(self.bought) > at_most:
            known = sorted(self.bought, key=lambda each: (self.bought[each].count, each))
            self.bought = {category: self.bought[category] for category in known[-kept:]}

    def _pay(self, action: Action, spend: Spend, weight: int) -> None:
        if action.category and spend.category:
            self.category.pay(action.category, spend.category * weight)
        if action.brand and spend.brand:
            self.brand.pay(action.brand, spend.brand * weight)
        if action.price_band is not None and spend.price_band:
            self.price_band.pay(action.price_band, spend.price_band * weight)
        if action.channel and spend.hour:
            self.channel.pay(action.channel, spend.hour * weight)
        if action.what & HOUR and spend.hour:
            self.hour.pay(action.ts // HOUR_MS % HOURS, spend.hour * weight)

    def _buy(self, category: str, day: int) -> None:
        known = self.bought.setdefault(category, Bought(0, day, day))
        known.count += 1
        known.first, known.last = min(known.first, day), max(known.last, day)

    def _weight_of(self, block: int) -> int:
        """What an action of a block weighs."""
        if self.base is None:
            self.base = block - 1  # what comes late may be of the block before
        oldest = (block - _LEAST_BLOCKS) // _AT_A_TIME * _AT_A_TIME
        if oldest > self.base:
            for dimension in DIMENSIONS:
                self.interest(dimension).halve(oldest - self.base)
            self.base = oldest
        self.newest, self.unit = block, 1 << block - self.base if block >= self.base else 0
        return self.unit
