"""Random expressions: as text, and as a tree that knows what it means. Shares no code with the compiler.

A tree is a tuple whose first part names it. `kind` says what the language takes it for; `told` works it out.
"""

import operator
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from tests.agents.rules.fake_view import UNTOLD, Asked

Tree: TypeAlias = tuple[Any, ...]

LIMIT: Final = 2**53
NUMBERS: Final[dict[str, Asked]] = {
    "orders(30d)": ("window", 2, "days", 30),
    "clicks( 12h )": ("window", 0, "hours", 12),
    "spend()": ("total", 3),
    "frequency": ("total", 2),
    "recency": ("since", "last_order", 86_400_000),
    "hours_since(last_cart)": ("since", "last_cart", 3_600_000),
    "mean_gap(orders)": ("mean_gap",),
    "cycle": ("cycle",),
    "purchase_days": ("purchase_days",),
    "return_rate": ("return_rate",),
    'done("review")': ("done", "review"),
    "share(category, 'shoes')": ("share", "category", "shoes"),
    "cart_items": ("cart_items",),
}
TEXTS: Final[dict[str, Asked]] = {"top(brand)": ("top", "brand"), "category_cycle": ("category_due",)}
BOOLEANS: Final[dict[str, Asked]] = {'consent("sms")': ("consent", "sms"), "reachable('sms')": ("reachable", "sms")}
ANYTHING: Final[dict[str, Asked]] = {
    'tag("vip")': ("tag", "vip"),
    "attr('a')": ("attr", "a"),
    "attr('b')": ("attr", "b"),
}

_ARITHMETIC: Final = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod,
}  # fmt: skip
_ORDERINGS: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_EQUALITIES: Final = {"==": operator.eq, "!=": operator.ne}
_COMPARISONS: Final = {**_ORDERINGS, **_EQUALITIES}

_numbers = st.integers(0, 40) | st.sampled_from([0.0, 0.5, 1e-300, 1e15, 2.0**53, 30.5])
_texts = st.sampled_from(["", "shoes", "Bolt", "\N{CJK UNIFIED IDEOGRAPH-978B}", "30d", "# and"])


def _asked(catalogue: dict[str, Asked], kind: str) -> st.SearchStrategy[Tree]:
    return st.sampled_from(sorted(catalogue)).map(lambda text: ("ask", text, catalogue[text], kind))


_anything = _asked(ANYTHING, "any")
_number_leaf = _numbers.map(lambda value: ("constant", value, "number")) | _asked(NUMBERS, "number")
_text_leaf = _texts.map(lambda value: ("constant", value, "text")) | _asked(TEXTS, "text")
_boolean_leaf = st.booleans().map(lambda value: ("constant", value, "boolean")) | _asked(BOOLEANS, "boolean")


def _number(depth: int) -> st.SearchStrategy[Tree]:
    if not depth:
        return _number_leaf
    side = _number(depth - 1) | _anything
    return st.one_of(
        _number_leaf,
        st.tuples(st.just("arithmetic"), st.sampled_from(sorted(_ARITHMETIC)), side, side),
        st.tuples(st.just("minus"), side),
        st.tuples(st.just("choice"), condition(depth - 1), _number(depth - 1), _number(depth - 1)),
    )


def condition(depth: int) -> st.SearchStrategy[Tree]:
    """Trees that hold or not."""
    if not depth:
        return _boolean_leaf | _anything
    below = condition(depth - 1)
    side = _number(depth - 1) | _anything
    chain = st.integers(1, 3).flatmap(
        lambda size: st.tuples(
            st.just("chain"),
            st.lists(st.sampled_from(sorted(_ORDERINGS)), min_size=size, max_size=size),
            st.lists(side, min_size=size + 1, max_size=size + 1),
        )
    )
    equals = st.sampled_from(sorted(_EQUALITIES))
    return st.one_of(
        chain,
        chain,
        st.tuples(st.just("chain"), equals.map(lambda each: [each]), st.tuples(side, side).map(list)),
        st.tuples(
            st.just("chain"), equals.map(lambda each: [each]), st.tuples(_text_leaf, _text_leaf | _anything).map(list)
        ),
        st.tuples(st.just("in"), st.booleans(), side, st.lists(_numbers, min_size=1, max_size=3)),
        st.tuples(st.just("in"), st.booleans(), _text_leaf | _anything, st.lists(_texts, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(below, min_size=2, max_size=3)),
        st.tuples(st.just("not"), below),
        _boolean_leaf,
    )


trees: Final = condition(3) | _number(3) | _text_leaf | _anything

_held = st.none() | st.integers(-3, 40) | st.floats(-(2.0**53), 2.0**53) | _texts | st.booleans()
_counts = st.integers(0, 40) | st.floats(0, 1e6)
answers: Final = st.fixed_dictionaries(
    {
        **{asked: _counts for asked in NUMBERS.values() if UNTOLD.get(asked[0]) == 0},
        **{
            asked: st.none() | st.integers(0, 40) | st.floats(0, 40)
            for asked in NUMBERS.values()
            if UNTOLD.get(asked[0]) is None
        },
        **{asked: st.none() | _texts for asked in TEXTS.values()},
        ("consent", "sms"): st.none() | st.booleans(),
        ("reachable", "sms"): st.booleans(),
        **dict.fromkeys(ANYTHING.values(), _held),
    }
)


def text_of(tree: Tree) -> str:  # noqa: C901, PLR0911  a case for each kind of node
    """A tree as people write it, with more brackets."""
    match tree:
        case ("constant", bool(value), _):
            return str(value).lower()
        case ("constant", str(value), _):
            return f'"{value}"'
        case ("constant", value, _):
            return repr(value)
        case ("ask", text, _, _):
            return str(text)
        case ("arithmetic", sign, left, right):
            return f"({text_of(left)} {sign} {text_of(right)})"
        case ("minus", operand):
            return f"(-{text_of(operand)})"
        case ("choice", test, body, otherwise):
            return f"({text_of(body)} if {text_of(test)}\n else {text_of(otherwise)})"
        case ("chain", signs, operands):
            rest = "".join(f" {sign} {text_of(each)}" for sign, each in zip(signs, operands[1:], strict=True))
            return f"({text_of(operands[0])}{rest})"
        case ("in", is_in, left, values):
            listed = ", ".join(text_of(("constant", value, "")) for value in values)
            return f"({text_of(left)} {'in' if is_in else 'not in'} [{listed}])"
        case ("not", operand):
            return f"(not {text_of(operand)})"
        case (word, operands):
            return f"({f' {word} '.join(map(text_of, operands))})"
    raise AssertionError(tree)


def kind_of(tree: Tree) -> str:
    """What the language takes a tree for."""
    if tree[0] in {"constant", "ask"}:
        return str(tree[-1])
    return "number" if tree[0] in {"arithmetic", "minus", "choice"} else "boolean"


def told(tree: Tree, known: dict[Asked, Any]) -> Any:  # noqa: C901, PLR0911  likewise
    """What a tree means, worked out step by step."""
    match tree:
        case ("constant", value, _):
            return value
        case ("ask", _, asked, _):
            return known[asked]
        case ("arithmetic", sign, left, right):
            return _computed(sign, _as("number", told(left, known)), _as("number", told(right, known)))
        case ("minus", operand):
            value = _as("number", told(operand, known))
            return None if value is None else -value
        case ("choice", test, body, otherwise):
            return told(body if _holds(told(test, known)) else otherwise, known)
        case ("chain", signs, operands):
            pairs = zip(signs, operands, operands[1:], strict=False)
            return all(_compared(sign, left, right, known) for sign, left, right in pairs)
        case ("in", is_in, left, values):
            value = _as("text" if isinstance(values[0], str) else "number", told(left, known))
            return value is not None and (value in values) is is_in
        case ("not", operand):
            return not _holds(told(operand, known))
        case ("and", operands):
            return all(_holds(told(each, known)) for each in operands)
        case ("or", operands):
            return any(_holds(told(each, known)) for each in operands)
    raise AssertionError(tree)


def _computed(sign: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (sign in {"/", "//", "%"} and right == 0):
        return None
    try:
        value = _ARITHMETIC[sign](left, right)
    except OverflowError:
        return None
    return value if abs(value) <= LIMIT else None


def _compared(sign: str, left: Tree, right: Tree, known: dict[Asked, Any]) -> bool:
    kinds = [kind for kind in (kind_of(left), kind_of(right)) if kind != "any"]
    kind = "number" if sign in _ORDERINGS else kinds[0] if kinds else "any"
    values = [_as(kind, told(each, known)) for each in (left, right)]
    return None not in values and bool(_COMPARISONS[sign](*values))


def _as(kind: str, value: Any) -> Any:
    if kind == "any":
        return value
    found = {int: "number", float: "number", str: "text", bool: "boolean"}.get(type(value))
    return value if found == kind else None


def _holds(value: Any) -> bool:
    return value is not None and bool(value)
