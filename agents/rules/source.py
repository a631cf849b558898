"""The text of an expression as Python's own parser can read it: spans such as `30d` are names to it, of the same width.

Nothing is evaluated here. The nodes that come out are looked at one by one (see `compiler`), and never run.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from agents.rules.mistake import ExpressionError

MAX_LENGTH: Final = 2_000
MAX_NODES: Final = 400
MAX_DEPTH: Final = 30

_TOKEN: Final = re.compile(
    r"""(?P<text>"[^"]*"|'[^']*')|(?P<comment>\#[^\n]*)|(?P<digits>(?<!\w)[0-9][\w.]*)|(?P<word>\w+)"""
    r"""|(?P<sign>[=!<>:]=|&&|\|\||<>|=|!)|(?P<blank>\s)""",
    re.VERBOSE,
)
_NUMBER: Final = re.compile(r"[0-9][0-9_]*(\.[0-9]*)?([eE][0-9]*)?")
_INSTEAD: Final = {
    "=": "==",
    "<>": "!=",
    "&&": "and",
    "||": "or",
    "!": "not",
    **{word.upper(): word for word in ("and", "or", "not", "in", "if", "else")},
}
"""What other languages write, and what it is here."""


class Source(NamedTuple):
    """An expression that Python's parser took."""

    line: str
    """What the parser saw: one line, as wide as the text."""
    indent: int
    tree: ast.expr
    spans: dict[int, str]
    """Spans by their column."""

    def column(self, node: ast.expr) -> int:
        """Where a node begins, in characters from 0; the parser counts bytes."""
        return self.indent + len(self.line.encode()[: node.col_offset].decode())

    def span(self, node: ast.expr) -> str | None:
        """The span that was written here."""
        return self.spans.get(self.column(node)) if isinstance(node, ast.Name) else None


def parse(text: str) -> Source:
    """Read an expression, whatever its text.

    Raises ExpressionError.

    >>> source = parse("orders(30d) >= 3")
    >>> source.line, source.spans
    ('orders(_0d) >= 3', {7: '30d'})
    """
    _check_text(text)
    spans: dict[int, str] = {}
    whole = "".join(_readable(text, spans))
    line = whole.lstrip()
    if not line.rstrip():
        raise ExpressionError(0, "there is no expression")
    indent = len(whole) - len(line)
    source = Source(line, indent, _tree(line, indent), spans)
    _check_size(source)
    return source


def _check_text(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            MAX_LENGTH, f"an expression has at most {MAX_LENGTH:,} characters, this one {len(text):,}"
        )
    for column, letter in enumerate(text):
        if letter == "\\" or not (letter.isprintable() or letter.isspace()):
            raise ExpressionError(column, f"the character {letter!a} cannot stand in an expression")
    for quotes in ('"""', "'" * 3):
        if quotes in text:
            raise ExpressionError(text.index(quotes), "a text has one quotation mark at each end")


def _readable(text: str, spans: dict[int, str]) -> Iterator[str]:
    """The pieces of the text, each as wide as it was: spans as names, comments and ends of lines as blanks."""
    end = 0
    for token in _TOKEN.finditer(text):
        column, piece = token.start(), token[0]
        yield text[end:column]
        if piece in _INSTEAD:
            raise ExpressionError(column, f"`{piece}` is not part of the language", _INSTEAD[piece])
        if token["digits"] and not _NUMBER.fullmatch(piece):
            spans[column] = piece
            piece = f"_{piece[1:].replace('.', '_')}"
        elif token["comment"] or token["blank"]:
            piece = " " * len(piece)
        yield piece
        end = token.end()
    yield text[end:]


def _tree(line: str, indent: int) -> ast.expr:
    try:
        return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        why = (error.msg or "invalid syntax").partition(" (detected")[0].partition(". ")[0]
        column = indent + max((error.offset or 1) - 1, 0)
        raise ExpressionError(column, f"this cannot be read as an expression: {why}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError(indent, "this cannot be read as an expression: it is nested too deeply") from None


def _check_size(source: Source) -> None:
    """Refuse what is too large before anything walks through it by recursion."""
    level: list[ast.AST] = [source.tree]
    nodes = depth = 0
    while level:
        nodes, depth = nodes + len(level), depth + 1
        if nodes > MAX_NODES:
            raise ExpressionError(source.indent, f"an expression has at most {MAX_NODES} parts")
        if depth > MAX_DEPTH:
            deep = next((node for node in level if isinstance(node, ast.expr)), source.tree)
            raise ExpressionError(source.column(deep), f"an expression is at most {MAX_DEPTH} levels deep")
        level = [child for node in level for child in ast.iter_child_nodes(node)]
