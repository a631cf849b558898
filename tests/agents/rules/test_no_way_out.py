"""No text reaches Python beyond the view: it becomes code that asks a view, or is refused: see tests/fuzz/rules."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from agents.rules.build import Drafts, build
from agents.rules.expression import compiled
from agents.rules.helpers import HELPERS
from agents.rules.mistake import ExpressionError
from agents.rules.scope import Scope
from app.rules_file import builtin_rules
from tests.agents.rules.fake_view import UNTOLD
from tests.fuzz.rules import RULES, check_code, check_value
from tests.fuzz.target import Target

ATTACKS = [
    '__import__("os").system("true")',
    "().__class__.__bases__[0].__subclasses__()",
    "(lambda: 0).__globals__",
    "[c for c in ().__class__.__mro__]",
    'f"{v.row}"',
    "v.row",
    "v",
    "population",
    "number",
    "lift(v, population, 'channel', 'app')",
    "getattr(v, 'row')",
    "tag.__call__('x')",
    "orders(30d).real",
    "(v := 1) and v",
    "t1",
    "9**9**9",
    "1 if print('x') else 2",
    "'%s' % v",
    "'x' * 10**9",
    "{**v}",
    "orders(*v)",
    "orders(**v)",
    "yield",
    "(yield)",
    "await v",
    "eval('1')",
    "1; import os",
    "1)\nimport os\n(1",
    "\N{FULLWIDTH LATIN SMALL LETTER E}val('1')",
    "\N{FULLWIDTH LATIN SMALL LETTER V}.row",
    "orders(30d) if v.row else 1",
    "'a' 'b'.join('c')",
    "true.__class__",
    "\x0c__import__('os')",
    "1 #\n__import__('os')",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compiled(text, Scope({"vip"}, {"channel": {"app": 0.5}}))


@pytest.mark.parametrize("target", RULES, ids=lambda target: target.name)
def test_no_input_gets_through(target: Target) -> None:
    assert target.run(0.5, number=6) > 0


def test_whole_rules_name_nothing_else_either() -> None:
    for rule in build(Drafts(own=(), builtin=builtin_rules().tag)).rules:
        names = set(rule.evaluate.__code__.co_names)
        assert names <= {*UNTOLD, *HELPERS, "population", "bands", "prefer"}


LEAKS: list[Callable[[Any], Any]] = [
    lambda v: v.row,
    lambda v: eval(v),  # noqa: PLW0108, S307  it is never called
    lambda v: lambda: v,
    lambda v: [v for _ in v],
]


@pytest.mark.parametrize("leak", LEAKS)
def test_the_check_finds_what_is_beyond(leak: Callable[[Any], Any]) -> None:
    assert isinstance(leak, FunctionType)
    with pytest.raises(AssertionError):
        check_code(leak)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1j, b"x", (), "\ud800"])
def test_the_check_finds_values_that_no_tag_can_have(value: Any) -> None:
    with pytest.raises((AssertionError, UnicodeEncodeError)):
        check_value(value)
