"""Expressions: what they become, what they mean, and what is told of those that cannot be."""

import ast
from operator import attrgetter
from typing import Any, Final

import pytest

from agents.rules.expression import compiled, condition, number, value
from agents.rules.functions import FUNCTIONS
from agents.rules.inputs import Input
from agents.rules.kinds import INSTANTS
from agents.rules.mistake import ExpressionError
from agents.rules.scope import Scope
from schemas.times import DAY_MS, HOUR_MS
from tests.agents.rules.fake_view import UNTOLD, Asked, Clock, FakeView

SCOPE: Final = Scope({"vip", "tier", "lifecycle"}, {"channel": {"app": 0.25, "web": 0.75, "fax": 0.0}})


def python(text: str) -> str:
    """The Python that an expression becomes."""
    return ast.unparse(value(text, SCOPE).code.node)


def told(text: str, answers: dict[Asked, Any] | None = None) -> Any:
    return compiled(text, SCOPE)(FakeView(answers))


def refusal(text: str, understand: Any = value) -> tuple[int, str, str | None]:
    with pytest.raises(ExpressionError) as caught:
        understand(text, SCOPE)
    return caught.value.column, caught.value.text, caught.value.near


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders(30d) >= 3", "v.window(2, days=30) >= 3"),
        ("spend(12h) < clicks()", "v.window(3, hours=12) < v.total(0)"),
        ("carts(48h) + 0 == 1", None),
        ("days_active(7d) > 2", "v.days_active(7) > 2"),
        ("recency >= 30", "(t1 := v.since_crosses('last_order', 86400000, 30)) is not None and t1 >= 30"),
        (
            "hours_since(last_cart) > 23.5",
            "(t1 := v.since_crosses('last_cart', 3600000, 24)) is not None and t1 > 23.5",
        ),
        ("30 > recency", "(t1 := v.since_crosses('last_order', 86400000, 30)) is not None and 30 > t1"),
        ("recency <= 30", "(t1 := v.since_crosses('last_order', 86400000, 31)) is not None and t1 <= 30"),
        ("recency == 30", "(t1 := v.since_crosses('last_order', 86400000, 30, 31)) is not None and t1 == 30"),
        ("recency + 1 > 3 or recency > orders()", None),
        ("frequency + monetary > 1", None),
        ("mean_gap(orders) < 30", "(t1 := v.mean_gap()) is not None and t1 < 30"),
        ("category_cycle == 'a'", "(t1 := v.category_due()) is not None and t1 == 'a'"),
        ("purchase_days > 1 and max_order > 5", "v.purchase_days() > 1 and v.max_order() > 5"),
        ("done('review')", "v.done('review')"),
        ("date_of(registered)", "date_of(v.instant('registered'))"),
        ("share(hour, '9') > 0.5", "(t1 := v.share('hour', '9')) is not None and t1 > 0.5"),
        ("lift(channel, 'app')", "lift(v, population, 'channel', 'app')"),
        ("top_lift(channel)", "top_lift(v, population, 'channel')"),
        ("tag('vip') and reachable('sms')", "not not v.tag('vip') and v.reachable('sms')"),
        ("not consent('sms')", "not v.consent('sms') is True"),
        ("attr('age') > 30", "(t1 := number(v.attr('age'))) is not None and t1 > 30"),
        ("attr('a') in ['x', 'y']", "(t1 := text(v.attr('a'))) is not None and t1 in ('x', 'y')"),
        ("attr('a') == true", "(t1 := boolean(v.attr('a'))) is not None and t1 == True"),
        ("0 < orders() < 5", "0 < v.total(2) < 5"),
        ("1 if true else -2", "1 if True else -2"),
        ("cart_items > 0", "v.cart_items() > 0"),
    ],
)
def test_an_expression_becomes_python_without_detours(text: str, expected: str | None) -> None:
    assert expected is None or python(text) == expected


def test_only_what_may_be_unknown_is_looked_at() -> None:
    """Windows are never unknown: between them and the comparison stands nothing."""
    code = compiled("orders(30d) >= 3 and spend(60d) > 1000", SCOPE).__code__
    assert code.co_names == ("window",)
    assert code.co_varnames == ("v",)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_asks_for_methods_that_a_view_has(function: Any) -> None:
    arguments = {
        "span": "30d", "days": "30d", "instant": "last_order", "dimension": "channel", "orders": "orders",
        "value": '"app"', "name": '"age"', "action": '"review"', "channel": '"sms"', "tag": '"vip"',
    }  # fmt: skip
    calls = [function.name]
    if function.parameters is not None:
        calls = [f"{function.name}({', '.join(arguments[each.label] for each in function.parameters)})"]
        calls += [f"{function.name}()"] if function.parameters[0].optional else []
    for call in calls:
        assert compiled(call, SCOPE)(FakeView()) == (None if function.nullable else UNTOLD[method_of(call)])
        assert value(call, SCOPE).code.nullable == function.nullable
        assert value(call, SCOPE).reads
        assert function.doc.endswith(".")


def method_of(call: str) -> str:
    node = ast.parse(python(call), mode="eval").body
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Attribute)
    return node.func.attr


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("orders() + clicks(1h)", Input.ORDERS | Input.CLICKS | Input.TIME),
        ("days_since(last_cart) > 1", Input.CARTS | Input.TIME),
        ("days_since(registered) > 1 or hours_since(last_activity) > 1", Input.PROFILE | Input.ACTIVITY | Input.TIME),
        ("days_active(7d)", Input.CLICKS | Input.CARTS | Input.ORDERS | Input.TIME),
        ("top(brand)", Input.INTERESTS),
        ("top(hour)", Input.INTERESTS | Input.PROFILE),
        ("attr('hour')", Input.PROFILE),
        ("tag('vip') if cart_items > 1 else done('review') > 1", Input.TAGS | Input.CART | Input.DONE),
        ("1 + 1", Input(0)),
    ],
)
def test_what_an_expression_reads_is_known(text: str, reads: Input) -> None:
    assert value(text, SCOPE).reads == reads


def test_the_tags_that_it_reads_are_known() -> None:
    assert value("tag('vip') and tag('tier') == 'x'", SCOPE).tags == {"vip", "tier"}


UNKNOWN: Final = "mean_gap(orders)"
KNOWN: Final[dict[Asked, Any]] = {("mean_gap",): 5}


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
def test_no_comparison_holds_with_what_is_unknown(operator: str) -> None:
    assert told(f"{UNKNOWN} {operator} 5") is False
    assert told(f"5 {operator} {UNKNOWN}") is False
    assert told(f"1 {operator} 2 {operator} {UNKNOWN}") is False


@pytest.mark.parametrize("text", ["top(brand) in ['a']", "top(brand) not in ['a']"])
def test_what_is_unknown_is_in_no_list_and_not_outside_of_one(text: str) -> None:
    assert told(text) is False


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%"])
def test_arithmetic_with_what_is_unknown_is_unknown(operator: str) -> None:
    assert told(f"{UNKNOWN} {operator} 5") is None
    assert told(f"5 {operator} {UNKNOWN}") is None
    assert told(f"-({UNKNOWN} {operator} 5)") is None
    assert told(f"{UNKNOWN} {operator} 2", KNOWN) is not None


@pytest.mark.parametrize("operator", ["/", "//", "%"])
@pytest.mark.parametrize("zero", ["0", "0.0", "-0.0", "clicks()", UNKNOWN])
def test_a_division_by_zero_is_unknown(operator: str, zero: str) -> None:
    assert told(f"7 {operator} {zero}", {("mean_gap",): 0}) is None


@pytest.mark.parametrize(
    "text", ["9007199254740992 + 1", "-9007199254740992 - 1", "1e15 * 10", "1e15 / 1e-300", "1e9 // 1e-9"]
)
def test_what_is_too_large_is_unknown(text: str) -> None:
    assert told(text) is None


def test_conditions_take_what_is_unknown_as_false() -> None:
    assert told("not consent('sms')") is True
    assert told("tag('vip') or consent('sms')") is False
    assert told("true and tag('vip')") is False
    assert told("1 if tag('vip') else 2") == 2


@pytest.mark.parametrize(
    ("held", "expected"), [("gold", True), ("", False), (0, False), (3, True), (False, False), (True, True)]
)
def test_a_tag_alone_holds_if_it_is_not_false_zero_or_empty(held: Any, expected: bool) -> None:
    assert told("tag('vip') and true", {("tag", "vip"): held}) is expected
    assert told("not tag('vip')", {("tag", "vip"): held}) is not expected


@pytest.mark.parametrize(
    ("text", "held", "expected"),
    [
        ("attr('a') > 3", "4", False),
        ("attr('a') > 3", True, False),
        ("attr('a') > 3", 4, True),
        ("attr('a') + 1", "4", None),
        ("attr('a') == 1", True, False),
        ("attr('a') == true", 1, False),
        ("attr('a') == 'x'", 1, False),
        ("attr('a') != 'x'", 1, False),
        ("attr('a') in [1, 2]", True, False),
        ("attr('a') == attr('a')", "x", True),
        ("attr('a') < attr('a')", "x", False),
        ("attr('a')", "x", "x"),
    ],
)
def test_an_attribute_is_taken_as_what_it_is_compared_with(text: str, held: Any, expected: Any) -> None:
    found = told(text, {("attr", "a"): held})
    assert found == expected
    assert type(found) is type(expected)


def test_lift_compares_with_the_population() -> None:
    assert told("lift(channel, 'app')", {("share", "channel", "app"): 0.5}) == 2
    assert told("lift(channel, 'app')") is None
    assert told("lift(channel, 'fax')", {("share", "channel", "fax"): 0.5}) is None
    top = {("top", "channel"): "app", ("top_share", "channel"): 1.0}
    assert told("top_lift(channel)", top) == 4
    assert told("top_lift(channel)", {**top, ("top", "channel"): "store"}) is None


def test_a_chain_of_days_knows_only_the_next_of_its_ends() -> None:
    between = compiled("30 <= days_since(last_order) < 60", SCOPE)
    for days, expected, changes in [(0, False, 30), (29, False, 30), (30, True, 60), (59, True, 60)]:
        view = Clock({"last_order": 0}, days * DAY_MS)
        assert between(view) is expected
        assert view.changes_at == changes * DAY_MS
    view = Clock({"last_order": 0}, 60 * DAY_MS)
    assert between(view) is False
    assert view.changes_at > 1000 * DAY_MS


def test_a_condition_that_decides_alone_keeps_the_others_from_being_asked() -> None:
    both = compiled("days_since(last_order) > 30 and hours_since(last_cart) > 1", SCOPE)
    view = Clock({"last_order": 0, "last_cart": 0}, 5 * HOUR_MS)
    assert both(view) is False
    assert view.changes_at == 31 * DAY_MS


@pytest.mark.parametrize(
    ("text", "column", "why", "near"),
    [
        ("ordres(30d) > 3", 0, "there is no function `ordres`", "orders"),
        ("1 + spnd()", 4, "there is no function `spnd`", "spend"),
        ("reccency > 3", 0, "`reccency` is not known", "recency"),
        ("xyz", 0, "`xyz` is not known", None),
        ("ture", 0, "`ture` is not known", "true"),
        ("spend > 3", 0, "`spend` needs brackets: spend([span])", None),
        ("recency() > 3", 0, "`recency` is written without brackets", None),
        ("brand == 'x'", 0, "`brand` is a dimension: ask for top(brand), for example", None),
        ("last_order > 3", 0, "`last_order` is an instant: ask for days_since(last_order), for example", None),
        ("orders(30d, 1)", 0, "`orders` takes at most 1 argument, not 2: orders([span])", None),
        ("share(category)", 0, "`share` takes 2 arguments, not 1: share(dimension, value)", None),
        ("days_active()", 0, "`days_active` takes 1 argument, not 0: days_active(days)", None),
        ("orders(**x)", 0, "arguments are written without names: orders([span])", None),
        ("orders(*x)", 7, "a span is expected here, such as 30d or 12h", None),
        ("orders(30)", 7, "a span is expected here, such as 30d or 12h", None),
        ("orders('30d')", 7, "a span is expected here, such as 30d or 12h", None),
        ("orders(61d)", 7, "`61d` is longer than what is kept: write at most 60d", None),
        ("orders(49h)", 7, "`49h` is longer than what is kept: write at most 48h, or whole days up to 60d", None),
        ("orders(0d)", 7, "`0d` is not a span: write whole hours or days, such as 12h or 30d", None),
        ("orders(90m)", 7, "`90m` is not a span: write whole hours or days, such as 12h or 30d", None),
        ("orders(1.5d)", 7, "`1.5d` is not a span: write whole hours or days, such as 12h or 30d", None),
        ("orders(30x)", 7, "`30x` is not a span: write whole hours or days, such as 12h or 30d", None),
        ("days_active(12h)", 12, "whole days are expected here, such as 30d", None),
        ("3 > 30d", 4, "`30d` can only stand in the brackets of a function", None),
        ("top(30d)", 4, "a dimension is expected here: category, brand, channel, price_band, hour", None),
        ("top('brand')", 4, "a dimension is expected here: category, brand, channel, price_band, hour", None),
        ("top(categry)", 4, "`categry` is not a dimension: category, brand, channel, price_band, hour", "category"),
        ("days_since(last_ordr)", 11, f"`last_ordr` is not an instant: {', '.join(INSTANTS)}", "last_order"),
        ("mean_gap(carts)", 9, "`carts` is not a series: orders", None),
        ("share(brand, 5)", 13, 'a text in quotation marks is expected here, such as "north"', None),
        ("attr(region)", 5, 'a text in quotation marks is expected here, such as "north"', None),
        ("consent('smss')", 8, '"smss" is not a channel: sms, email, push, wechat, phone', "sms"),
        ("tag('tire')", 4, 'no rule gives a tag "tire", and `manual` does not list it', "tier"),
        ("lift(brand, 'x')", 5, "the shares of the population are not known: write a table [population.brand]", None),
        ("lift(channel, 'apps')", 14, '[population.channel] has no share of "apps"', "app"),
        ("spend() > 'x'", 10, "a number cannot be compared with a text", None),
        ("true == 1", 8, "true or false cannot be compared with a number", None),
        ("'a' < 'b'", 0, "only numbers have an order, and this is a text: compare by == or !=", None),
        ("attr('a') < 'b'", 0, "only numbers have an order, and this is a text: compare by == or !=", None),
        ("1 + 'x'", 4, "a number is expected here, and this is a text", None),
        ("-true", 1, "a number is expected here, and this is true or false", None),
        ("orders() and true", 0, "this is a number, where a condition is expected: compare it with something", None),
        ("not 'x'", 4, "this is a text, where a condition is expected: compare it with something", None),
        ("1 if true else 'x'", 15, "this is a text, and before `if` stands a number", None),
        ("1 in [1, 'x']", 9, "a list is of one kind: this is a text, the first one a number", None),
        ("1 in ['x']", 5, "a number cannot be in a list where each is a text", None),
        ("1 in [orders()]", 6, "a list after `in` holds numbers or texts only", None),
        ("1 in 5", 5, 'a list is expected after `in`, such as ["a", "b"]', None),
        ("1 in []", 5, 'a list is expected after `in`, such as ["a", "b"]', None),
        ("1 < 2 in [1]", 0, "`in` cannot stand in a chain of comparisons: put it in brackets", None),
        ("1e400", 0, "a number is at most 9,007,199,254,740,992", None),
        ("9007199254740993", 0, "a number is at most 9,007,199,254,740,992", None),
        ("None", 0, "None is neither a number nor a text nor true or false", None),
        ("b'x'", 0, "bytes is neither a number nor a text nor true or false", None),
        ("...", 0, "... is neither a number nor a text nor true or false", None),
        (f"'{'x' * 257}'", 0, "a text has at most 256 characters", None),
        (f"attr('{'x' * 257}')", 5, "a text has at most 256 characters", None),
        ("orders()()", 0, "only a name can stand before brackets", None),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_column(text: str, column: int, why: str, near: str | None) -> None:
    assert refusal(text) == (column, why, near)


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("v.now", 0, "a dot after a name"),
        ("orders().__class__", 0, "a dot after a name"),
        ("(lambda: 1)()", 1, "lambda"),
        ("[x for x in y]", 0, "for"),
        ("(x for x in y)", 0, "for"),
        ("{x: 1 for x in y}", 0, "for"),
        ("f'{v}'", 0, "a text with f before it"),
        ("tag[0]", 0, "[...] after a name"),
        ("(x := 1)", 1, ":="),
        ("9 ** 9 ** 9", 0, "**"),
        ("1 << 9", 0, "<<"),
        ("true & false", 0, "& (write `and`)"),
        ("true | false", 0, "| (write `or`)"),
        ("~1", 0, "~"),
        ("+1", 0, "+ before a value"),
        ("tag('vip') is None", 0, "is (write `==`)"),
        ("[1, 2]", 0, "a list, but after `in`,"),
        ("(1, 2)", 0, "a list, but after `in`,"),
        ("{1}", 0, "{...}"),
        ("{}", 0, "{...}"),
        ("(yield)", 1, "yield"),
        ("await x", 0, "await"),
    ],
)
def test_what_python_has_beyond_is_not_part_of_the_language(text: str, column: int, what: str) -> None:
    assert refusal(text) == (column, f"{what} is not part of the language of rules", None)


@pytest.mark.parametrize(
    "name", ["__import__", "eval", "exec", "open", "getattr", "v", "population", "number", "lift_"]
)
def test_nothing_but_the_catalogue_can_be_called_or_named(name: str) -> None:
    assert refusal(f"{name}('os')")[1] == f"there is no function `{name}`"
    assert refusal(name)[1] == f"`{name}` is not known"


def test_compiled_code_sees_no_builtins() -> None:
    function = compiled("orders() > 1", SCOPE)
    assert function.__globals__["__builtins__"] == {}
    assert attrgetter("__builtins__")(function) == {}


def test_a_condition_and_a_number_are_told_from_other_kinds() -> None:
    assert refusal("orders()", condition)[1].startswith("this is a number, where a condition is expected")
    assert refusal("orders() > 1", number)[1] == "a number is expected here, and this is true or false"
    assert number("attr('age')", SCOPE).code.nullable
