"""From the nodes of an expression to pieces of code: every node is looked at, and what is not known here is refused."""

import ast
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from agents.rules import code
from agents.rules.code import Code, Emitter
from agents.rules.comparisons import compare
from agents.rules.functions import BY_NAME, Function
from agents.rules.inputs import Input
from agents.rules.kinds import INSTANTS, Kind, a
from agents.rules.mistake import MAX_NUMBER, ExpressionError, nearest
from agents.rules.parameters import MAX_TEXT, TAG, Argument
from agents.rules.scope import Scope
from agents.rules.source import Source
from agents.rules.strange import name_of
from tables.dimensions import DIMENSIONS

_ARITHMETIC: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_TRUTHS: Final = {"true": True, "false": False}


class Compiler:
    """Compiles one expression. `reads` and `tags` gather what it reads."""

    def __init__(self, source: Source, scope: Scope) -> None:
        self.source, self.scope = source, scope
        self.emit = Emitter()
        self.reads = Input(0)
        self.tags: set[str] = set()
        self._visits: Final[dict[type[ast.expr], Callable[[Any], Code]]] = {
            ast.Constant: self._constant, ast.Name: self._name, ast.Call: self._call, ast.BoolOp: self._junction,
            ast.UnaryOp: self._unary, ast.BinOp: self._binary, ast.Compare: partial(compare, self),
            ast.IfExp: self._choice,
        }  # fmt: skip

    def piece(self, node: ast.expr) -> Code:
        """The code of a node."""
        visit = self._visits.get(type(node))
        if visit is None:
            raise self.strange(node, node)
        return visit(node)

    def condition(self, node: ast.expr) -> ast.expr:
        """The code of a node that must hold or not."""
        piece = self.piece(node)
        if piece.kind not in (Kind.BOOLEAN, Kind.ANY):
            raise self.error(node, f"this is a {piece.kind}, where a condition is expected: compare it with something")
        return code.truth(piece)

    def number(self, node: ast.expr) -> Code:
        """The code of a node that must be a number."""
        piece = code.as_kind(self.piece(node), Kind.NUMBER)
        if piece.kind is not Kind.NUMBER:
            raise self.error(node, f"a number is expected here, and this is {a(piece.kind)}")
        return piece

    def error(self, node: ast.expr, text: str, near: str | None = None) -> ExpressionError:
        """What is wrong at a node."""
        return ExpressionError(self.source.column(node), text, near)

    def strange(self, node: ast.expr, what: ast.AST) -> ExpressionError:
        """Something of Python's that is not part of this language, at a node."""
        return self.error(node, f"{name_of(what)} is not part of the language of rules")

    def _constant(self, node: ast.Constant) -> Code:
        value = node.value
        if isinstance(value, bool):
            return Code(node, Kind.BOOLEAN)
        if isinstance(value, int | float):
            if not abs(value) <= MAX_NUMBER:
                raise self.error(node, f"a number is at most {MAX_NUMBER:,}")
            return Code(node, Kind.NUMBER)
        if not isinstance(value, str):
            raise self.error(node, f"{_cut(value)} is neither a number nor a text nor true or false")
        if len(value) > MAX_TEXT:
            raise self.error(node, f"a text has at most {MAX_TEXT} characters")
        return Code(node, Kind.TEXT)

    def _name(self, node: ast.Name) -> Code:
        if (span := self.source.span(node)) is not None:
            raise self.error(node, f"`{span}` can only stand in the brackets of a function")
        if node.id in _TRUTHS:
            return Code(ast.Constant(_TRUTHS[node.id]), Kind.BOOLEAN)
        function = BY_NAME.get(node.id)
        if function is not None and function.parameters is None:
            return self._asked(function, [])
        raise self._misnamed(node, function)

    def _misnamed(self, node: ast.Name, function: Function | None) -> ExpressionError:
        if function is not None:
            return self.error(node, f"`{node.id}` needs brackets: {function.signature}")
        if node.id in DIMENSIONS:
            return self.error(node, f"`{node.id}` is a dimension: ask for top({node.id}), for example")
        if node.id in INSTANTS:
            return self.error(node, f"`{node.id}` is an instant: ask for days_since({node.id}), for example")
        return self.error(node, f"`{node.id}` is not known", nearest(node.id, [*BY_NAME, *_TRUTHS]))

    def _call(self, node: ast.Call) -> Code:
        if not isinstance(node.func, ast.Name):
            self.piece(node.func)
            raise self.error(node, "only a name can stand before brackets")
        function = BY_NAME.get(node.func.id)
        if function is None:
            raise self.error(node, f"there is no function `{node.func.id}`", nearest(node.func.id, BY_NAME))
        if function.parameters is None:
            raise self.error(node, f"`{function.name}` is written without brackets")
        if node.keywords:
            raise self.error(node, f"arguments are written without names: {function.signature}")
        return self._asked(function, self._arguments(node, function))

    def _arguments(self, node: ast.Call, function: Function) -> list[Any]:
        parameters = function.parameters or ()
        given, least = len(node.args), sum(not each.optional for each in parameters)
        if not least <= given <= len(parameters):
            wanted = "at most 1 argument" if least < len(parameters) else _counted(least)
            raise self.error(node, f"`{function.name}` takes {wanted}, not {given}: {function.signature}")
        arguments: list[Any] = []
        for parameter, each in zip(parameters, node.args, strict=False):
            arguments.append(parameter.read(Argument(each, self.source, self.scope, arguments)))
            if parameter is TAG:
                self.tags.add(arguments[-1])
        return arguments

    def _asked(self, function: Function, arguments: list[Any]) -> Code:
        self.reads |= function.reads(arguments)
        passed = (arguments[0] if arguments else "last_order", function.since_ms) if function.since_ms else None
        return Code(function.emit(*arguments), function.kind, function.nullable, passed)

    def _junction(self, node: ast.BoolOp) -> Code:
        return Code(ast.BoolOp(node.op, [self.condition(each) for each in node.values]), Kind.BOOLEAN)

    def _unary(self, node: ast.UnaryOp) -> Code:
        if isinstance(node.op, ast.Not):
            return Code(ast.UnaryOp(ast.Not(), self.condition(node.operand)), Kind.BOOLEAN)
        if isinstance(node.op, ast.USub):
            return self.emit.negative(self.number(node.operand))
        raise self.strange(node, node.op)

    def _binary(self, node: ast.BinOp) -> Code:
        if not isinstance(node.op, _ARITHMETIC):
            raise self.strange(node, node.op)
        return self.emit.arithmetic(node.op, self.number(node.left), self.number(node.right))

    def _choice(self, node: ast.IfExp) -> Code:
        test, body, otherwise = self.condition(node.test), self.piece(node.body), self.piece(node.orelse)
        kind = body.kind if body.kind is otherwise.kind else Kind.ANY
        if kind is Kind.ANY and Kind.ANY not in (body.kind, otherwise.kind):
            raise self.error(node.orelse, f"this is {a(otherwise.kind)}, and before `if` stands {a(body.kind)}")
        return Code(ast.IfExp(test, body.node, otherwise.node), kind, body.nullable or otherwise.nullable)


def _counted(count: int) -> str:
    return f"{count} argument" if count == 1 else f"{count} arguments"


def _cut(value: Any) -> str:
    return "None" if value is None else "..." if value is ... else type(value).__name__
