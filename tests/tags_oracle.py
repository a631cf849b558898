"""The built-in tags by brute force: the words of agents/rules/default.toml once more, over raw events.

It shares no code with the product, and does not read its rules: all thresholds stand here a second time. Shares and
rates are fractions, so that an edge is met exactly or not at all.

```
                      midnight  midnight   midnight    midnight   the end
events          a   b     |         |    c     |      d  e |         |
daily tags                x                    x           x
the others                x         x          x           x         x     each by its value at the x before
```
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final, TypeAlias

from tests.oracle import DAY_MS, Wire, instant, is_activity, is_erasure
from tests.portrait_oracle import BLOCK_MS, HOUR_MS, PortraitOracle

Value: TypeAlias = str | float | bool | None
Definition: TypeAlias = Callable[[PortraitOracle, Value], Value]
"""The value of a tag as of an instant, of a user with an event; the second one is that at the end of the day before."""

SPEND: Final = 3


def values_of(tag: str, events: Sequence[Wire], instants: Sequence[int]) -> list[Value]:
    """The value of a tag at each instant: the end of every UTC day since the first event of one user, and the last."""
    value: Value = None
    found = []
    for at in instants:
        midnight = at // DAY_MS * DAY_MS
        known = [event for event in events if instant(event) <= at]
        erased_at = max((instant(event) for event in known if is_erasure(event)), default=-1)
        alive = [event for event in known if instant(event) > erased_at]
        value = None if erased_at >= midnight else value
        if alive and (tag not in DAILY or _is_worked_out(tag, alive, at)):
            value = DEFINITIONS[tag](PortraitOracle(alive, at), value)
        found.append(value)
    return found


def _is_worked_out(daily_tag: str, events: Sequence[Wire], at: int) -> bool:
    """At the end of a UTC day on which something has happened, or where time alone may change the answer."""
    midnight = at // DAY_MS * DAY_MS
    is_end = at == midnight + DAY_MS - 1
    return is_end and (daily_tag == "repurchase.category" or any(instant(event) >= midnight for event in events))


# How far a user has come


def unactivated(user: PortraitOracle, _: Value) -> Value:
    return None if user.purchases or not is_known(user) else True


def is_known(user: PortraitOracle) -> bool:
    """That a message went out says nothing of the user."""
    return any(event["type"] != "message" for event in user.events)


def new_user(user: PortraitOracle, _: Value) -> Value:
    times = [instant(event) for event in user.events if is_activity(event)]
    return True if times and user.now - min(times) < 30 * DAY_MS else None


def registered(user: PortraitOracle, _: Value) -> Value:
    return day_of([instant(event) for event in user.of("profile") if event.get("kind") == "registered"])


def first_purchase(user: PortraitOracle, _: Value) -> Value:
    return day_of([bought.ts for bought in user.purchases])


def day_of(times: Sequence[int]) -> Value:
    return f"{datetime.fromtimestamp(min(times) / 1000, UTC):%Y-%m-%d}" if times else None


# Recency, frequency, monetary value


def recency(user: PortraitOracle, _: Value) -> Value:
    if not user.purchases:
        return None
    days = (user.now - max(bought.ts for bought in user.purchases)) // DAY_MS
    return 1 + sum(days < edge for edge in (7, 30, 60, 120))


def frequency(user: PortraitOracle, _: Value) -> Value:
    return 1 + sum(len(user.purchases) >= edge for edge in (2, 3, 6, 10)) if user.purchases else None


def monetary(user: PortraitOracle, _: Value) -> Value:
    return 1 + sum(spent(user) >= edge for edge in (300, 700, 1500, 4000)) if user.purchases else None


def spent(user: PortraitOracle) -> Fraction:
    """What was paid, ever, less returns."""
    return Fraction(round(user.total(SPEND) * 100), 100)


def segment(user: PortraitOracle, _: Value) -> Value:
    found = [rfm(user, None) for rfm in (recency, frequency, monetary)]
    if None in found:
        return None
    r, f, m = (int(score or 0) for score in found)
    return {
        (True, True, True): "champion",
        (True, False, True): "promising",
        (False, True, True): "at_risk",
        (False, False, True): "big_win_back",
        (True, True, False): "loyal",
        (True, False, False): "newcomer",
        (False, True, False): "fading",
        (False, False, False): "win_back",
    }[r >= 4, f >= 3, m >= 3]


# What a user is worth


def growth_level(user: PortraitOracle, before: Value) -> Value:
    if not is_known(user):
        return None
    points = spent(user) + 20 * user.purchase_days() + 5 * user.done("review")
    return banded(points, (1, 2, 3, 4, 5), (200, 1000, 3000, 8000), 50, before)


def tier(user: PortraitOracle, _: Value) -> Value:
    if not user.purchases:
        return None
    if spent(user) >= 5000 and user.purchase_days() >= 12:
        return "vip"
    return "core" if spent(user) >= 1000 and user.purchase_days() >= 4 else "ordinary"


def loyalty(user: PortraitOracle, _: Value) -> Value:
    days = user.purchase_days()
    return ("one_time", "repeat", "regular", "devoted")[sum(days >= edge for edge in (2, 5, 12))] if days else None


def max_order(user: PortraitOracle, _: Value) -> Value:
    return max(bought.amount for bought in user.purchases) / 100 if user.purchases else None


def returns_count(user: PortraitOracle, _: Value) -> Value:
    return user.returns() or None


def returns_rate(user: PortraitOracle, before: Value) -> Value:
    if len(user.purchases) < 3:
        return None
    edges = (Fraction("0.1"), Fraction("0.3"))
    return banded(Fraction(user.returns(), len(user.purchases)), ("low", "medium", "high"), edges, "0.02", before)


def banded(
    score: Fraction, values: Sequence[Value], edges: Sequence[Fraction | int], slack: str | int, before: Value
) -> Value:
    """The band of a score; the one before stays until the score is past its edge by the slack."""
    place = sum(score >= edge for edge in edges)
    if before in values:
        own = values.index(before)
        if own < place and score < edges[own] + Fraction(slack):
            return before
        if own > place and score >= edges[own - 1] - Fraction(slack):
            return before
    return values[place]


# What a user prefers


def prefers(dimension: str, min_actions: int = 10, min_share: str = "0.3", slack: str = "0.05") -> Definition:
    """The value with the greatest share; the one before stays until another is further ahead than the slack."""

    def preferred(user: PortraitOracle, before: Value) -> Value:
        shares = shares_of(user, dimension)
        if not shares or user.observed(dimension) < min_actions:
            return None
        greatest, least = max(shares.values()), Fraction(min_share)
        held = shares.get(str(before), Fraction(0))
        if before is not None and greatest - held <= Fraction(slack):
            return before if held >= least - Fraction(slack) else None
        top = min((value for value in shares if shares[value] == greatest), key=_place)
        return top if greatest >= least else None

    return preferred


def shares_of(user: PortraitOracle, dimension: str) -> dict[str, Fraction]:
    """By value its part of all actions; those of a block of 30 days weigh half of those of the next one."""
    weights: dict[str, int] = {}
    for told in user.told:
        if told.dimension == dimension and told.spend is None:
            value = user.shown(dimension, told.value)
            weights[value] = weights.get(value, 0) + 2 ** (told.ts // BLOCK_MS - instant(user.events[0]) // BLOCK_MS)
    return {value: Fraction(weight, sum(weights.values())) for value, weight in weights.items()}


def _place(value: str) -> tuple[int, str]:
    """Which of several equal ones comes first: hours and bands of prices by their numbers."""
    number, _, _ = value.partition("-")
    return int(number) if number.isdigit() else 0, value


# What a user takes part in


def done(action: str) -> Definition:
    return lambda user, _: sum(event.get("action") == action for event in user.of("click")) or None


def coupons_used(user: PortraitOracle, _: Value) -> Value:
    paid = [event for event in user.of("order") if event.get("status", "paid") == "paid"]
    return sum(event.get("coupon_id") is not None for event in paid) or None


# When to speak to a user


def repurchase(user: PortraitOracle, _: Value) -> Value:
    times = sorted(bought.ts for bought in user.purchases)
    if user.purchase_days() < 3:
        return None
    mean_gap_ms = Fraction(times[-1] - times[0], len(times) - 1)
    cycles = (user.now - times[-1]) // DAY_MS * DAY_MS / mean_gap_ms
    return "overdue" if cycles >= Fraction("1.5") else "due" if cycles >= Fraction("0.9") else None


def repurchase_category(user: PortraitOracle, _: Value) -> Value:
    return user.category_due()


def cart_abandoned(user: PortraitOracle, _: Value) -> Value:
    """From 24 hours after the last touch on, until 30 days after the end of the day of that."""
    if not user.cart:
        return None
    since = max(instant(event) for event in user.of("cart")) + 24 * HOUR_MS
    ends_at = since // DAY_MS * DAY_MS + DAY_MS - 1 + 30 * DAY_MS
    return True if since <= user.now < ends_at else None


def shopping_style(user: PortraitOracle, _: Value) -> Value:
    clicks, carts, orders = len(user.of("click")), len(user.of("cart")), len(user.purchases)
    if clicks < 20 or (orders < 1 and carts < 5):
        return None
    if carts >= 5 and (10 * user.done("remove") >= 3 * carts or carts >= 10 * orders):
        return "hesitant"
    if 10 * (user.done("compare") + user.done("favorite")) >= 2 * clicks:
        return "rational"
    if 10 * user.done("search") >= 3 * clicks:
        return "goal_driven"
    if 10 * (user.done("campaign_join") + user.done("coupon_claim") + user.done("share")) >= clicks:
        return "go_with_the_flow"
    return "impulsive" if clicks <= 8 * orders else None


def unscored(_oracle: PortraitOracle, _before: Value) -> Value:
    """No model has said anything: see tests/test_predictions.py."""
    return None


FEMALE: Final = {"f", "female", "w", "woman", "女"}
MALE: Final = {"m", "male", "man", "男"}


def gender(user: PortraitOracle, _: Value) -> Value:
    """What the profile states; guesses are in tests/properties/test_gender.py."""
    word = str(user.attr("gender")).strip().lower()
    return "female" if word in FEMALE else "male" if word in MALE else None


DEFINITIONS: Final[dict[str, Definition]] = {
    "churn.risk": unscored,
    "gender": gender,
    "unactivated": unactivated,
    "new_user": new_user,
    "registered": registered,
    "first_purchase": first_purchase,
    "rfm.recency": recency,
    "rfm.frequency": frequency,
    "rfm.monetary": monetary,
    "rfm.segment": segment,
    "growth_level": growth_level,
    "tier": tier,
    "loyalty": loyalty,
    "max_order": max_order,
    "returns.count": returns_count,
    "returns.rate": returns_rate,
    "prefers.category": prefers("category"),
    "prefers.brand": prefers("brand"),
    "prefers.price_band": prefers("price_band"),
    "prefers.channel": prefers("channel", min_share="0.5"),
    "prefers.hour": prefers("hour", min_actions=20, min_share="0.2", slack="0.04"),
    "coupons.claimed": done("coupon_claim"),
    "coupons.used": coupons_used,
    "campaigns.joined": done("campaign_join"),
    "reviews": done("review"),
    "shares": done("share"),
    "repurchase": repurchase,
    "repurchase.category": repurchase_category,
    "cart.abandoned": cart_abandoned,
    "shopping_style": shopping_style,
}

DAILY: Final = {"growth_level", "repurchase.category", "shopping_style"} | {
    tag for tag in DEFINITIONS if tag.startswith("prefers.")
}
"""Worked out at the ends of days alone: between them they are what they were at the last one."""
