"""Pieces of compiled expressions: Python's own syntax tree, in which what is unknown (None) is dealt with in place.

Nothing calls what need not be called: `orders(30d) >= 3` becomes `v.window(2, days=30) >= 3`, and only where something
may be unknown a look at it comes first: `(t1 := v.mean_gap()) is not None and t1 < 30`.
"""

import ast
from collections.abc import Sequence
from itertools import count
from typing import Any, Final, NamedTuple

from agents.rules.functions import constant, helper
from agents.rules.kinds import Kind
from agents.rules.mistake import MAX_NUMBER

_HELPER_OF: Final = {Kind.NUMBER: "number", Kind.TEXT: "text", Kind.BOOLEAN: "boolean"}
_DIVISIONS: Final = (ast.Div, ast.FloorDiv, ast.Mod)
UNKNOWN: Final = ast.Constant(None)


class Code(NamedTuple):
    """A piece: what computes it, and what is known of the value. `since`: of which instant, in which unit."""

    node: ast.expr
    kind: Kind
    nullable: bool = False
    since: tuple[str, int] | None = None

    @property
    def is_constant(self) -> bool:
        """Whether it is a constant."""
        return isinstance(self.node, ast.Constant)

    @property
    def value(self) -> Any:
        """Of a constant."""
        return self.node.value if isinstance(self.node, ast.Constant) else None


class Emitter:
    """Makes pieces of pieces; knows which names are taken for values that are looked at twice."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def kept(self, node: ast.expr) -> tuple[ast.expr, ast.expr]:
        """The value, kept under a name; and that name."""
        name = f"t{next(self._numbers)}"
        return ast.NamedExpr(ast.Name(name, ast.Store()), node), ast.Name(name, ast.Load())

    def known(self, operands: Sequence[Code]) -> tuple[list[ast.expr], list[ast.expr]]:
        """What must hold for all of them to be known, and the values to use then."""
        checks: list[ast.expr] = []
        values: list[ast.expr] = []
        for operand in operands:
            value = operand.node
            if operand.nullable:
                keep, value = self.kept(value)
                checks.append(ast.Compare(keep, [ast.IsNot()], [UNKNOWN]))
            values.append(value)
        return checks, values

    def arithmetic(self, operator: ast.operator, left: Code, right: Code) -> Code:
        """Unknown where a side is, where it divides by zero, and beyond what doubles tell apart."""
        checks, (first, second) = self.known([left, right])
        if isinstance(operator, _DIVISIONS) and not right.value:
            keep, second = self.kept(right.node)  # None or zero
            checks = [*checks[: int(left.nullable)], keep]
        keep, value = self.kept(ast.BinOp(first, operator, second))
        limits = ast.Compare(constant(-MAX_NUMBER), [ast.LtE(), ast.LtE()], [keep, constant(MAX_NUMBER)])
        return Code(ast.IfExp(all_of([*checks, limits]), value, UNKNOWN), Kind.NUMBER, nullable=True)

    def negative(self, operand: Code) -> Code:
        """The number with the other sign."""
        if operand.is_constant:
            return Code(constant(-operand.value), Kind.NUMBER)
        checks, (value,) = self.known([operand])
        minus = ast.UnaryOp(ast.USub(), value)
        return Code(ast.IfExp(all_of(checks), minus, UNKNOWN) if checks else minus, Kind.NUMBER, operand.nullable)

    def comparison(self, operators: Sequence[ast.cmpop], operands: Sequence[Code]) -> Code:
        """A chain of comparisons; false where an operand is unknown."""
        checks, values = self.known(operands)
        return Code(all_of([*checks, ast.Compare(values[0], list(operators), values[1:])]), Kind.BOOLEAN)


def as_kind(piece: Code, kind: Kind) -> Code:
    """A piece of any kind as one of this kind: unknown where it is of another."""
    if piece.kind is not Kind.ANY:
        return piece
    return Code(helper(_HELPER_OF[kind], piece.node), kind, nullable=True)


def truth(piece: Code) -> ast.expr:
    """True or False: whether a condition holds. An unknown one does not."""
    if piece.kind is Kind.ANY:
        return ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), piece.node))
    return ast.Compare(piece.node, [ast.Is()], [constant(True)]) if piece.nullable else piece.node


def all_of(conditions: Sequence[ast.expr]) -> ast.expr:
    """Whether all of one or more hold."""
    return conditions[0] if len(conditions) == 1 else ast.BoolOp(ast.And(), list(conditions))
