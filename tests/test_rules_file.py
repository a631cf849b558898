"""Files of rules: twenty kinds of mistakes and more, each told with its line, its column and what to do."""

from pathlib import Path
from typing import Final

import pytest

from agents.rules.inputs import Input
from app.rules_file import MAX_BYTES, Problem, RulesFileError, builtin_rules, load_rules, read_rules
from tests.fuzz.rules import RULES_FILE

NAME: Final = (
    "`name` must be a name of 1 to 64 characters with neither a slash nor a space"
    " (lifecycle and lifecycle.purchase are taken)"
)
DIMENSION: Final = "is not a dimension: category, brand, channel, price_band, hour"
VALUE: Final = "must be a text of at most 256 characters, a number, true or false"
SPAN: Final = 'must be a length of time, such as "90d" or "12h"'
NO_SPAN: Final = "is not a span: write whole hours or days, such as 12h or 30d"
NARROW: Final = "must be less than the narrowest band, which is 0.4 wide"
TOML: Final = "this is not valid TOML"
BANDS: Final = '{value = "low", below = 0.3}, {value = "mid", below = 0.7}, {value = "high"}'


def problems(content: str | bytes) -> list[Problem]:
    with pytest.raises(RulesFileError) as caught:
        read_rules(content.encode() if isinstance(content, str) else content)
    for problem in caught.value.problems:
        assert "\n" not in str(problem)
    return caught.value.problems


def tag(*lines: str) -> str:
    """A file with one tag, whose keys begin in line 3."""
    return "\n".join(["[[tag]]", 'name = "a"', *lines, ""])


def when(expression: str) -> str:
    return tag(f"when = '{expression}'")


MISTAKES: Final[dict[str, tuple[str | bytes, int, int, str, str | None]]] = {
    "TOML syntax": ("version = 1\n[[tag]\n", 2, 6, f"{TOML}: expected ']]' at the end of an array declaration", None),
    "an end too early": ('a = """\nx', 2, 2, f"{TOML}: unterminated string", None),
    "TOML nested too deeply": ("a = " + "[" * 3000, 1, 1, f"{TOML}: nested too deeply", None),
    "not UTF-8": (b"version = 1\n# caf\xe9\n", 2, 6, "the byte 0xe9 is not UTF-8: save the file as UTF-8", None),
    "an unknown table": ("[weather]\nx = 1\n", 1, 1, "there is no table 'weather' here", None),
    "a misspelt table": ("[[tags]]\nx = 1\n", 1, 1, "there is no table 'tags' here", "tag"),
    "an unknown key": (tag('when = "true"', 'tll = "1d"'), 4, 1, "there is no key 'tll' here", "ttl"),
    "an unknown key of a value": (
        tag('values = [{value = 1, whn = "true", when = "true"}]'),
        3,
        23,
        "there is no key 'whn' here",
        "when",
    ),
    "a wrong type": (tag("when = 5"), 3, 8, "`when` must be an expression, in quotation marks, not 5", None),
    "a wrong type of a table": ("tag = 5\n", 1, 7, "`tag` must be at most 1,000 tables [[tag]], not 5", None),
    "a wrong word": (
        tag('when = "true"', 'kind = ["implicit", "dynamc"]'),
        4,
        21,
        "`kind` must be one of static, dynamic, not 'dynamc'",
        "dynamic",
    ),
    "a missing name": ('version = 2\n[[tag]]\nwhen = "true"\n', 2, 1, "`name` is missing here", None),
    "a missing part of a value": (tag("values = [{value = 1}]"), 3, 11, "`when` is missing here", None),
    "a bad name": ('[[tag]]\nname = "a b"\nwhen = "true"\n', 2, 8, f"{NAME}, not 'a b'", None),
    "a name that is taken": ('[[tag]]\nname = "lifecycle"\nwhen = "true"\n', 2, 8, f"{NAME}, not 'lifecycle'", None),
    "the other name that is taken": (
        '[[tag]]\nname = "lifecycle.purchase"\nwhen = "true"\n',
        2,
        8,
        f"{NAME}, not 'lifecycle.purchase'",
        None,
    ),
    "a name twice": (
        tag('when = "true"') + tag('when = "true"'),
        5,
        8,
        "there is a tag 'a' already in this file",
        None,
    ),
    "an unknown function": (when("ordres(30d) > 3"), 3, 9, "there is no function `ordres`", "orders"),
    "an unknown dimension": (when('top(categry) == "x"'), 3, 13, f"`categry` {DIMENSION}", "category"),
    "an unknown name": (when("true and reccency > 3"), 3, 18, "`reccency` is not known", "recency"),
    "a wrong number of arguments": (
        when("share(category) > 0"),
        3,
        9,
        "`share` takes 2 arguments, not 1: share(dimension, value)",
        None,
    ),
    "a wrong argument": (when("orders(category) > 0"), 3, 16, "a span is expected here, such as 30d or 12h", None),
    "a span too long": (when("orders(90d) > 0"), 3, 16, "`90d` is longer than what is kept: write at most 60d", None),
    "a span of minutes": (when("orders(90m) > 0"), 3, 16, f"`90m` {NO_SPAN}", None),
    "a span of nothing": (when("orders(30x) > 0"), 3, 16, f"`30x` {NO_SPAN}", None),
    "a text compared with a number": (when('spend() > "x"'), 3, 19, "a number cannot be compared with a text", None),
    "an attribute": (when("recency.real > 3"), 3, 9, "a dot after a name is not part of the language of rules", None),
    "a lambda": (when("(lambda: 1)() > 3"), 3, 10, "lambda is not part of the language of rules", None),
    "a comprehension": (when("[x for x in y]"), 3, 9, "for is not part of the language of rules", None),
    "an f-string": (when('f"{x}" == "y"'), 3, 9, "a text with f before it is not part of the language of rules", None),
    "a subscript": (when("recency[0] > 1"), 3, 9, "[...] after a name is not part of the language of rules", None),
    "a walrus": (when("(x := 1) > 1"), 3, 10, ":= is not part of the language of rules", None),
    "an import": (when('__import__("os")'), 3, 9, "there is no function `__import__`", None),
    "two forms": (
        tag('when = "true"', 'value = "1"'),
        4,
        1,
        "`when` and `value` exclude each other: a tag has one form",
        None,
    ),
    "no form": (tag('doc = "x"'), 1, 1, "a tag needs one of when, value, values, score, prefer", None),
    "bands not ascending": (
        tag('score = "1"', "bands = [{value = 1, below = 2}, {value = 2, below = 1.5}, {value = 3}]"),
        4,
        54,
        "bands ascend, and 1.5 is not above 2",
        None,
    ),
    "a last band with below": (
        tag('score = "1"', "bands = [{value = 1, below = 2}, {value = 2, below = 3}]"),
        4,
        46,
        "the last band has no `below`: it takes all the rest",
        None,
    ),
    "a negative hysteresis": (
        tag('score = "1"', f"bands = [{BANDS}]", "hysteresis = -0.1"),
        5,
        14,
        "`hysteresis` must be a number from 0, not -0.1",
        None,
    ),
    "a hysteresis wider than a band": (
        tag('score = "1"', f"bands = [{BANDS}]", "hysteresis = 0.5"),
        5,
        14,
        f"`hysteresis` {NARROW}",
        None,
    ),
    "an unknown tag": (
        when('tag("tir") == "vip"'),
        3,
        13,
        'no rule gives a tag "tir", and `manual` does not list it',
        "tier",
    ),
    "tags in a circle": (
        '[[tag]]\nname = "b"\nwhen = \'tag("a")\'\n' + when('tag("b")'),
        2,
        8,
        "tags read each other in a circle: b reads a reads b",
        None,
    ),
    "an expression too long": (
        when("1" + " + 1" * 600),
        3,
        2009,
        "an expression has at most 2,000 characters, this one 2,401",
        None,
    ),
    "an expression too deep": (when("1" + " + 1" * 40), 3, 9, "an expression is at most 30 levels deep", None),
    "a share of more than all": (
        "[population.channel]\napp = 1.5\n",
        2,
        7,
        "`app` must be a share from 0 to 1, not 1.5",
        None,
    ),
    "a share that is no number": (
        "[population.channel]\napp = nan\n",
        2,
        7,
        "`app` must be a share from 0 to 1, not nan",
        None,
    ),
    "an unknown dimension of the population": (
        "[population.chanel]\napp = 0.5\n",
        1,
        1,
        "there is no table 'chanel' here",
        "channel",
    ),
    "a bad ttl": (tag('when = "true"', 'ttl = "soon"'), 4, 7, f"`ttl` {SPAN}, not 'soon'", None),
    "a ttl of nothing": (tag('when = "true"', 'ttl = "0d"'), 4, 7, f"`ttl` {SPAN}, not '0d'", None),
    "a priority without a group": (
        tag('when = "true"', "priority = 3"),
        4,
        1,
        "`priority` means nothing without `group`",
        None,
    ),
    "an infinite value": (tag('when = "true"', "else = inf"), 4, 8, f"`else` {VALUE}, not inf", None),
    "nothing for an expression": (tag('values = [{value = 1, when = ""}]'), 3, 31, "there is no expression", None),
    "a date for a value": (tag('when = "true"', "else = 2026-01-01"), 4, 8, f"`else` {VALUE}, not 2026-01-01", None),
    "a number without end": ("version = " + "9" * 5000, 1, 1, f"{TOML}: a number has too many digits", None),
    "a huge number": (
        "version = 0x" + "f" * 5000,
        1,
        11,
        "`version` must be a whole number from 1, not so large a number",
        None,
    ),
    "a file too large": (b"#" * (MAX_BYTES + 1), 1, 1, "the file has more than 1,048,576 bytes", None),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(mistake: str) -> None:
    content, line, column, text, near = MISTAKES[mistake]
    (problem,) = problems(content)
    assert (problem.line, problem.column, problem.text, problem.near) == (line, column, text, near)


def test_all_mistakes_of_a_file_are_told_at_once_in_their_order() -> None:
    """All tags above in one file, but for those that only stand alone: whole files that cannot be read."""
    alone = (
        "TOML",
        "UTF-8",
        "an end",
        "too large",
        "a name",
        "wrong type of a table",
        "in a circle",
        "population",
        "share",
        "without end",
        "table",
        "misspelt",
    )
    bodies = [body for name, (body, *_) in MISTAKES.items() if not any(each in name for each in alone)]
    texts = [text for name, (*_, text, _) in MISTAKES.items() if not any(each in name for each in alone)]
    assert len(bodies) >= 35
    whole = "".join(str(body).replace('name = "a"', f'name = "a{place}"') for place, body in enumerate(bodies))
    assert sorted(problem.text for problem in problems(whole)) == sorted(texts)
    places = [(problem.line, problem.column) for problem in problems(whole)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ('"share(category, \\"x\\") > spnd()"', 3, 34),
        ('"\\u0073pend() > spnd()"', 3, 24),
        ("'''\nspend() > 1\n  and spnd() > 1'''", 5, 7),
        ('"""\nspend() \\\n    > 1 # so\nor spnd() > 1"""', 6, 4),
        ('"""spend() > spnd()"""', 3, 21),
    ],
)
def test_a_mistake_in_an_expression_points_into_its_string(written: str, line: int, column: int) -> None:
    (problem,) = problems(tag(f"when = {written}"))
    assert (problem.line, problem.column) == (line, column)
    assert str(problem) == "there is no function `spnd` (did you mean spend?)"


def test_files_from_windows_have_the_same_places() -> None:
    content = b"\xef\xbb\xbf" + tag('when = """\n  orders() > 1\n  and ordres() > 1"""').replace("\n", "\r\n").encode()
    (problem,) = problems(content)
    assert (problem.line, problem.column) == (5, 7)


def test_a_byte_that_is_not_utf_8_is_found_behind_the_mark_of_windows() -> None:
    (problem,) = problems(b"\xef\xbb\xbf# \xe9")
    assert (problem.line, problem.column, problem.text[:13]) == (1, 3, "the byte 0xe9")


def test_the_name_that_may_be_meant_does_not_act_on_a_terminal() -> None:
    (problem,) = problems('manual = ["vip\\u001b"]\n' + when('tag("vip")'))
    assert problem.near == "vip?"


def test_the_key_of_a_problem_is_written_as_people_count() -> None:
    (problem,) = problems(tag('values = [{value = 1, when = "true"}, {value = 2, when = "x"}]'))
    assert problem.key == "tag[1].values[2].when"


def test_what_follows_from_a_mistake_is_not_told() -> None:
    """`whn` leaves the tag without a form; that is no second mistake."""
    assert [each.text for each in problems(tag('whn = "true"', 'ttl = "1d"'))] == ["there is no key 'whn' here"]
    assert [each.text for each in problems(tag('when = "true"', "group = 5", "priority = 1"))] == [
        "`group` must be a name of 1 to 64 characters, not 5"
    ]


def test_two_mistakes_in_one_tag_are_both_told() -> None:
    found = problems(tag('when = "ordres() > 1"', "ttl = 5"))
    assert [(each.line, each.column) for each in found] == [(3, 9), (4, 7)]


def test_the_error_names_the_first_and_counts_the_others() -> None:
    with pytest.raises(RulesFileError) as caught:
        read_rules(tag('when = "ordres() > 1"', "ttl = 5").encode(), "my.toml")
    first = "my.toml:3:9: there is no function `ordres` (did you mean orders?); and 1 more: see `rekindle rules check`"
    assert str(caught.value) == first


def test_a_file_adds_to_the_built_in_tags_replaces_and_switches_off() -> None:
    content = 'version = 9\n[[tag]]\nname = "tier"\nwhen = "clicks() > 1"\n[[tag]]\nname = "reviews"\nenabled = false\n'
    book = read_rules((content + tag('when = "true"')).encode())
    builtin = load_rules()
    assert book.names == (builtin.names | {"a"}) - {"reviews"}
    assert {rule.name: rule.reads for rule in book.rules}["tier"] == Input.CLICKS
    assert book.version == 9
    assert book.fingerprint != builtin.fingerprint


def test_an_empty_file_means_the_built_in_tags() -> None:
    assert read_rules(b"").fingerprint == load_rules().fingerprint
    assert load_rules().version == builtin_rules().version


def test_the_file_that_is_fuzzed_is_right() -> None:
    assert {"tier", "likes", "\N{CJK UNIFIED IDEOGRAPH-7528}\N{CJK UNIFIED IDEOGRAPH-6237}"} <= read_rules(
        RULES_FILE
    ).names


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(tag('when = "true"'))
    assert "a" in load_rules(path).names
    with pytest.raises(OSError, match="gone"):
        load_rules(tmp_path / "gone.toml")
