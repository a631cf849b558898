"""What is compiled, on the view of a real row: it asks for what is there, and never raises."""

from typing import Any, Final

import pytest

from agents.rules.expression import compiled
from agents.rules.rule import Rule
from agents.rules.scope import Scope
from agents.rules.view import View
from app.rules_file import load_rules
from schemas.times import DAY_MS
from tables.row import Row
from tests.agents.rules.expressions import ANYTHING, BOOLEANS, NUMBERS, TEXTS
from tests.agents.rules.fake_view import UNTOLD

NOW: Final = 400 * DAY_MS + 5


def test_the_fake_view_has_the_methods_of_the_real_one() -> None:
    public = {name for name, each in vars(View).items() if callable(each) and not name.startswith("_")}
    assert public == UNTOLD.keys()


@pytest.mark.parametrize("text", [*NUMBERS, *TEXTS, *BOOLEANS, *ANYTHING])
def test_of_a_user_of_whom_nothing_is_known_all_is_zero_or_unknown(text: str) -> None:
    found: Any = compiled(text, Scope({"vip"}))(View(Row(), NOW))
    assert found in (0, None)


@pytest.mark.parametrize("rule", load_rules().rules, ids=lambda rule: rule.name)
def test_the_built_in_rules_say_little_of_someone_unknown(rule: Rule) -> None:
    assert rule.evaluate(View(Row(), NOW), None) == {"unactivated": True, "growth_level": 1}.get(rule.name)
