"""Rules: no text whatever reaches Python beyond the view, and every mistake in a file has its place there."""

from math import isfinite
from operator import attrgetter
from types import CodeType, FunctionType
from typing import Any, Final

from hypothesis import strategies as st

from agents.recall.campaign import Campaign
from agents.rules.expression import compiled
from agents.rules.functions import FUNCTIONS
from agents.rules.helpers import HELPERS
from agents.rules.mistake import ExpressionError
from agents.rules.scope import Scope
from agents.rules.source import MAX_LENGTH
from app.rules_file import RulesFileError, read_rules
from schemas.times import DAY_MS, MAX_TS
from tests.agents.rules.expressions import text_of, trees
from tests.agents.rules.fake_view import UNTOLD, FakeView
from tests.fuzz.mutate import alone, mutated
from tests.fuzz.target import Target

_SCOPE: Final = Scope({"vip"}, {"channel": {"app": 0.5}})
_MAY_BE_NAMED: Final = {*UNTOLD, *HELPERS, "population"}
_GLOBALS: Final = {"__builtins__", *HELPERS, "population", "bands", "prefer"}
_VIEWS: Final = (
    FakeView(),
    FakeView({("tag", "vip"): True, ("attr", "a"): 1e308, ("mean_gap",): 2**53, ("cycle",): -1e-300, ("total", 2): 7}),
    FakeView(
        {("tag", "vip"): "x", ("attr", "a"): -(2**53), ("top", "brand"): "", ("since", "last_order", 86_400_000): 31}
    ),
)

_WORDS: Final = (
    *(function.name for function in FUNCTIONS),
    *("and", "or", "not", "in", "if", "else", "is", "lambda", "for", "await", "yield", "None", "True", "false", "v"),
    *(
        "category",
        "brand",
        "channel",
        "last_order",
        "registered",
        "orders",
        '"vip"',
        '"app"',
        "'sms'",
        '"a"',
        '"review"',
    ),
    *("30d", "12h", "0d", "90m", "1e999", "9" * 30, "0x7f", "1_0", "1j", "1.5", "0", ".5", "3e", "30.d", "1if"),
    *("+", "-", "*", "/", "//", "%", "**", "<", "<=", "==", "!=", ">", "=", ":=", "<>", "&&", "!", "@", "~", "^", "->"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ":",
        ";",
        "#",
        "\\",
        "\n",
        "\t",
        '"',
        "'",
        '"""',
        "f'{v}'",
        "\0",
        "\ud800",
    ),
    *("__import__", "__class__", "__builtins__", "eval", "os", "t1", "population", "number", "current", "bands"),
    *(
        "\N{FULLWIDTH LATIN SMALL LETTER O}rders",
        "\N{IDEOGRAPHIC SPACE}",
        "\N{FULLWIDTH COMMA}",
        "\N{GREEK SMALL LETTER PI}",
    ),
    *("(" * 150, "-" * 120, "not " * 90, "[" * 99, "a" * 300, "1+" * 200),
)
_noise: Final = st.lists(st.sampled_from(_WORDS), max_size=14).flatmap(
    lambda words: st.sampled_from(["", " "]).map(lambda space: space.join(words))
)
_right: Final = trees.map(text_of)
_damaged: Final = st.tuples(_right, st.integers(0, 200), st.integers(0, 9), st.sampled_from(_WORDS)).map(
    lambda each: each[0][: each[1]] + each[3] + each[0][each[1] + each[2] :]
)
_texts: Final = st.text(max_size=40) | _noise | _right | _damaged | st.just("1+" * MAX_LENGTH)

RULES_FILE: Final = b'''# rules
version = 2
manual = ["blocked"]
population.channel = { app = 0.25, "web" = 0.75 }
[[tag]]
name = "tier"
kind = ["implicit", "dynamic", "fact"]
values = [ {value = "vip", when = "spend() >= 5_000 and tag(\\"blocked\\")"}, {value = 2, when = 'orders(30d) > 1'} ]
else = 1.5
only = """
  orders() > 0 and \\
  clicks() > 1  # both
"""
ttl = "90d"
[[tag]]
name = "\xe7\x94\xa8\xe6\x88\xb7"
score = 'lift(channel, "app")'
bands = [{ value = "low", below = 0.3 }, { value = "mid", below = 0.7 }, { value = "high" }]
hysteresis = 0.05
group = "x"
priority = 10
[[tag]]
name = "likes"
prefer = "hour"
min_share = 0.2
[recall]
control = 0.05
cap = { max = 3, per = "7d" }
timezone = "Europe/Berlin"
profile = ["name", "tier"]
mute_before = 2026-11-01T00:00:00Z
[[campaign]]
name = "back"
on = { tag = "tier", to = "vip", after = "3d" }
audience = 'orders() >= 1 and tag("likes") != "7"'
channels = [{ channel = "push", cost = 0.01 }, { channel = "sms", cost = 0.05, offer = "10 %", window = "24h" }]
variants = [{ name = "a", weight = 2 }, { name = "b", offer = "x" }]
choose = "learned"
hold_out = 0.1
budget = 100.0
quiet_hours = "22:00-08:00"
mute_before = "2026-11-02T00:00:00+01:00"
'''


def check_expression(text: str) -> None:
    """A mistake within the text, or a function that only asks a view, and gives a value that a tag can have."""
    try:
        function = compiled(text, _SCOPE)
    except ExpressionError as error:
        assert 0 <= error.column <= len(text)
        assert error.text
        assert "\n" not in error.text
        return
    assert isinstance(function, FunctionType)
    check_code(function)
    for view in _VIEWS:
        check_value(function(view))


def check_code(function: FunctionType) -> None:
    """It names nothing but methods of the view and helpers, and makes no functions."""
    code = function.__code__
    assert set(code.co_names) <= _MAY_BE_NAMED
    assert all(name == "v" or (name[0] == "t" and name[1:].isdecimal()) for name in code.co_varnames)
    assert not any(isinstance(each, CodeType) for each in code.co_consts)
    assert not code.co_freevars + code.co_cellvars
    assert function.__globals__.keys() <= _GLOBALS
    assert attrgetter("__builtins__")(function) == {}


def check_value(value: Any) -> None:
    """A number that is finite, a text, a truth value, or nothing."""
    assert value is None or type(value) in {int, float, str, bool}
    assert not isinstance(value, float) or isfinite(value)
    assert not isinstance(value, str) or value.encode() is not None


def check_file(content: bytes) -> None:
    """Rules that can be worked out, or mistakes that lie within the file."""
    try:
        book = read_rules(content)
    except RulesFileError as error:
        lines = error.text.split("\n")
        for problem in error.problems:
            assert str(problem).isprintable()
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        return
    for rule in book.rules:
        for view in _VIEWS:
            check_value(rule.evaluate(view, None))  # type: ignore[arg-type]  # it answers like a view
            check_value(rule.evaluate(view, "low"))  # type: ignore[arg-type]
    for campaign in book.campaigns.all:
        check_campaign(campaign)


def check_campaign(campaign: Campaign) -> None:
    """It is for somebody or not, on some channels, within limits."""
    for view in _VIEWS:
        assert campaign.audience is None or campaign.audience(view, None) in {True, False}  # type: ignore[arg-type]
    assert 0 < len(campaign.channels) == len({channel.name for channel in campaign.channels})
    assert all(0 < channel.window_ms <= 30 * DAY_MS and channel.cost >= 0 for channel in campaign.channels)
    assert all(variant.weight > 0 for variant in campaign.variants)
    assert 0 < campaign.expiry_ms <= 90 * DAY_MS
    assert 0 <= campaign.hold_out <= 1
    assert campaign.budget is None or campaign.budget > 0
    assert campaign.cap is None or (0 < campaign.cap.most <= 20 and 0 < campaign.cap.per_ms <= 60 * DAY_MS)
    assert campaign.quiet is None or campaign.quiet.start_minute != campaign.quiet.end_minute
    assert 0 <= campaign.mute_before < MAX_TS


RULES: Final = (
    Target("rule expressions", alone(_texts), check_expression),
    Target("rule files", alone(mutated(RULES_FILE)), check_file),
)
