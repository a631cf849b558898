"""docs/rules.md: its tables are those of the code, and its examples can be used."""

import re
from pathlib import Path
from typing import Final

import pytest

from agents.rules.expression import condition
from agents.rules.functions import FUNCTIONS
from agents.rules.mistake import ExpressionError
from agents.rules.scope import Scope
from app.rules_docs import tables
from app.rules_file import RulesFileError, builtin_rules, read_rules
from app.tables_in_docs import with_tables

PAGE: Final = Path(__file__).parents[1] / "docs" / "rules.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")
EXAMPLES: Final = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_the_tables_are_those_of_the_code() -> None:
    assert with_tables(TEXT, tables()) == TEXT, "run `python -m app.rules_docs docs/rules.md`"


def test_every_function_and_every_built_in_tag_is_there() -> None:
    assert all(f"| `{function.signature}` |" in TEXT for function in FUNCTIONS)
    assert all(f"| `{tag.name}` |" in TEXT for tag in builtin_rules().tag)


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for functions"):
        with_tables("no markers", tables())


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_can_be_used(example: str) -> None:
    assert read_rules(example.encode()).rules


def test_there_is_an_example_of_each_form() -> None:
    assert all(
        re.search(rf"^{form} = ", "".join(EXAMPLES), re.MULTILINE)
        for form in ("when", "value", "values", "score", "prefer")
    )


def test_the_examples_of_expressions_are_right() -> None:
    (block,) = re.findall(r"## Expressions\n\n```\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()[:3]:
        condition(line, Scope())
    with pytest.raises(ExpressionError):
        condition(block.splitlines()[3], Scope())


def test_the_mistake_that_is_shown_is_the_one_that_is_told() -> None:
    first = EXAMPLES[0].replace("orders(30d)", "ordres(30d)")
    with pytest.raises(RulesFileError) as caught:
        read_rules(first.encode())
    (problem,) = caught.value.problems
    assert f"rules.toml:{problem.line}:{problem.column}: {problem}\n" in TEXT
