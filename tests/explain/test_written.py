"""The text of rules: every form, and every rule that is built in."""

from pathlib import Path

import pytest

from app.explain.written import lines_of, written
from schemas.rules import Band, Choice, TagRule
from tests.explain.people import rules_file

PRICES = (
    "the price band with the greatest share of 10 actions or more, if that is 30 % or more"
    " and 1.1 times that of the population, if known"
)


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        (TagRule(name="a", when="orders() > 1", else_="no"), ["yes when orders() > 1", "else no"]),
        (TagRule(name="a", value="max_order", only="orders() > 0"), ["only if orders() > 0", "the value of max_order"]),
        (
            TagRule(name="a", values=[Choice(value="vip", when="x"), Choice(value=2, when="y")], else_="ordinary"),
            ["vip when x", "2 when y", "else ordinary"],
        ),
        (
            TagRule(
                name="a", score="spend()", bands=[Band(value="low", below=0.25), Band(value="high")], hysteresis=0.1
            ),
            ["by the score spend(): low below 0.25, high", "left only 0.1 past an edge"],
        ),
        (
            TagRule(name="a", score="spend()", bands=[Band(below=0.25), Band(value="high")]),
            ["by the score spend(): nothing below 0.25, high"],
        ),
        (
            TagRule(name="a", prefer="price_band", min_lift=1.1),
            [PRICES],
        ),
        (
            TagRule(name="a", when="x", ttl="90d", group="offer", priority=3),
            ["yes when x", "ends after 90d", "one of the group offer, priority 3"],
        ),
    ],
)
def test_a_rule_is_told_condition_by_condition(rule: TagRule, lines: list[str]) -> None:
    assert lines_of(rule) == lines


def test_every_built_in_rule_has_a_text() -> None:
    assert all(lines_of(rule) for rule in written(None).rules.values())


def test_a_rule_of_a_file_stands_instead_of_the_built_in_one(tmp_path: Path) -> None:
    path = rules_file(tmp_path, 'name = "tier"\nwhen = "orders() > 3"')
    assert written(path).rules["tier"].when == "orders() > 3"


def test_a_text_over_several_lines_becomes_one_line() -> None:
    assert lines_of(TagRule(name="a", when="orders() > 1\n  and \x1b[2J carts() > 1")) == [
        "yes when orders() > 1 and \N{REPLACEMENT CHARACTER}[2J carts() > 1"
    ]
