"""What a query in PromQL asks for: its selectors, and the labels that it groups and joins by.

No whole grammar: it takes a query apart into words, knows the functions that we use, and refuses everything else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""
    \s+
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<range>\[(?:\d+[smhdw]|\$__rate_interval)\])
    | (?P<number>\d+(?:\.\d+)?[smhdw]?)
    | (?P<word>[a-zA-Z_:][\w:]*)
    | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^><=(){},])
    """,
    re.VERBOSE,
)
_AGGREGATIONS: Final = {"sum", "max", "min", "count", "topk"}
_FUNCTIONS: Final = {"rate": "range", "increase": "range", "changes": "range", "histogram_quantile": "word"}
_GROUPING: Final = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_BETWEEN: Final = {"and", "or", "unless", "offset", "bool"}
_OPENING: Final = {"(": ")", "{": "}"}


class Selector(NamedTuple):
    """A metric, and what its labels have to be: (label, operator, value)."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    range: str

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a series is one that it asks for."""
        return name == self.metric and all(_holds(labels.get(label, ""), *rest) for label, *rest in self.matchers)


class Query(NamedTuple):
    """The selectors of a query, and the labels by which it groups or joins, in their order."""

    selectors: list[Selector]
    labels: list[str]


class PromQLError(ValueError):
    """A query that cannot be understood."""


def read(query: str) -> Query:
    """Take a query apart. Raises PromQLError."""
    tokens = _Tokens(query)
    found = Query([], [])
    open_signs: list[str] = []
    while (token := tokens.next()) is not None:
        kind, text = token
        if kind == "word":
            _word(text, tokens, found)
        elif text in _OPENING:
            open_signs.append(_OPENING[text])
        elif text in _OPENING.values() and (not open_signs or open_signs.pop() != text):
            raise PromQLError(f"{text} closes nothing in {query}")
        elif kind in {"text", "range"} or text == "{":
            raise PromQLError(f"{text} belongs to nothing in {query}")
    if open_signs or not found.selectors:
        raise PromQLError(f"no whole query: {query}")
    return found


def _word(word: str, tokens: "_Tokens", found: Query) -> None:
    if word in _GROUPING:
        found.labels.extend(_names(tokens))
    elif word in _AGGREGATIONS or word in _FUNCTIONS:
        if tokens.peek() not in {"(", "by", "without"}:
            raise PromQLError(f"{word} of nothing")
        tokens.needs_range = _FUNCTIONS.get(word) == "range"
    elif word not in _BETWEEN:
        found.selectors.append(_selector(word, tokens))


def _selector(metric: str, tokens: "_Tokens") -> Selector:
    if tokens.peek() == "(":
        raise PromQLError(f"no function that we know: {metric}")
    matchers = tuple(_matchers(tokens)) if tokens.peek() == "{" else ()
    span = tokens.take("range") if tokens.peek().startswith("[") else ""
    if tokens.needs_range != bool(span):
        raise PromQLError(f"{metric} has a range, or none, where it should not")
    tokens.needs_range = False
    return Selector(metric, matchers, span)


def _matchers(tokens: "_Tokens") -> Iterator[tuple[str, str, str]]:
    tokens.take("sign", "{")
    while True:
        label, operator = tokens.take("word"), tokens.take("sign")
        if operator not in {"=", "!=", "=~", "!~"}:
            raise PromQLError(f"{operator} compares no label")
        yield label, operator, tokens.take("text")[1:-1]
        if tokens.take("sign") == "}":
            return


def _names(tokens: "_Tokens") -> Iterator[str]:
    tokens.take("sign", "(")
    while tokens.peek() != ")":
        yield tokens.take("word")
        if tokens.peek() == ",":
            tokens.take("sign")
    tokens.take("sign", ")")


def _holds(value: str, operator: str, wanted: str) -> bool:
    if operator in {"=", "!="}:
        return (value == wanted) == (operator == "=")
    return (re.fullmatch(wanted, value) is not None) == (operator == "=~")


class _Tokens:
    """The words of a query, one after the other. `needs_range`: the next selector is for a function of a range."""

    def __init__(self, query: str) -> None:
        self._found: list[tuple[str, str]] = []
        self.needs_range = False
        at = 0
        while at < len(query):
            match = _TOKEN.match(query, at)
            if match is None:
                raise PromQLError(f"{query[at:]!r} is nothing")
            if match.lastgroup is not None:
                self._found.append((match.lastgroup, match[0]))
            at = match.end()
        self._found.reverse()

    def next(self) -> tuple[str, str] | None:
        """The next one, with its kind; None at the end."""
        return self._found.pop() if self._found else None

    def peek(self) -> str:
        """The next one; nothing at the end."""
        return self._found[-1][1] if self._found else ""

    def take(self, kind: str, text: str | None = None) -> str:
        """The next one, which has to be of a kind."""
        token = self.next()
        if token is None or token[0] != kind or text not in {None, token[1]}:
            raise PromQLError(f"{text or kind} should stand where {token and token[1]} does")
        return token[1]
