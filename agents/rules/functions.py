"""The catalogue: all that an expression can ask of a user. The documentation and the checks follow from this table."""

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from agents.rules import parameters as p
from agents.rules.inputs import Input
from agents.rules.kinds import ACTIONS, CHANNELS, Kind
from agents.rules.parameters import Days, Hours, Parameter
from schemas.times import DAY_MS, HOUR_MS

Emit: TypeAlias = Callable[..., ast.expr]
"""From the arguments of a call to Python that reads the view `v`."""


class Function(NamedTuple):
    """One thing that an expression can ask. Without parameters it is written as a name, else as a call."""

    name: str
    parameters: tuple[Parameter, ...] | None
    kind: Kind
    nullable: bool
    """Whether it may be unknown."""
    inputs: Input
    doc: str
    emit: Emit
    since_ms: int = 0
    """Of a time since an instant: its unit (CYCLE: the user's own). A comparison of it with a constant knows when it
    comes true."""

    @property
    def signature(self) -> str:
        """How it is written: `orders([span])`, or only a name."""
        if self.parameters is None:
            return self.name
        return (
            f"{self.name}({', '.join(f'[{each.label}]' if each.optional else each.label for each in self.parameters)})"
        )

    def reads(self, arguments: Sequence[Any]) -> Input:
        """The inputs of a call: some arguments have inputs of their own, and a window moves."""
        inputs = self.inputs
        if self.since_ms or any(isinstance(argument, Hours | Days) for argument in arguments):
            inputs |= Input.TIME
        for parameter, argument in zip(self.parameters or (), arguments, strict=False):
            inputs |= parameter.inputs.get(argument, _NO_INPUT)
        return inputs


_NO_INPUT: Final = Input(0)
CYCLE: Final = -1


def constant(value: Any) -> ast.expr:
    """A constant as a node."""
    return ast.Constant(value)


def call(name: ast.expr, *arguments: ast.expr, **named: ast.expr) -> ast.expr:
    """A call as a node."""
    return ast.Call(name, list(arguments), [ast.keyword(key, value) for key, value in named.items()])


def helper(name: str, *arguments: ast.expr) -> ast.expr:
    """A call of one of the helpers (see `helpers`)."""
    return call(ast.Name(name, ast.Load()), *arguments)


def view(method: str, *arguments: Any, **named: Any) -> ast.expr:
    """A call of a method of the view."""
    read = ast.Attribute(ast.Name("v", ast.Load()), method, ast.Load())
    return call(read, *map(constant, arguments), **{key: constant(value) for key, value in named.items()})


def since(instant: str, unit_ms: int, *crossings: int) -> ast.expr:
    """Whole units since an instant; with `crossings`, time matters only when they come to one of these numbers."""
    return view("since_crosses" if crossings else "since", instant, unit_ms, *crossings)


def in_cycles(limit: float) -> ast.expr:
    """Time since the last order in the user's own mean gaps, where time matters only when it comes to a limit."""
    return view("cycle_crosses", limit)


def _method(name: str, *first: Any) -> Emit:
    """The method of the view with these arguments, and those of the call behind them."""
    return lambda *arguments: view(name, *first, *arguments)


def _window(field: int) -> Emit:
    def emit(span: Hours | Days | None = None) -> ast.expr:
        if span is None:
            return view("total", field)
        return view("window", field, **{"hours" if isinstance(span, Hours) else "days": int(span)})

    return emit


def _over_view(name: str) -> Emit:
    """A helper that reads the view and the population's shares."""
    first = (ast.Name("v", ast.Load()), ast.Name("population", ast.Load()))
    return lambda *arguments: helper(name, *first, *map(constant, arguments))


_N, _T, _B = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN
_ANY_DAY: Final = Input.CLICKS | Input.CARTS | Input.ORDERS

FUNCTIONS: Final[tuple[Function, ...]] = (
    Function("clicks", (p.SPAN,), _N, False, Input.CLICKS,
             "Clicks of all kinds in the window; without a span: ever.", _window(0)),
    Function("carts", (p.SPAN,), _N, False, Input.CARTS,
             "Cart events (put in, taken out, checkout) in the window; without a span: ever.", _window(1)),
    Function("orders", (p.SPAN,), _N, False, Input.ORDERS,
             "Purchases that were not cancelled, in the window; without a span: ever.", _window(2)),
    Function("spend", (p.SPAN,), _N, False, Input.ORDERS,
             "Money for purchases less returns, in the window; without a span: ever.", _window(3)),
    Function("days_active", (p.DAYS,), _N, False, _ANY_DAY,
             "Days with a click, a cart event or an order, among the last so many.",
             lambda days: view("days_active", int(days))),
    Function("days_since", (p.INSTANT,), _N, True, _NO_INPUT,
             "Whole days since an instant: first_activity, last_activity, first_order, last_order, last_cart or"
             " registered.", lambda instant: since(instant, DAY_MS), DAY_MS),
    Function("hours_since", (p.INSTANT,), _N, True, _NO_INPUT,
             "Whole hours since an instant.", lambda instant: since(instant, HOUR_MS), HOUR_MS),
    Function("date_of", (p.INSTANT,), _T, True, _NO_INPUT,
             'The UTC day of an instant, such as "2026-01-31".',
             lambda instant: helper("date_of", view("instant", instant))),
    Function("recency", None, _N, True, Input.ORDERS,
             "The same as days_since(last_order).", lambda: since("last_order", DAY_MS), DAY_MS),
    Function("frequency", None, _N, False, Input.ORDERS, "The same as orders().", _window(2)),
    Function("monetary", None, _N, False, Input.ORDERS, "The same as spend().", _window(3)),
    Function("mean_gap", (p.ORDERS,), _N, True, Input.ORDERS,
             "Mean days between purchases that follow each other; unknown before the second one.",
             lambda _orders: view("mean_gap")),
    Function("cycle", None, _N, True, Input.ORDERS | Input.TIME,
             "Time since the last order, in the user's own mean gaps: 1 when the next order is due.", _method("cycle"),
             CYCLE),
    Function("category_cycle", None, _T, True, Input.ORDERS | Input.TIME,
             "The category that is most overdue, of those bought at least three times.", _method("category_due")),
    Function("purchase_days", None, _N, False, Input.ORDERS,
             "Different days with a purchase that was not cancelled.", _method("purchase_days")),
    Function("max_order", None, _N, False, Input.ORDERS,
             "The greatest purchase that was not cancelled.", _method("max_order")),
    Function("returns", None, _N, False, Input.ORDERS, "Orders that were returned.", _method("returns")),
    Function("return_rate", None, _N, True, Input.ORDERS,
             "Returns to purchases, 0 to 1; unknown without a purchase.", _method("return_rate")),
    Function("done", (p.ACTION,), _N, False, Input.DONE,
             f"How often, ever: {', '.join(ACTIONS)}.", _method("done")),
    Function("top", (p.DIMENSION,), _T, True, Input.INTERESTS,
             "The value with the most actions; older ones count less and less.", _method("top")),
    Function("top_share", (p.DIMENSION,), _N, True, Input.INTERESTS,
             "Its share of the actions, 0 to 1.", _method("top_share")),
    Function("observed", (p.DIMENSION,), _N, False, Input.INTERESTS,
             "Actions that had a value in that dimension, ever.", _method("observed")),
    Function("share", (p.DIMENSION, p.VALUE), _N, True, Input.INTERESTS,
             "The share of actions with this value, 0 to 1; older ones count less and less.", _method("share")),
    Function("spend_share", (p.DIMENSION, p.VALUE), _N, True, Input.INTERESTS,
             "The share of spend with this value, 0 to 1.", _method("spend_share")),
    Function("lift", (p.COMPARED, p.COMPARED_VALUE), _N, True, Input.INTERESTS,
             "The share of actions with this value, by its share in the [population] of the file.",
             _over_view("lift")),
    Function("top_lift", (p.COMPARED,), _N, True, Input.INTERESTS,
             "The same of the value with the most actions.", _over_view("top_lift")),
    Function("cart_items", None, _N, False, Input.CART,
             "Different items in the open cart: newer than the last checkout.", _method("cart_items")),
    Function("cart_value", None, _N, False, Input.CART, "What the open cart is worth.", _method("cart_value")),
    Function("p_inactive", None, _N, True, Input.SCORE,
             "The probability, 0 to 1, that nothing is done within the horizon of the churn model; unknown before the"
             " first score.", _method("p_inactive")),
    Function("stated_gender", None, _T, True, Input.PROFILE,
             'female or male, where the attribute "gender" of the profile is one of f, female, w, woman, 女, m, male,'
             " man, 男; unknown where it is anything else.", _method("stated_gender")),
    Function("p_female", None, _N, True, Input.GUESS | Input.PROFILE,
             "The probability, 0 to 1, that the user is female, by the gender model; unknown before the first guess,"
             " and of everyone whose profile says anything about gender.", _method("p_female")),
    Function("tag", (p.TAG,), Kind.ANY, True, Input.TAGS,
             "The value of another tag: of a rule, listed in `manual`, or a lifecycle.", _method("tag")),
    Function("attr", (p.NAME,), Kind.ANY, True, Input.PROFILE,
             "An attribute of the profile.", _method("attr")),
    Function("consent", (p.CHANNEL,), _B, True, Input.PROFILE,
             f"Whether the user agreed to {', '.join(CHANNELS)}; unknown until they said so.", _method("consent")),
    Function("reachable", (p.CHANNEL,), _B, False, Input.PROFILE,
             "Whether the user can be reached there.", _method("reachable")),
)  # fmt: skip

BY_NAME: Final = {function.name: function for function in FUNCTIONS}
