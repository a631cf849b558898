"""Where the keys and values of a TOML document stand: found again in whatever tomllib reads."""

import tomllib
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.rules.mistake import KeyPath
from app.toml_places import Places
from app.toml_strings import string_at
from tests.fuzz.mutate import mutated
from tests.fuzz.rules import RULES_FILE

DOCUMENT: Final = """# all sorts of it
title = "a \\"quoted\\" = [b]"  # not a key = 1
a.b . "c d" = 'it'
list = [ 1, [2, 3], # two
  "x, y", { k = [4,], "l" = 5 } , ]
date = 1979-05-27 07:32:00
empty = [ ]
[table]
x = '''
raw ''quotes'' \\n'''
y = \"\"\"\\
   folded \\
   "text" \\u00e9 \"\"\"\"\"
[table.sub.deep]
z = { }
[[tag]]
name = "first"
[[tag.values]]
when = 'one'
[[tag.values]]
when = 'two'
[tag.kind]
origin = true
[[tag]]
name="second"
"""


def at(path: KeyPath, document: str = DOCUMENT) -> tuple[str, str]:
    """What stands at the key and at the value of a path: up to the end of the line."""
    place = Places(document).by_path[path]
    return document[place.key :].partition("\n")[0], document[place.value :].partition("\n")[0]


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("title",), "title =", '"a \\"quoted'),
        (("a", "b", "c d"), "a.b .", "'it'"),
        (("list",), "list =", "[ 1"),
        (("list", 0), "1, [2", "1, [2"),
        (("list", 1, 1), "3]", "3]"),
        (("list", 2), '"x, y"', '"x, y"'),
        (("list", 3, "k"), "k = [4", "[4,]"),
        (("list", 3, "k", 0), "4,]", "4,]"),
        (("list", 3, "l"), '"l" = 5', "5 }"),
        (("date",), "date", "1979"),
        (("table",), "[table]", "[table]"),
        (("table", "x"), "x =", "'''"),
        (("table", "y"), "y =", '"""\\'),
        (("table", "sub"), "[table.sub.deep]", "[table.sub.deep]"),
        (("table", "sub", "deep", "z"), "z =", "{ }"),
        (("tag",), "[[tag]]", "[[tag]]"),
        (("tag", 0, "values", 1, "when"), "when", "'two'"),
        (("tag", 0, "kind", "origin"), "origin", "true"),
        (("tag", 1, "name"), "name=", '"second"'),
    ],
)
def test_keys_and_values_are_found(path: KeyPath, key: str, value: str) -> None:
    found = at(path)
    assert found[0].startswith(key)
    assert found[1].startswith(value)


def test_what_is_not_there_stands_where_its_table_does() -> None:
    places = Places(DOCUMENT)
    assert places.place(("tag", 1, "ttl", "x")) == places.by_path["tag", 1]
    assert places.place(("nothing",)).key == 0


def leaves(value: Any, path: KeyPath = ()) -> dict[KeyPath, Any]:
    """Every value that is no table and no list, by its path."""
    if isinstance(value, dict):
        parts: Any = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        return {path: value}
    return {each: leaf for key, inner in parts for each, leaf in leaves(inner, (*path, key)).items()}


def check_places(document: str) -> None:
    """At each place stands the value that tomllib has found, and each letter of a string where it should."""
    places = Places(document)
    for path, value in leaves(tomllib.loads(document)).items():
        start = places.by_path[path].value
        if isinstance(value, str):
            text, offsets = string_at(document, start)
            assert text == value
            assert len(offsets) == len(value) + 1
            assert all(document[place] in {letter, "\\"} for letter, place in zip(value, offsets, strict=False))
        else:
            rest = document[start:].partition("\n")[0]
            ends = range(1, len(rest) + 1)
            assert any(_means(rest[:end], value) for end in ends), (path, rest)


def _means(written: str, value: Any) -> bool:
    try:
        return repr(tomllib.loads(f"x = {written}")["x"]) == repr(value)
    except ValueError:
        return False


def test_what_tomllib_reads_is_found_again() -> None:
    check_places(DOCUMENT)
    check_places(RULES_FILE.decode())


@settings(max_examples=150, deadline=None)
@given(mutated(DOCUMENT.encode(), RULES_FILE) | mutated(b'a = ["""x""", {b.c = 1}]\n[[d.e]]\nf = "\\U0001F600\\t"\n'))
def test_so_it_is_in_damaged_documents_that_can_still_be_read(content: bytes) -> None:
    try:
        document = content.decode().replace("\r\n", "\n")
        tomllib.loads(document)
    except (ValueError, RecursionError):
        return
    check_places(document)


_strings = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)


@settings(max_examples=100, deadline=None)
@given(_strings)
def test_each_letter_of_a_string_is_found_however_it_is_written(value: str) -> None:
    escaped = "".join(f"\\U{ord(each):08x}" for each in value)
    for written in [f'"{escaped}"', f'"""\n{escaped}"""', f'"""{escaped}\\\n   """']:
        text, offsets = string_at(f"k = {written}", 4)
        assert text == value
        assert len(offsets) == len(value) + 1
