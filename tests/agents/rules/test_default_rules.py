"""The built-in tags: each with users who have it and users who do not."""

from functools import cache
from typing import Any, Final

import pytest

from agents.rules.rule import Rule
from agents.rules.tastes import Lead
from app.rules_file import builtin_rules, load_rules
from schemas.events import Scalar
from schemas.times import DAY_MS, HOUR_MS
from tests.agents.rules.fake_view import Asked, FakeView

CLICKS: Final[Asked] = ("total", 0)
CARTS: Final[Asked] = ("total", 1)
ORDERS: Final[Asked] = ("total", 2)
SPEND: Final[Asked] = ("total", 3)
DAYS: Final[Asked] = ("purchase_days",)
RECENCY: Final[Asked] = ("since", "last_order", DAY_MS)
FIRST: Final[Asked] = ("since", "first_activity", DAY_MS)
CART: Final[Asked] = ("since", "last_cart", HOUR_MS)
BUYER: Final = {ORDERS: 1}
SHOPPER: Final = {CLICKS: 100, ORDERS: 1}


def done(action: str) -> Asked:
    return "done", action


def rfm(recency: int, frequency: int, monetary: int) -> dict[Asked, Any]:
    scores = {"recency": recency, "frequency": frequency, "monetary": monetary}
    return {**BUYER, **{("tag", f"rfm.{name}"): score for name, score in scores.items()}}


def liked(dimension: str, value: str, share: float, observed: int) -> dict[Asked, Any]:
    return {("lead", dimension): Lead(value, round(1000 * share), 0, 1000), ("observed", dimension): observed}


CASES: Final[dict[str, list[tuple[dict[Asked, Any], Scalar]]]] = {
    "unactivated": [({}, True), (BUYER, None)],
    "new_user": [({}, None), ({FIRST: 0}, True), ({FIRST: 29}, True), ({FIRST: 30}, None)],
    "registered": [({}, None), ({("instant", "registered"): 31 * DAY_MS}, "1970-02-01")],
    "first_purchase": [({}, None), ({("instant", "first_order"): DAY_MS - 1}, "1970-01-01")],
    "rfm.recency": [
        ({}, None),
        *(({**BUYER, RECENCY: days}, score) for days, score in [(6, 5), (7, 4), (29, 4), (30, 3), (60, 2), (120, 1)]),
    ],
    "rfm.frequency": [
        ({}, None),
        *(({ORDERS: orders}, score) for orders, score in [(1, 1), (2, 2), (3, 3), (6, 4), (9, 4), (10, 5)]),
    ],
    "rfm.monetary": [
        ({}, None),
        *(({**BUYER, SPEND: spend}, score) for spend, score in [(0, 1), (300, 2), (700, 3), (1500, 4), (4000, 5)]),
    ],
    "rfm.segment": [
        ({}, None),
        (rfm(4, 3, 3), "champion"),
        (rfm(5, 2, 3), "promising"),
        (rfm(3, 3, 5), "at_risk"),
        (rfm(1, 1, 3), "big_win_back"),
        (rfm(4, 3, 2), "loyal"),
        (rfm(4, 1, 1), "newcomer"),
        (rfm(3, 5, 2), "fading"),
        (rfm(3, 2, 2), "win_back"),
    ],
    "growth_level": [
        ({}, 1),
        ({SPEND: 100, DAYS: 5}, 2),
        ({SPEND: 900, DAYS: 4, done("review"): 4}, 3),
        ({SPEND: 3000}, 4),
        ({SPEND: 8000}, 5),
    ],
    "tier": [
        ({}, None),
        (BUYER, "ordinary"),
        ({**BUYER, SPEND: 1000, DAYS: 4}, "core"),
        ({**BUYER, SPEND: 5000, DAYS: 11}, "core"),
        ({**BUYER, SPEND: 5000, DAYS: 12}, "vip"),
    ],
    "loyalty": [
        ({}, None),
        *(({DAYS: days}, value) for days, value in [(1, "one_time"), (2, "repeat"), (5, "regular"), (12, "devoted")]),
    ],
    "max_order": [({}, None), ({**BUYER, ("max_order",): 9.5}, 9.5)],
    "returns.count": [({}, None), ({("returns",): 2}, 2)],
    "returns.rate": [
        ({ORDERS: 2, ("return_rate",): 0.5}, None),
        *(({ORDERS: 3, ("return_rate",): rate}, value) for rate, value in [(0, "low"), (0.1, "medium"), (0.3, "high")]),
    ],
    "prefers.category": [
        (liked("category", "shoes", 0.3, 9), None),
        (liked("category", "shoes", 0.29, 10), None),
        (liked("category", "shoes", 0.3, 10), "shoes"),
    ],
    "prefers.brand": [({}, None), (liked("brand", "Bolt", 0.3, 10), "Bolt")],
    "prefers.price_band": [({}, None), (liked("price_band", "8-16", 0.3, 10), "8-16")],
    "prefers.channel": [(liked("channel", "app", 0.49, 10), None), (liked("channel", "app", 0.5, 10), "app")],
    "prefers.hour": [(liked("hour", "21", 0.5, 19), None), (liked("hour", "21", 0.2, 20), "21")],
    "coupons.claimed": [({}, None), ({done("coupon_claim"): 3}, 3)],
    "coupons.used": [({}, None), ({done("coupon_used"): 3}, 3)],
    "campaigns.joined": [({}, None), ({done("campaign_join"): 3}, 3)],
    "reviews": [({}, None), ({done("review"): 3}, 3)],
    "shares": [({}, None), ({done("share"): 3}, 3)],
    "repurchase": [
        ({DAYS: 2, ("cycle",): 2}, None),
        ({DAYS: 3}, None),
        *(({DAYS: 3, ("cycle",): cycle}, value) for cycle, value in [(0.89, None), (0.9, "due"), (1.5, "overdue")]),
    ],
    "repurchase.category": [({}, None), ({("category_due",): "shoes"}, "shoes")],
    "cart.abandoned": [
        ({CART: 24}, None),
        ({CART: 23, ("cart_items",): 1}, None),
        ({CART: 24, ("cart_items",): 1}, True),
    ],
    "shopping_style": [
        ({CLICKS: 19, ORDERS: 1}, None),
        ({CLICKS: 20, CARTS: 4}, None),
        (SHOPPER, None),
        ({**SHOPPER, CARTS: 10}, "hesitant"),
        ({**SHOPPER, CARTS: 5, done("remove"): 2}, "hesitant"),
        ({**SHOPPER, CARTS: 4, done("remove"): 4}, None),
        ({**SHOPPER, done("compare"): 15, done("favorite"): 5}, "rational"),
        ({**SHOPPER, done("search"): 30}, "goal_driven"),
        ({**SHOPPER, done("campaign_join"): 4, done("coupon_claim"): 3, done("share"): 3}, "go_with_the_flow"),
        ({CLICKS: 24, ORDERS: 3}, "impulsive"),
        ({CLICKS: 25, ORDERS: 3}, None),
    ],
    "churn.risk": [
        ({}, None),
        ({("p_inactive",): 0.39}, "low"),
        ({("p_inactive",): 0.4}, "mid"),
        ({("p_inactive",): 0.7}, "high"),
    ],
    "gender": [
        ({}, None),
        *(({("stated_gender",): stated}, stated) for stated in ("female", "male")),
        ({("stated_gender",): "female", ("p_female",): 0.01}, "female"),
        ({("stated_gender",): "male", ("p_female",): 0.99}, "male"),
        *(({("p_female",): p}, value) for p, value in [(0.85, "female"), (0.849, None), (0.15, None), (0.149, "male")]),
    ],
}


@cache
def rules() -> dict[str, Rule]:
    return {rule.name: rule for rule in load_rules().rules}


@pytest.mark.parametrize(
    ("name", "answers", "expected"), [(name, *case) for name, cases in CASES.items() for case in cases]
)
def test_a_built_in_tag_has_the_value_that_it_should(name: str, answers: dict[Asked, Any], expected: Scalar) -> None:
    view: Any = FakeView(answers)
    found = rules()[name].evaluate(view, None)
    assert found == expected
    assert type(found) is type(expected)


def test_every_built_in_tag_has_its_cases() -> None:
    assert CASES.keys() == rules().keys()
    assert len(CASES) >= 25


def test_every_built_in_tag_says_what_it_means() -> None:
    for tag in builtin_rules().tag:
        assert tag.doc.endswith("."), tag.name
        assert "  " not in tag.doc, tag.name
