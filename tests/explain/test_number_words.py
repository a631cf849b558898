"""The numbers that rules see, in words: every question of the catalogue, answered or not."""

from typing import Any

import pytest

from agents.limits import DEFAULT_LIMITS
from agents.rules.functions import FUNCTIONS, Function
from agents.rules.kinds import ACTIONS, CHANNELS, INSTANTS
from agents.rules.view import View
from agents.rules.watched import look_again
from app.explain import causes, number_words
from schemas.events import AnyEvent
from schemas.rules import Population
from schemas.times import DAY_MS, HOUR_MS, Millis
from tables.dimensions import DIMENSIONS
from tables.guess import Guess
from tables.score import Score
from tests.agents.drive import cart, click, day, order, profile, tag
from tests.explain.people import book_of, known

POPULATION = Population(channel={"web": 0.5})

BUYER: list[AnyEvent] = [
    profile(
        day(0),
        kind="registered",
        attributes={"region": "north", "gender": "F"},
        consent={"sms": True},
        reachable=["sms"],
    ),
    click(day(0, 5), category="shoes", channel="web", price=10),
    click(day(1), category="shoes", channel="app", price=10, action="review"),
    click(day(1, 1), category="hats", channel="web", brand="acme", action="search"),
    *(order(day(number), order_id=f"o{number}", total=10, coupon_id="c") for number in (2, 4, 8)),
    order(day(8, 1), order_id="o8", status="returned"),
    cart(day(9), price=4, quantity=2, item_id="a"),
    tag(day(9), tag="vip", value="gold"),
]
NEWCOMER: list[AnyEvent] = [profile(day(9), kind="login")]
NOW = day(10)


def words(expression: str, events: list[AnyEvent], now: Millis = NOW) -> list[str]:
    """What a rule with this expression saw of a user."""
    quoted = expression.replace("\\", "\\\\").replace('"', '\\"')
    book = book_of(
        f'name = "mine"\nvalue = "{quoted}"\n[population.channel]\nweb = 0.5\n',
        'name = "vip"\nvalue = "1 + 0 * orders()"',
    )
    about = known(events, now, book)
    seen = look_again(about.row, now, book, DEFAULT_LIMITS)["mine"]
    for call in seen.calls:
        assert causes.behind_call(call) if call.method != "tag" else True
    return [number.words for number in number_words.in_words(seen.calls, View(about.row, now), POPULATION)]


NO_GAP = "fewer than two orders, so there is no usual gap"
WEB = "channel web: 67 % of 3 actions with a channel, older ones weighing less; in the population 50 %"
SHOES = "category shoes: 67 % of 3 actions with a category, older ones weighing less"
PRICES = "prices 8-16: 67 % of 3 actions with a price, older ones weighing less"
RECENT = "first activity 1 day ago (2024-01-10)"
CART = "last cart event 24 hours ago (2024-01-10 00:00 UTC)"
FIRST = "first activity 10 days ago (2024-01-01)"


@pytest.mark.parametrize(
    ("expression", "bought", "new"),
    [
        ("orders(30d)", "3 orders in the last 30 days", "0 orders in the last 30 days"),
        ("clicks(12h)", "0 clicks in the last 12 hours", "0 clicks in the last 12 hours"),
        ("carts(1d)", "0 cart events in the last 1 day", "0 cart events in the last 1 day"),
        ("carts(48h)", "1 cart event in the last 48 hours", "0 cart events in the last 48 hours"),
        ("spend(30d)", "20.00 spent in the last 30 days", "0.00 spent in the last 30 days"),
        ("clicks()", "3 clicks ever", "0 clicks ever"),
        ("monetary", "20.00 spent ever", "0.00 spent ever"),
        ("days_active(30d)", "active on 6 of the last 30 days", "active on 0 of the last 30 days"),
        ("days_since(last_order)", "last order 2 days ago (2024-01-09)", "no last order is known"),
        ("hours_since(last_cart)", CART, "no last cart event is known"),
        ("days_since(first_activity) < 30", FIRST, RECENT),
        ("date_of(registered)", "registration on 2024-01-01 00:00 UTC", "no registration is known"),
        ("mean_gap(orders)", "3 days between orders on average", NO_GAP),
        ("cycle", "2 days since the last order, 0.67 times the usual gap of 3 days", NO_GAP),
        ("category_cycle", "no category is overdue", "no category is overdue"),
        ("purchase_days", "3 days with an order", "0 days with an order"),
        ("max_order", "greatest order 10.00", "greatest order 0.00"),
        ("returns", "1 return", "0 returns"),
        ("return_rate", "33 % of orders returned", "no order that could be returned"),
        ('done("review")', "1 review", "0 reviews"),
        ('done("coupon_used")', "3 orders with a coupon", "0 orders with a coupon"),
        ("top(brand)", "most often brand acme", "no brand yet"),
        ("observed(brand)", "1 action with a brand", "0 actions with a brand"),
        ("top_share(category)", SHOES, "0 actions with a category"),
        ('share(channel, "web")', WEB, "0 actions with a channel"),
        ('lift(channel, "web")', WEB, "0 actions with a channel"),
        ("top_share(price_band)", PRICES, "0 actions with a price"),
        ('spend_share(category, "shoes")', "no spend with a category", "no spend with a category"),
        ("cart_items", "1 item in the open cart", "0 items in the open cart"),
        ("cart_value", "open cart worth 8.00", "open cart worth 0.00"),
        ('tag("vip")', "tag vip: gold", "tag vip: 1"),
        ('tag("lifecycle.purchase")', "tag lifecycle.purchase: active", "tag lifecycle.purchase: unactivated"),
        ("stated_gender", "gender by the profile: F", "the profile says nothing about gender"),
        ("p_female", "no guess of the gender model yet", "no guess of the gender model yet"),
        ('attr("region")', "attribute region: north", "attribute region: not known"),
        ('consent("sms")', "agreed to sms", "never said whether to use sms"),
        ('consent("email")', "never said whether to use email", "never said whether to use email"),
        ('reachable("sms")', "can be reached by sms", "cannot be reached by sms"),
    ],
)  # fmt: skip
def test_a_number_is_told_in_words(expression: str, bought: str, new: str) -> None:
    assert words(expression, BUYER) == [bought]
    assert words(expression, NEWCOMER) == [new]


@pytest.mark.parametrize(
    ("p_female", "word", "told"),
    [
        (0.86, None, ["86% likely to be female, as the gender model takes it from what they look at"]),
        (0.1, "", ["90% likely to be male, as the gender model takes it from what they look at"]),
        (0.86, "diverse", ["no guess of the gender model counts beside the profile"]),
    ],
)
def test_a_guess_is_told_in_words(p_female: float, word: str | None, told: list[str]) -> None:
    book = book_of('name = "mine"\nvalue = "p_female"')
    row = known([profile(day(0), attributes={"gender": word})], NOW, book).row
    row.guess = Guess(p_female, day(5), "v")
    seen = look_again(row, NOW, book, DEFAULT_LIMITS)["mine"]
    assert [number.words for number in number_words.in_words(seen.calls, View(row, NOW), POPULATION)] == told


def test_what_a_share_tells_is_not_told_again() -> None:
    assert (
        len(
            words(
                '"x" if observed(category) > 1 and top(category) == "shoes" and top_share(category) > 0.1 else "y"',
                BUYER,
            )
        )
        == 1
    )


def test_nothing_is_told_twice() -> None:
    assert words("orders() + frequency + orders()", BUYER) == ["3 orders ever"]


def test_what_a_rule_did_not_come_to_is_not_told() -> None:
    assert words("orders() == 0 and clicks() > 1", BUYER) == ["3 orders ever"]


ARGUMENTS: dict[str, list[str]] = {
    "span": ["2d", "3h"],
    "days": ["7d"],
    "instant": list(INSTANTS),
    "dimension": list(DIMENSIONS),
    "orders": ["orders"],
    "value": ['"web"', '"9"'],
    "name": ['"region"'],
    "action": [f'"{name}"' for name in ACTIONS],
    "channel": [f'"{name}"' for name in CHANNELS],
    "tag": ['"vip"', '"lifecycle"'],
}


def examples(function: Function) -> list[str]:
    """Ways to ask for a function."""
    calls = [""]
    for parameter in function.parameters or ():
        known_to_file = parameter.label == "dimension" and "lift" in function.name
        labels = ["channel"] if known_to_file else ARGUMENTS[parameter.label]
        if parameter.label == "value" and "lift" in function.name:
            labels = ['"web"']
        calls = [f"{call}, {label}".lstrip(", ") for call in calls for label in labels]
    return [function.name if function.parameters is None else f"{function.name}({call})" for call in calls]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_every_question_of_the_catalogue_has_words(function: Function) -> None:
    for expression in examples(function):
        for events in (BUYER, NEWCOMER):
            assert all(text.isprintable() and text for text in words(expression, events)), expression


def test_a_watched_rule_learns_when_time_alone_changes_its_answer() -> None:
    book = book_of('name = "mine"\nwhen = "hours_since(last_cart) >= 48"')
    about: Any = known(BUYER, NOW, book)
    assert look_again(about.row, NOW, book, DEFAULT_LIMITS)["mine"].changes_at == day(9) + 48 * HOUR_MS


def test_a_small_chance_is_not_told_as_none() -> None:
    about = known(BUYER, NOW, book := book_of('name = "mine"\nvalue = "p_inactive"'))
    about.row.score = Score(0.004, NOW, 30 * DAY_MS, "mix", "1")
    calls = look_again(about.row, NOW, book, DEFAULT_LIMITS)["mine"].calls
    (told,) = number_words.in_words(calls, View(about.row, NOW), POPULATION)
    assert told.words == "less than 1% likely to stay away for 30 days, by mix"
