"""What Python has and the language of rules has not, as people write it."""

import ast
from typing import Final

_STRANGE: Final[dict[type[ast.AST], str]] = {
    ast.Attribute: "a dot after a name", ast.Subscript: "[...] after a name", ast.Lambda: "lambda",
    ast.ListComp: "for", ast.SetComp: "for", ast.DictComp: "for", ast.GeneratorExp: "for",
    ast.JoinedStr: "a text with f before it", ast.NamedExpr: ":=", ast.Starred: "*", ast.Await: "await",
    ast.Dict: "{...}", ast.Set: "{...}", ast.List: "a list, but after `in`,", ast.Tuple: "a list, but after `in`,",
    ast.Yield: "yield", ast.YieldFrom: "yield",
    ast.Pow: "**", ast.MatMult: "@", ast.BitAnd: "& (write `and`)", ast.BitOr: "| (write `or`)", ast.BitXor: "^",
    ast.LShift: "<<", ast.RShift: ">>", ast.Invert: "~", ast.UAdd: "+ before a value",
    ast.Is: "is (write `==`)", ast.IsNot: "is not (write `!=`)",
}  # fmt: skip


def name_of(what: ast.AST) -> str:
    """How people write a construct or an operator.

    >>> name_of(ast.Pow()), name_of(ast.Lambda())
    ('**', 'lambda')
    """
    return _STRANGE.get(type(what), type(what).__name__)
