"""Compiled expressions mean what a walk through the tree works out, and know when time alone changes their answer."""

from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.rules.expression import compiled
from agents.rules.scope import Scope
from schemas.times import HOUR_MS
from tests.agents.rules.expressions import Tree, answers, text_of, told, trees
from tests.agents.rules.fake_view import Asked, Clock, FakeView

SCOPE: Final = Scope({"vip"})
HOURS: Final = 100


@settings(max_examples=150, deadline=None)
@given(trees, st.lists(answers, min_size=1, max_size=4))
def test_a_compiled_expression_means_what_its_tree_means(tree: Tree, users: list[dict[Asked, Any]]) -> None:
    function = compiled(text_of(tree), SCOPE)
    for known in users:
        found, expected = function(FakeView(known)), told(tree, known)
        assert found == expected
        assert type(found) is type(expected)


_since = st.tuples(
    st.sampled_from(["days_since(last_order)", "hours_since(last_cart)", "hours_since(last_order)", "recency"]),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(-1, 60) | st.sampled_from([1.5, 23.0, 47.9, 2.0]),
    st.booleans(),
).map(lambda each: f"{each[0]} {each[1]} {each[2]}" if each[3] else f"{each[2]} {each[1]} {each[0]}")
_chain = st.tuples(st.integers(0, 40), st.integers(0, 80)).map(
    lambda ends: f"{ends[0]} <= hours_since(last_cart) < {ends[1]}"
)
_other = st.sampled_from(
    ["recency + 1 > 3", "recency > hours_since(last_cart)", "(recency if recency > 1 else 3) == 2"]
)
_conditions = st.recursive(
    _since | _chain | _other,
    lambda below: st.tuples(below, st.sampled_from(["and", "or", "and not"]), below).map(
        lambda each: f"({each[0]} {each[1]} ({each[2]}))"
    ),
    max_leaves=5,
)
_instants = st.none() | st.integers(0, 30 * HOUR_MS)


@settings(max_examples=100, deadline=None)
@given(_conditions, _instants, _instants, st.integers(0, 20))
def test_between_looks_time_alone_changes_no_answer(
    text: str, ordered: int | None, put: int | None, hours: int
) -> None:
    """A look at every hour finds nothing that a look at `changes_at` would not have found."""
    function = compiled(text, SCOPE)
    instants = {"last_order": ordered, "last_cart": put}
    start = max(ordered or 0, put or 0) + hours * HOUR_MS
    looked = Clock(instants, start)
    answer = function(looked)
    for now in range(start, start + HOURS * HOUR_MS, HOUR_MS // 4):
        if now >= looked.changes_at:
            looked = Clock(instants, now)
            answer = function(looked)
        assert function(Clock(instants, now)) == answer
