"""Suggestions as a file of rules."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.changes import TagName
from schemas.events import Scalar
from tables.dimensions import Dimension


class Choice(NamedTuple):
    """A value, when it holds, and of which share of the users it does."""

    value: Scalar
    when: str
    share: float


class Suggestion(NamedTuple):
    """A rule with the first value that holds; `rest`: the share of users that have the value of `otherwise`."""

    name: TagName
    version: int
    doc: str
    only: str
    choices: Sequence[Choice]
    otherwise: Scalar
    rest: float


def document(
    heading: Iterable[str], population: Mapping[Dimension, Mapping[str, float]], rules: Iterable[Suggestion]
) -> str:
    """The whole file: what it is from as comments, the shares of the population, the rules."""
    lines = [*(f"# {line}" for line in heading), "version = 1"]
    for dimension, shares in population.items():
        lines += [
            "",
            f"[population.{dimension}]",
            *(f"{quoted(value)} = {share:.4f}" for value, share in shares.items()),
        ]
    for rule in rules:
        lines += ["", *_rule(rule)]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    r"""A text in quotation marks, as TOML has it: no character in it can end it.

    >>> print(quoted('say "hi"\n'))
    "say \"hi\"\n"
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _rule(rule: Suggestion) -> Iterator[str]:
    yield "[[tag]]"
    yield f"name = {quoted(rule.name)}"
    yield f"doc = {quoted(rule.doc)}"
    yield 'kind = ["implicit", "dynamic", "fact"]'
    yield f"version = {rule.version}"
    yield f"only = {quoted(rule.only)}"
    yield "values = ["
    for each in rule.choices:
        choice = f"{{ value = {_literal(each.value)}, when = {quoted(each.when)} }}"
        yield f"  {choice},  # {_percent(each.share)}"
    yield "]"
    yield f"else = {_literal(rule.otherwise)}  # {_percent(rule.rest)}"


def _literal(value: Scalar) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _percent(share: float) -> str:
    return f"{share:.1%} of them"
