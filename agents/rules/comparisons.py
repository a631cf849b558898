"""Comparisons: of what with what, and when time alone will change their answers."""

import ast
from itertools import pairwise
from math import ceil, floor
from typing import TYPE_CHECKING, Final

from agents.rules import code
from agents.rules.code import Code
from agents.rules.functions import CYCLE, constant, in_cycles, since
from agents.rules.kinds import Kind, a

if TYPE_CHECKING:
    from agents.rules.compiler import Compiler

_ORDERINGS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EQUALITIES: Final = (ast.Eq, ast.NotEq)
_MEMBERSHIPS: Final = (ast.In, ast.NotIn)
_MIRRORED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE,
}  # fmt: skip


def compare(compiler: "Compiler", node: ast.Compare) -> Code:
    """A comparison or a chain of them: `0.2 < share(channel, "app") <= 0.5`."""
    for operator in node.ops:
        if not isinstance(operator, (*_ORDERINGS, *_EQUALITIES, *_MEMBERSHIPS)):
            raise compiler.strange(node, operator)
    if any(isinstance(operator, _MEMBERSHIPS) for operator in node.ops):
        return _membership(compiler, node)
    nodes = [node.left, *node.comparators]
    pieces = [compiler.piece(each) for each in nodes]
    for place, operator in enumerate(node.ops):
        pieces[place : place + 2] = _comparable(compiler, operator, nodes[place : place + 2], pieces[place : place + 2])
    if any(piece.since for piece in pieces):
        pairs = zip(pairwise(pieces), node.ops, strict=True)
        return Code(code.all_of([_crossing(compiler, pair, operator) for pair, operator in pairs]), Kind.BOOLEAN)
    return compiler.emit.comparison(node.ops, pieces)


def _comparable(compiler: "Compiler", operator: ast.cmpop, nodes: list[ast.expr], pair: list[Code]) -> list[Code]:
    """The two sides, as values of one kind."""
    is_ordering = isinstance(operator, _ORDERINGS)
    known = [piece.kind for piece in pair if piece.kind is not Kind.ANY]
    wanted = Kind.NUMBER if is_ordering and not known else known[0] if known else Kind.ANY
    if wanted is not Kind.ANY:
        pair = [code.as_kind(piece, wanted) for piece in pair]
    if pair[0].kind is not pair[1].kind:
        raise compiler.error(nodes[1], f"{a(pair[0].kind)} cannot be compared with {a(pair[1].kind)}")
    if is_ordering and wanted is not Kind.NUMBER:
        raise compiler.error(nodes[0], f"only numbers have an order, and this is {a(wanted)}: compare by == or !=")
    return pair


def _crossing(compiler: "Compiler", pair: tuple[Code, Code], operator: ast.cmpop) -> ast.expr:
    """A comparison of a time since an instant: with a constant, it is known when its answer changes."""
    left, right = pair
    if left.since and right.is_constant:
        left = left._replace(node=_until(left.since, type(operator), right.value))
    elif right.since and left.is_constant:
        mirrored = _MIRRORED.get(type(operator), type(operator))
        right = right._replace(node=_until(right.since, mirrored, left.value))
    return compiler.emit.comparison([operator], [left, right]).node


def _until(what: tuple[str, int], operator: type[ast.cmpop], limit: float) -> ast.expr:
    instant, unit_ms = what
    return in_cycles(limit) if unit_ms == CYCLE else since(instant, unit_ms, *_crossings(operator, limit))


def _crossings(operator: type[ast.cmpop], limit: float) -> tuple[int, ...]:
    """The whole numbers at which a comparison with a limit changes its answer: 31 for `> 30`."""
    reached, passed = max(ceil(limit), 0), max(floor(limit) + 1, 0)
    if operator in _EQUALITIES:
        return reached, passed
    return (reached,) if operator in {ast.GtE, ast.Lt} else (passed,)


def _membership(compiler: "Compiler", node: ast.Compare) -> Code:
    """`in` or `not in` a list of constants of one kind."""
    if len(node.ops) > 1:
        raise compiler.error(node, "`in` cannot stand in a chain of comparisons: put it in brackets")
    listed = node.comparators[0]
    if not isinstance(listed, ast.List | ast.Tuple) or not listed.elts:
        raise compiler.error(listed, 'a list is expected after `in`, such as ["a", "b"]')
    constants = [_constant(compiler, each) for each in listed.elts]
    kind = constants[0].kind
    for each, piece in zip(listed.elts, constants, strict=True):
        if piece.kind is not kind:
            raise compiler.error(each, f"a list is of one kind: this is {a(piece.kind)}, the first one {a(kind)}")
    left = code.as_kind(compiler.piece(node.left), kind)
    if left.kind is not kind:
        raise compiler.error(listed, f"{a(left.kind)} cannot be in a list where each is {a(kind)}")
    values = Code(constant(tuple(piece.value for piece in constants)), kind)
    return compiler.emit.comparison(node.ops, [left, values])


def _constant(compiler: "Compiler", node: ast.expr) -> Code:
    piece = compiler.piece(node)
    if not piece.is_constant:
        raise compiler.error(node, "a list after `in` holds numbers or texts only")
    return piece
