"""The text of an expression: what the parser sees, and what it never gets to see."""

import pytest

from agents.rules.mistake import ExpressionError
from agents.rules.source import MAX_DEPTH, MAX_LENGTH, MAX_NODES, parse


def refusal(text: str) -> tuple[int, str, str | None]:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert "\n" not in caught.value.text
    return caught.value.column, caught.value.text, caught.value.near


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("orders(30d) >= 3", "orders(_0d) >= 3"),
        ('"30d" == top(category)', '"30d" == top(category)'),
        ("'30d'", "'30d'"),
        ("1e5 + 1_000 + 2.5e-3 + .5", "1e5 + 1_000 + 2.5e-3 + .5"),
        ("a\n  or b", "a   or b"),
        ("a # why: 30d\n or b", "a             or b"),
        ('"# no comment"', '"# no comment"'),
        ("orders(1.5d)", "orders(__5d)"),
    ],
)
def test_the_parser_sees_one_line_of_the_same_width(text: str, line: str) -> None:
    assert parse(text).line == line


def test_spans_are_known_by_their_columns() -> None:
    assert parse("  orders(30d) > carts(12h)").spans == {9: "30d", 22: "12h"}


def test_columns_count_characters_whatever_the_letters() -> None:
    source = parse('  top(brand) == "\N{LATIN SMALL LETTER E WITH ACUTE}\N{GRINNING FACE}" or recency')
    assert source.column(source.tree.values[1]) == 24  # type: ignore[attr-defined]  # it is an `or`


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [
        ("", 0, "there is no expression"),
        ("  # nothing", 0, "there is no expression"),
        ("(1 + 2", 0, "this cannot be read as an expression: '(' was never closed"),
        (" 1 2", 3, "this cannot be read as an expression: invalid syntax"),
        ('top(brand) == "x', 14, "this cannot be read as an expression: unterminated string literal"),
        ("top(brand) == '''x'''", 14, "a text has one quotation mark at each end"),
        ('"a\\n"', 2, "the character '\\\\' cannot stand in an expression"),
        ("1 +\0 2", 3, "the character '\\x00' cannot stand in an expression"),
        ("1 + \ud800", 4, "the character '\\ud800' cannot stand in an expression"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_column(text: str, column: int, why: str) -> None:
    assert refusal(text) == (column, why, None)


@pytest.mark.parametrize(
    ("text", "column", "word", "near"),
    [
        ("spend() = 3", 8, "=", "=="),
        ("a && b", 2, "&&", "and"),
        ("a || b", 2, "||", "or"),
        ("a <> b", 2, "<>", "!="),
        ("!a", 0, "!", "not"),
        ("a AND b", 2, "AND", "and"),
        ("NOT a", 0, "NOT", "not"),
    ],
)
def test_what_other_languages_write_is_told_in_this_one(text: str, column: int, word: str, near: str) -> None:
    assert refusal(text) == (column, f"`{word}` is not part of the language", near)


def test_a_long_expression_is_refused() -> None:
    text = "1" + " + 1" * MAX_LENGTH
    assert refusal(text) == (MAX_LENGTH, "an expression has at most 2,000 characters, this one 8,001", None)


@pytest.mark.parametrize("text", ["-" * 200 + "1", "+".join("1" * 200), "not " * 200 + "a", "f(" * 150 + ")" * 150])
def test_a_deep_expression_is_refused(text: str) -> None:
    assert refusal(text)[1] == f"an expression is at most {MAX_DEPTH} levels deep"


@pytest.mark.parametrize("text", ["(" * 900 + ")" * 900, "[" * 1900, "-" * 1999])
def test_brackets_without_end_are_refused(text: str) -> None:
    assert refusal(text)[0] < len(text)


def test_an_expression_of_many_parts_is_refused() -> None:
    assert refusal("a in [" + "1," * 500 + "]")[1] == f"an expression has at most {MAX_NODES} parts"
