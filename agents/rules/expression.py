"""Expressions: a small, safe subset of Python's, compiled once into a function of a view.

What the author wrote is never run: Python's parser reads it, every node is checked, and code is made anew from what was
understood. That code can only call methods of the view and a few helpers.
"""

import ast
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeAlias

from agents.rules.code import Code
from agents.rules.compiler import Compiler
from agents.rules.helpers import HELPERS
from agents.rules.inputs import Input
from agents.rules.kinds import Kind
from agents.rules.scope import Scope
from agents.rules.source import parse

Compiled: TypeAlias = Callable[..., Any]


class Expression(NamedTuple):
    """An expression that was understood: its code, and what it reads."""

    code: Code
    reads: Input
    tags: frozenset[str]


def value(text: str, scope: Scope) -> Expression:
    """An expression of any kind. Raises ExpressionError."""
    return _understood(text, scope, Compiler.piece)


def condition(text: str, scope: Scope) -> Expression:
    """An expression that holds or not. Raises ExpressionError."""
    return _understood(text, scope, lambda compiler, tree: Code(compiler.condition(tree), Kind.BOOLEAN))


def number(text: str, scope: Scope) -> Expression:
    """An expression that is a number. Raises ExpressionError."""
    return _understood(text, scope, Compiler.number)


def _understood(text: str, scope: Scope, compile_: Callable[[Compiler, ast.expr], Code]) -> Expression:
    source = parse(text)
    compiler = Compiler(source, scope)
    made = compile_(compiler, source.tree)
    return Expression(made, compiler.reads, frozenset(compiler.tags))


def function(body: ast.expr, name: str, scope: Scope, parameters: tuple[str, ...] = ("v",), **more: Any) -> Compiled:
    """A function with that body, which sees its parameters, the helpers, the population, and what else is given.

    >>> function(value("1 + 2 * 3", Scope()).code.node, "sum", Scope())(None)
    7
    """
    arguments = ast.arguments([], [ast.arg(each) for each in parameters], None, [], [], None, [])
    tree = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, body)))
    compiled = compile(tree, "<rule>", "eval")
    inner = next(each for each in compiled.co_consts if isinstance(each, CodeType))
    return FunctionType(inner, {"__builtins__": {}, "population": scope.population, **HELPERS, **more}, name)


def compiled(text: str, scope: Scope) -> Compiled:
    """The function of a view that an expression of any kind stands for. Raises ExpressionError.

    >>> compiled("2 > 1 and not false", Scope())(None)
    True
    """
    return function(value(text, scope).code.node, "expression", scope)
