"""The parameters of functions: what may stand in each place, and how it is read. All arguments are constants."""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from agents.rules.inputs import Input
from agents.rules.kinds import ACTIONS, CHANNELS, INSTANTS
from agents.rules.mistake import ExpressionError, nearest
from agents.rules.scope import Scope
from agents.rules.source import Source
from tables.dimensions import DIMENSIONS
from tables.panes import DAYS_KEPT, HOURS_KEPT

MAX_TEXT: Final = 256
"""Characters of a text; tags hold no more."""
_SPAN: Final = re.compile(r"([0-9]{1,9})([hd])")


class Hours(int):
    """A span of whole hours."""


class Days(int):
    """A span of whole days, today among them."""


class Argument(NamedTuple):
    """What stands in the place of a parameter, and what stood in the places before it."""

    node: ast.expr
    source: Source
    scope: Scope
    before: list[Any]

    def error(self, text: str, near: str | None = None) -> ExpressionError:
        """What is wrong with it."""
        return ExpressionError(self.source.column(self.node), text, near)


Read: TypeAlias = Callable[[Argument], Any]


class Parameter(NamedTuple):
    """A place in a call, by the word that the documentation has for it."""

    label: str
    read: Read
    optional: bool = False
    inputs: Mapping[str, Input] = MappingProxyType({})
    """What some arguments read, beside what the function reads anyway."""


def _span(argument: Argument) -> Hours | Days:
    written = argument.source.span(argument.node)
    if written is None:
        raise argument.error("a span is expected here, such as 30d or 12h")
    match = _SPAN.fullmatch(written)
    if match is None or not int(match[1]):
        raise argument.error(f"`{written}` is not a span: write whole hours or days, such as 12h or 30d")
    count, unit = int(match[1]), match[2]
    kept = HOURS_KEPT if unit == "h" else DAYS_KEPT
    if count > kept:
        longer = f", or whole days up to {DAYS_KEPT}d" if unit == "h" else ""
        raise argument.error(f"`{written}` is longer than what is kept: write at most {kept}{unit}{longer}")
    return Hours(count) if unit == "h" else Days(count)


def _days(argument: Argument) -> Days:
    span = _span(argument)
    if isinstance(span, Hours):
        raise argument.error("whole days are expected here, such as 30d")
    return span


def _name(names: Iterable[str], what: str) -> Read:
    """One of a few names, without quotation marks."""
    known = list(names)

    def read(argument: Argument) -> str:
        node = argument.node
        if not isinstance(node, ast.Name) or argument.source.span(node):
            raise argument.error(f"{what} is expected here: {', '.join(known)}")
        if node.id not in known:
            raise argument.error(f"`{node.id}` is not {what}: {', '.join(known)}", nearest(node.id, known))
        return node.id

    return read


def _text(argument: Argument) -> str:
    node = argument.node
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise argument.error('a text in quotation marks is expected here, such as "north"')
    if len(node.value) > MAX_TEXT:
        raise argument.error(f"a text has at most {MAX_TEXT} characters")
    return node.value


def _word(names: Iterable[str], what: str) -> Read:
    """One of a few texts."""
    known = list(names)

    def read(argument: Argument) -> str:
        word = _text(argument)
        if word not in known:
            raise argument.error(f'"{word}" is not {what}: {", ".join(known)}', nearest(word, known))
        return word

    return read


def _tag(argument: Argument) -> str:
    name = _text(argument)
    if name not in argument.scope.tags:
        near = nearest(name, argument.scope.tags)
        raise argument.error(f'no rule gives a tag "{name}", and `manual` does not list it', near)
    return name


def _compared(argument: Argument) -> str:
    """A dimension of which the shares in the population are known."""
    name: str = DIMENSION.read(argument)
    if name not in argument.scope.population:
        raise argument.error(f"the shares of the population are not known: write a table [population.{name}]")
    return name


def _compared_value(argument: Argument) -> str:
    value = _text(argument)
    dimension = argument.before[0]
    known = argument.scope.population[dimension]
    if value not in known:
        raise argument.error(f'[population.{dimension}] has no share of "{value}"', nearest(value, known))
    return value


_TIME_ZONE: Final = {"hour": Input.PROFILE}

SPAN: Final = Parameter("span", _span, optional=True)
DAYS: Final = Parameter("days", _days)
INSTANT: Final = Parameter("instant", _name(INSTANTS, "an instant"), inputs=INSTANTS)
DIMENSION: Final = Parameter("dimension", _name(DIMENSIONS, "a dimension"), inputs=_TIME_ZONE)
ORDERS: Final = Parameter("orders", _name(["orders"], "a series"))
VALUE: Final = Parameter("value", _text)
NAME: Final = Parameter("name", _text)
ACTION: Final = Parameter("action", _word(ACTIONS, "an action"))
CHANNEL: Final = Parameter("channel", _word(CHANNELS, "a channel"))
TAG: Final = Parameter("tag", _tag)
COMPARED: Final = Parameter("dimension", _compared, inputs=_TIME_ZONE)
COMPARED_VALUE: Final = Parameter("value", _compared_value)
