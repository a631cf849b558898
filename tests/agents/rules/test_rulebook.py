"""Rulebooks: forms of rules, their order, what they read, and what is wrong with them."""

from typing import Any, Final

import msgspec
import pytest

from agents.rules.build import Draft, Drafts, RulesError, build, fingerprint
from agents.rules.inputs import ALL_INPUTS, Input
from agents.rules.rule import Rule
from agents.rules.rulebook import NO_RULES, Rulebook
from schemas.events import Scalar
from schemas.rules import Population, TagRule
from schemas.times import DAY_MS
from tests.agents.rules.fake_view import Asked, FakeView

ORDERS: Final[Asked] = ("total", 2)


def drafts(*rules: dict[str, Any], manual: tuple[str, ...] = (), **population: Any) -> Drafts:
    made = [msgspec.convert({"name": f"rule{place}", **rule}, TagRule) for place, rule in enumerate(rules)]
    own = [Draft(rule, ("tag", place)) for place, rule in enumerate(made)]
    return Drafts(own, (), frozenset(manual), Population(**population), version=7)


def book(*rules: dict[str, Any], **more: Any) -> Rulebook:
    return build(drafts(*rules, **more))


def one(**rule: Any) -> Rule:
    (made,) = book(rule).rules
    return made


def value(rule: Rule, answers: dict[Asked, Any] | None = None, current: Scalar = None) -> Scalar:
    view: Any = FakeView(answers)
    return rule.evaluate(view, current)


def mistakes(*rules: dict[str, Any], **more: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(RulesError) as caught:
        book(*rules, **more)
    return [(mistake.path, mistake.text) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("rule", "without", "with_orders"),
    [
        ({"when": "orders() > 1"}, None, True),
        ({"when": "orders() > 1", "else": False}, False, True),
        ({"when": "tag('lifecycle')"}, None, None),
        ({"value": "orders() * 2"}, 0, 4),
        ({"value": "top(brand)"}, None, None),
        ({"value": "top(brand)", "else": "any"}, "any", "any"),
        ({"value": "orders() > 1"}, False, True),
        ({"values": [{"value": 2, "when": "orders() > 1"}, {"value": 1, "when": "true"}]}, 1, 2),
        ({"values": [{"value": "x", "when": "orders() > 1"}], "else": "y"}, "y", "x"),
        ({"values": [{"value": "x", "when": "orders() > 1"}]}, None, "x"),
        ({"score": "orders()", "bands": [{"value": 0, "below": 2}, {"value": 1}]}, 0, 1),
        ({"score": "orders()", "bands": [{"below": 2}, {"value": "many"}]}, None, "many"),
        ({"score": "orders()", "bands": [{"below": 2}, {"value": "many"}], "else": "few"}, "few", "many"),
        (
            {"score": "mean_gap(orders)", "bands": [{"value": 0, "below": 2}, {"value": 1}], "else": "none"},
            "none",
            "none",
        ),
        ({"when": "true", "else": 3, "only": "orders() > 1"}, None, True),
        ({"value": "orders()", "only": "orders() > 1"}, None, 2),
        ({"prefer": "brand"}, None, None),
        ({"prefer": "brand", "else": "any", "only": "orders() > 1"}, None, "any"),
    ],
)
def test_a_rule_of_each_form_gives_its_value(rule: dict[str, Any], without: Scalar, with_orders: Scalar) -> None:
    made = one(**rule)
    for found, expected in [(value(made), without), (value(made, {ORDERS: 2}), with_orders)]:
        assert found == expected
        assert type(found) is type(expected)


def test_a_band_knows_the_current_value() -> None:
    rule = one(score="orders()", bands=[{"value": "few", "below": 5}, {"value": "many"}], hysteresis=2)
    assert value(rule, {ORDERS: 6}, "few") == "few"
    assert value(rule, {ORDERS: 6}, "many") == "many"
    assert value(rule, {ORDERS: 7}, "few") == "many"
    assert value(rule, {ORDERS: 6}) == "many"


def test_a_rule_carries_what_its_table_says() -> None:
    rule = one(name="x", doc="why", version=3, when="true", ttl="90d", group="g", priority=5, kind=["explicit"])
    assert (rule.name, rule.doc, rule.version, rule.group, rule.priority) == ("x", "why", 3, "g", 5)
    assert rule.ttl_ms == 90 * DAY_MS
    assert (rule.kind.origin, rule.kind.basis) == ("explicit", "fact")
    assert one(when="true").ttl_ms is None
    assert one(when="true").group is None


def test_what_a_rule_reads_is_the_union_of_its_expressions() -> None:
    rule = {
        "values": [{"value": 1, "when": "clicks() > 1"}, {"value": 2, "when": "tag('a') and cart_items > 1"}],
        "only": "attr('x') and tag('lifecycle')",
    }
    (made,) = book(rule, manual=("a",)).rules
    assert made.reads == Input.CLICKS | Input.CART | Input.PROFILE | Input.TAGS
    assert made.tags_read == {"a", "lifecycle"}


def test_a_preference_reads_interests_and_the_hour_also_the_time_zone() -> None:
    assert one(prefer="brand").reads == Input.PREFERENCES
    assert one(prefer="hour").reads == Input.PREFERENCES | Input.PROFILE


def names(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.name for rule in rules]


def test_rules_come_after_those_that_they_read() -> None:
    made = book(
        {"name": "c", "when": "tag('b')"}, {"name": "b", "when": "tag('a') == 1"}, {"name": "a", "value": "orders()"}
    )
    assert names(made.rules) == ["a", "b", "c"]


def test_the_greatest_of_a_group_comes_first() -> None:
    group = {"when": "true", "group": "g"}
    made = book({**group, "name": "c", "priority": 1}, {**group, "name": "b", "priority": 9}, {**group, "name": "a"})
    assert names(made.rules) == ["b", "c", "a"]


def test_a_look_reads_what_changed_what_follows_and_the_rest_of_a_group() -> None:
    made = book(
        {"name": "orders", "value": "orders()"},
        {"name": "reader", "when": "tag('orders') == 1"},
        {"name": "reads_reader", "when": "tag('reader')"},
        {"name": "clicks", "value": "clicks()", "group": "g"},
        {"name": "in_group", "value": "carts()", "group": "g", "priority": 1},
        {"name": "reads_group", "when": "tag('clicks') == 1"},
        {"name": "constant", "when": "true"},
    )
    assert set(names(made.reading(Input.ORDERS).rules)) == {"orders", "reader", "reads_reader"}
    assert names(made.reading(Input.CARTS).rules) == ["in_group", "clicks", "reads_group"]
    assert names(made.reading(int(Input.DONE)).rules) == []
    assert set(names(made.reading(Input.TAGS).rules)) == {"reader", "reads_reader", "reads_group"}
    assert len(made.reading(ALL_INPUTS).rules) == 7
    assert made.reading(Input.ORDERS) == made.reading(int(Input.ORDERS))


def test_daily_rules_are_looked_at_at_the_end_of_a_day_only() -> None:
    made = book(
        {"name": "now", "value": "clicks()"},
        {"name": "then", "value": "clicks()", "daily": True},
        {"name": "taste", "prefer": "brand"},
    )
    assert names(made.reading(Input.CLICKS).rules) == ["now"]
    assert set(names(made.reading(0, Input.CLICKS).rules)) == {"then"}
    assert made.daily_inputs == Input.CLICKS | Input.PREFERENCES


def test_what_is_named_is_read_too_and_a_daily_rule_only_at_the_end_of_a_day() -> None:
    made = book(
        {"name": "now", "value": "clicks()"},
        {"name": "reader", "when": "tag('now') == 1"},
        {"name": "then", "value": "carts()", "daily": True},
    )
    assert names(made.reading(0, None, ("now", "then")).rules) == ["now", "reader"]
    assert names(made.reading(0, 0, ("then",)).rules) == ["then"]
    assert [made.reading(0, None, named).reads_tags for named in ((), ("now",))] == [False, True]


def test_a_book_knows_its_names_and_whether_it_reads_lifecycles() -> None:
    assert book({"name": "a", "when": "true"}).names == {"a"}
    assert not book({"when": "true"}).reads_lifecycles
    assert book({"when": "tag('lifecycle.purchase') == 'silent'"}).reads_lifecycles
    assert (NO_RULES.rules, NO_RULES.mark, NO_RULES.reading(ALL_INPUTS).rules) == ((), 0, ())


RULE: Final = {"name": "a", "doc": "old", "when": "orders() > 1"}


@pytest.mark.parametrize(
    "changed",
    [
        {"when": "orders() > 2"},
        {"name": "b"},
        {"version": 2},
        {"ttl": "1d"},
        {"group": "g"},
        {"else": False},
        {"only": "true"},
    ],
)
def test_a_fingerprint_changes_with_the_meaning(changed: dict[str, Any]) -> None:
    assert fingerprint(drafts(RULE)) != fingerprint(drafts({**RULE, **changed}))
    assert book(RULE).mark != book({**RULE, **changed}).mark


def test_a_fingerprint_is_that_of_the_meaning_alone() -> None:
    other, off = {"name": "b", "when": "true"}, {"name": "c", "when": "true", "enabled": False}
    assert fingerprint(drafts(RULE, other)) == fingerprint(drafts(other, {**RULE, "doc": "new"}, off))
    assert fingerprint(drafts(RULE)) != fingerprint(drafts(RULE, channel={"app": 0.5}))
    assert book(RULE).fingerprint == fingerprint(drafts(RULE))


def test_a_fingerprint_is_the_same_everywhere() -> None:
    """Workers compare them: it must depend neither on the process nor on the version of Python."""
    assert fingerprint(drafts(RULE)) == "ee47dae2e7379304f481b4904c015e36a45afa060e298151d1be592a14edeb37"


def test_the_file_replaces_and_switches_off_what_is_built_in() -> None:
    builtin = [msgspec.convert({"name": name, "value": "orders()"}, TagRule) for name in ("a", "b", "c")]
    own = drafts({"name": "a", "value": "clicks()"}, {"name": "b", "enabled": False}).own
    made = build(Drafts(own, builtin))
    assert {rule.name: rule.reads for rule in made.rules} == {"a": Input.CLICKS, "c": Input.ORDERS}


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ({}, (), "a tag needs one of when, value, values, score, prefer"),
        (
            {"when": "true", "prefer": "brand"},
            ("prefer",),
            "`when` and `prefer` exclude each other: a tag has one form",
        ),
        ({"score": "1"}, ("score",), "`score` needs `bands`"),
        ({"when": "true", "hysteresis": 1}, ("hysteresis",), "`hysteresis` means nothing without `score` or `prefer`"),
        ({"when": "true", "min_share": 1}, ("min_share",), "`min_share` means nothing without `prefer`"),
        ({"when": "true", "priority": 1}, ("priority",), "`priority` means nothing without `group`"),
        ({"when": "true", "bands": [{"value": 1}] * 2}, ("bands",), "`bands` means nothing without `score`"),
        (
            {"prefer": "brand", "hysteresis": 0.3},
            ("hysteresis",),
            "`hysteresis` must be less than `min_share`, which is 0.3",
        ),
        ({"value": "clcks()"}, ("value",), "there is no function `clcks`"),
        (
            {"score": "top(brand)", "bands": [{"value": 1, "below": 1}, {"value": 2}]},
            ("score",),
            "a number is expected here, and this is a text",
        ),
        (
            {"when": "true", "only": "1"},
            ("only",),
            "this is a number, where a condition is expected: compare it with something",
        ),
        ({"values": [{"value": 1, "when": "x"}]}, ("values", 0, "when"), "`x` is not known"),
    ],
)
def test_a_rule_that_cannot_be_is_told_with_its_key(
    rule: dict[str, Any], path: tuple[str | int, ...], text: str
) -> None:
    assert mistakes(rule) == [(("tag", 0, *path), text)]


@pytest.mark.parametrize(
    ("bands", "hysteresis", "path", "text"),
    [
        ([(1, 0.5), (2, 0.7)], 0, ("bands", 1, "below"), "the last band has no `below`: it takes all the rest"),
        ([(1, None), (2, None)], 0, ("bands", 0), "every band but the last needs `below`"),
        ([(1, 0.5), (2, 0.5), (3, None)], 0, ("bands", 1, "below"), "bands ascend, and 0.5 is not above 0.5"),
        ([(1, 0.5), (1, None)], 0, ("bands", 1, "value"), "there is a band 1 already"),
        ([(None, 0.5), (1, 0.7), (None, None)], 0, ("bands", 2), "there is a band without a value already"),
        (
            [(1, 0.3), (2, 0.7), (3, None)],
            0.4,
            ("hysteresis",),
            "`hysteresis` must be less than the narrowest band, which is 0.4 wide",
        ),
    ],
)
def test_bands_that_cannot_be_are_told(
    bands: list[tuple[Any, Any]], hysteresis: float, path: tuple[str | int, ...], text: str
) -> None:
    given = [
        {name: part for name, part in zip(("value", "below"), band, strict=True) if part is not None} for band in bands
    ]
    assert mistakes({"score": "1", "bands": given, "hysteresis": hysteresis}) == [(("tag", 0, *path), text)]


def test_two_tags_of_one_name_are_told_and_both_are_looked_at() -> None:
    assert mistakes({"name": "a", "when": "true"}, {"name": "a", "when": "x"}) == [
        (("tag", 1, "name"), "there is a tag 'a' already in this file"),
        (("tag", 1, "when"), "`x` is not known"),
    ]


def test_tags_that_read_each_other_are_told_once_for_each_circle() -> None:
    found = mistakes(
        {"name": "a", "when": "tag('b')"}, {"name": "b", "when": "tag('c')"}, {"name": "c", "when": "tag('a')"},
        {"name": "own", "when": "tag('own')"}, {"name": "d", "when": "tag('a')"},
    )  # fmt: skip
    assert found == [
        (("tag", 0, "name"), "tags read each other in a circle: a reads b reads c reads a"),
        (("tag", 3, "name"), "tags read each other in a circle: own reads own"),
    ]


def test_a_group_whose_lesser_tag_is_read_by_its_greater_one_is_a_circle() -> None:
    found = mistakes(
        {"name": "high", "when": "tag('low')", "group": "g", "priority": 2},
        {"name": "low", "when": "true", "group": "g"},
    )
    assert found == [(("tag", 0, "name"), "tags read each other in a circle: high reads low reads high")]
