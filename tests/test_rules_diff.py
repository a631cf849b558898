"""Two rulebooks over one history: who has what under each, by day; against what is known by hand, and two backtests."""

import csv
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from agents.limits import DEFAULT_LIMITS
from app.backtest import Backtest
from app.history.formats import FileFormat
from app.history.history import History
from app.rules_diff import output
from app.rules_diff.compare import Comparison, compare
from app.rules_diff.data import TagDiff
from app.rules_diff.rules import differing, rules_to_compare
from schemas.times import DAY_MS, HOUR_MS, Millis
from tests.history.files import write_jsonl
from tests.oracle import Wire, effective
from tests.test_report import Page

DAY_0: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
UNTIL: Final = DAY_0 + 20 * DAY_MS

OLD: Final = """
[[tag]]
name = "buyer"
when = "orders() >= 1"

[[tag]]
name = "level"
values = [{ value = "high", when = "spend() >= 100" }, { value = "low", when = "spend() > 0" }]

[[tag]]
name = "looker"
when = "clicks() > 0"
"""
NEW: Final = """
version = 2

[[tag]]
name = "buyer"
when = "orders() >= 2"

[[tag]]
name = "level"
values = [{ value = "high", when = "spend() >= 50" }, { value = "low", when = "spend() > 0" }]

[[tag]]
name = "fresh"
when = "days_since(last_order) < 10"
"""


def order(user: str, day: int, total: float) -> Wire:
    name = f"{user}-{day}"
    return {
        "type": "order",
        "event_id": name,
        "user_id": user,
        "ts": DAY_0 + day * DAY_MS,
        "order_id": name,
        "total": total,
    }


# day       0    1    2    3    4    5         8                                       20
# anna      60                       60                                                |    buyer: old 0, new 5
# ben                 30                                                               |    level low
# carl                     120                                                         |    level high
# dora           60                            erased                                  |
# eve                           70                                                     |    level: old low, new high
PEOPLE: Final = [
    order("anna", 0, 60),
    order("anna", 5, 60),
    order("ben", 2, 30),
    order("carl", 3, 120),
    order("dora", 1, 60),
    {"type": "profile", "event_id": "e", "user_id": "dora", "ts": DAY_0 + 8 * DAY_MS, "kind": "erased"},
    order("eve", 4, 70),
]


def rules(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def compared(
    folder: Path, old: str, new: str, records: list[Wire], until: Millis | None = UNTIL, name: str = "history.jsonl"
) -> Comparison:
    history = History([write_jsonl(folder / name, records)], dead_letters=lambda _: None, until=until)
    books = rules_to_compare(rules(folder, "old.toml", old)), rules_to_compare(rules(folder, "new.toml", new))
    return compare(books, history, "wire", DEFAULT_LIMITS)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compared(tmp_path_factory.mktemp("people"), OLD, NEW, PEOPLE)


def in_short(tag: TagDiff) -> tuple[int, ...]:
    return tag.old, tag.new, tag.both, tag.gained, tag.lost, tag.moved, tag.old_changes, tag.new_changes


def test_who_gains_and_loses_what_is_known_by_hand(people: Comparison) -> None:
    tags = people.diff.tags
    assert {name: in_short(tag) for name, tag in tags.items()} == {
        "buyer": (4, 1, 1, 0, 3, 0, 6, 1),
        "fresh": (0, 0, 0, 0, 0, 0, 0, 10),
        "level": (4, 4, 3, 0, 0, 1, 7, 6),
        "looker": (0, 0, 0, 0, 0, 0, 0, 0),
    }
    assert [(name, tag.is_old, tag.is_new) for name, tag in tags.items() if not (tag.is_old and tag.is_new)] == [
        ("fresh", False, True),
        ("looker", True, False),
    ]
    assert [name for name, tag in tags.items() if tag.differs] == ["buyer", "fresh", "level"]


def test_when_they_do_is_known_by_hand(people: Comparison) -> None:
    tags = people.diff.tags
    assert tags["buyer"].first_day == tags["fresh"].first_day == tags["level"].first_day == date(2024, 1, 1)
    (buyer,), (fresh,) = tags["buyer"].values, tags["fresh"].values
    assert buyer.old_by_day == [1, 2, 3, 4, 5, 5, 5, 5, *[4] * 13]
    assert buyer.new_by_day == buyer.both_by_day == [0] * 5 + [1] * 16
    # anna until day 15, ben 12, carl 13, dora 8, eve 14
    assert fresh.new_by_day == [1, 2, 3, 4, 5, 5, 5, 5, 4, 4, 4, 4, 3, 2, 1, *[0] * 6]
    assert fresh.old_by_day == fresh.both_by_day == [0] * 21
    high, low = tags["level"].values
    assert (high.value, low.value) == ("high", "low")
    assert high.old_by_day == [0, 0, 0, 1, 1, *[2] * 16]
    assert high.new_by_day == [1, 2, 2, 3, 4, 4, 4, 4, *[3] * 13]
    assert high.both_by_day == [0, 0, 0, 1, 1, *[2] * 16]
    assert (high.old, high.new, high.both, high.gained, high.lost) == (2, 3, 2, 1, 0)
    assert (low.old, low.new, low.both, low.gained, low.lost) == (2, 1, 1, 0, 1)
    assert (high.old_changes, high.new_changes, low.old_changes, low.new_changes) == (2, 4, 4, 1)
    assert [(flow.from_, flow.to, flow.users) for flow in tags["level"].flows] == [("low", "high", 1)]


def test_every_user_who_differs_is_named_with_both_values_and_since_when(people: Comparison, tmp_path: Path) -> None:
    output.write(people, tmp_path)
    with (tmp_path / "diff-users.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["user_id", "tag", "old_value", "new_value", "old_since", "new_since"],
            ["ben", "buyer", "true", "", "2024-01-03T00:00:00.000Z", ""],
            ["carl", "buyer", "true", "", "2024-01-04T00:00:00.000Z", ""],
            ["eve", "buyer", "true", "", "2024-01-05T00:00:00.000Z", ""],
            ["eve", "level", "low", "high", "2024-01-05T00:00:00.000Z", "2024-01-05T00:00:00.000Z"],
        ]


def test_who_has_a_tag_under_neither_is_held_no_longer(people: Comparison) -> None:
    assert people.users["buyer"].flows().total() == 4
    assert people.users["fresh"].flows().total() == 0


def test_of_many_values_on_one_side_none_is_told_apart_on_the_other(tmp_path: Path) -> None:
    few = """
[[tag]]
name = "worth"
value = "10 if spend() > 15 else 0"
"""
    records = [order(f"u{number}", 1, number) for number in range(20)]
    (worth,) = compared(tmp_path, few, few.replace("10 if spend() > 15 else 0", "spend()"), records).diff.tags.values()
    assert [(each.value, each.old, each.new, each.both) for each in worth.values] == [(None, 20, 20, 1)]
    assert (worth.gained, worth.lost, worth.moved, worth.flows) == (0, 0, 19, [])


def test_what_is_the_same_in_both_is_left_out_and_counted(people: Comparison) -> None:
    assert "rfm.segment" in people.diff.same
    assert not set(people.diff.same) & set(people.diff.tags)
    assert people.diff.old.rules == len(people.diff.same) + 3
    assert (people.diff.old.version, people.diff.new.version) == (1, 2)


def test_a_file_compared_with_itself_is_no_difference(tmp_path: Path) -> None:
    found = compared(tmp_path, OLD, OLD, PEOPLE)
    assert (found.diff.tags, found.users) == ({}, {})
    output.write(found, tmp_path)
    assert (tmp_path / "diff-users.csv").read_text(encoding="utf-8").count("\n") == 1
    assert "Nobody: for the users of this history" in (tmp_path / "diff.html").read_text(encoding="utf-8")


def test_words_and_versions_make_no_difference(tmp_path: Path) -> None:
    reworded = OLD.replace('name = "buyer"', 'name = "buyer"\ndoc = "Bought once."\nversion = 7\nkind = ["explicit"]')
    pair = [rules_to_compare(rules(tmp_path, name, text)) for name, text in (("a.toml", OLD), ("b.toml", reworded))]
    assert differing(*pair) == frozenset()


READERS: Final = """
[[tag]]
name = "base"
when = "orders() >= 1"

[[tag]]
name = "reader"
when = "tag('base') and clicks() > 0"

[[tag]]
name = "second.reader"
when = "tag('reader')"

[[tag]]
name = "rival"
when = "clicks() > 5"
group = "one"
priority = 1

[[tag]]
name = "other.rival"
when = "tag('base')"
group = "one"
priority = 2

[[tag]]
name = "apart"
when = "clicks() > 1"
"""


def test_a_rule_that_reads_or_rivals_a_changed_one_may_differ_too(tmp_path: Path) -> None:
    changed = READERS.replace("orders() >= 1", "orders() >= 2")
    pair = [rules_to_compare(rules(tmp_path, name, text)) for name, text in (("a.toml", READERS), ("b.toml", changed))]
    assert differing(*pair) == {"base", "reader", "second.reader", "rival", "other.rival"}


def test_another_population_may_change_what_compares_with_it(tmp_path: Path) -> None:
    usual = "[population.category]\nshoes = 0.9\n"
    pair = [rules_to_compare(rules(tmp_path, name, text)) for name, text in (("a.toml", ""), ("b.toml", usual))]
    assert "prefers.category" in differing(*pair)
    assert "tier" not in differing(*pair)


def crowd() -> list[Wire]:
    """Forty users who click and order for 90 days, some of them erased."""
    random = Random(6)  # noqa: S311  repeatable
    records: list[Wire] = []
    for number in range(600):
        user, at = f"u{random.randrange(40)}", DAY_0 + random.randrange(90 * 24) * HOUR_MS
        head = {"event_id": f"e{number}", "user_id": user, "ts": at}
        kind = random.random()
        if kind < 0.5:
            records.append({**head, "type": "click", "item_id": "i", "category": random.choice("abc")})
        elif kind < 0.98:
            records.append({**head, "type": "order", "order_id": f"o{number}", "total": random.randrange(1, 900)})
        else:
            records.append({**head, "type": "profile", "kind": "erased"})
    return records


OTHER_SEGMENTS: Final = """
[[tag]]
name = "rfm.monetary"
only = "orders() > 0"
values = [{ value = 5, when = "monetary >= 900" }, { value = 3, when = "monetary >= 400" }]
else = 1

[[tag]]
name = "new_user"
enabled = false

[[tag]]
name = "max_order"
only = "orders() > 1"
value = "max_order"
"""


def values_by_day(changes: list[Wire], tag: str, days: list[date]) -> list[dict[str, Any]]:
    """By day, what each user has at its end."""
    told = {user: tags[tag] for user, tags in effective(changes, {tag}).items() if tag in tags}
    ends = [DAY_0 + (day - date(2024, 1, 1)) / timedelta(days=1) * DAY_MS + DAY_MS for day in days]
    lines = {
        user: [next((to for at, _, to in reversed(of_user) if at < end), None) for end in ends]
        for user, of_user in told.items()
    }
    return [
        {user: line[place] for user, line in lines.items() if line[place] is not None} for place in range(len(days))
    ]


def test_the_sums_are_those_of_two_backtests(tmp_path: Path) -> None:
    records = crowd()
    found = compared(tmp_path, "", OTHER_SEGMENTS, records, until=DAY_0 + 100 * DAY_MS)
    assert set(found.diff.tags) == {"rfm.monetary", "rfm.segment", "new_user", "max_order"}
    said = [alone(tmp_path, name, records) for name in ("old", "new")]
    for tag, diff in found.diff.tags.items():
        assert [diff.old_changes, diff.new_changes] == [sum(c["tag"] == tag for c in changes) for changes in said]
        old, new = (values_by_day(changes, tag, diff.days) for changes in said)
        both = [dict(a.items() & b.items()) for a, b in zip(old, new, strict=True)]
        if tag == "max_order":
            assert [each.value for each in diff.values] == [None]
            columns = [diff.values[0].old_by_day, diff.values[0].new_by_day, diff.values[0].both_by_day]
            assert columns == [[len(values) for values in side] for side in (old, new, both)]
        else:
            for each in diff.values:
                columns = [each.old_by_day, each.new_by_day, each.both_by_day]
                assert columns == [[Counter(v.values())[each.value] for v in side] for side in (old, new, both)]
        assert (diff.gained, diff.lost) == (len(new[-1].keys() - old[-1]), len(old[-1].keys() - new[-1]))
        assert diff.moved == len(new[-1].keys() & old[-1]) - diff.both
        assert diff.both == len(both[-1])
        assert sum(tag == row[1] for row in output._users(found)) == diff.gained + diff.lost + diff.moved  # noqa: SLF001


def alone(folder: Path, name: str, records: list[Wire]) -> list[Wire]:
    """What a backtest says with one of the files."""
    book = rules_to_compare(folder / f"{name}.toml").book
    path = write_jsonl(folder / "again.jsonl", records)
    Backtest(DEFAULT_LIMITS, folder / name, book).run([path], FileFormat.WIRE, DAY_0 + 100 * DAY_MS, lambda *_: None)
    return [json.loads(line) for line in (folder / name / "tag-changes.jsonl").read_bytes().splitlines()]


def test_many_epochs_find_the_same_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = compared(tmp_path, "", OTHER_SEGMENTS, crowd(), until=None)
    monkeypatch.setattr("app.fold.EPOCH_EVENTS", 7)
    monkeypatch.setattr("app.fold.MAX_HOT_ROWS", 0)
    assert compared(tmp_path, "", OTHER_SEGMENTS, crowd(), until=None).diff == one.diff


def test_the_page_tells_the_numbers_and_loads_nothing(people: Comparison, tmp_path: Path) -> None:
    output.write(people, tmp_path)
    page = Page((tmp_path / "diff.html").read_text(encoding="utf-8"))
    assert "buyer 4 1 1 0 3 0 6 1 2024-01-01" in page.text
    assert "high 2 3 2 1 0 2 4" in page.text
    assert "low high 1" in page.text
    assert "Other rules, but the same for every user: looker ." in page.text
    figures = [json.loads(text) for kind, text in page.scripts if kind == "application/json"]
    assert [[trace["name"] for trace in figure["data"]] for figure in figures] == [["both", "old", "new"]] * 4
    assert figures[0]["data"][1]["y"] == people.diff.tags["buyer"].values[0].old_by_day
    links = [value for _, attributes in page.elements for name, value in attributes.items() if name in {"src", "href"}]
    assert {link for link in links if not (link or "").startswith("#")} == {"data:,"}
    ids = [element["id"] for _, element in page.elements if "id" in element]
    assert len(set(ids)) == len(ids)
    assert {(link["href"] or "#")[1:] for link in page.all("a")} <= set(ids)


def test_a_history_of_nothing_is_a_comparison_of_nothing(tmp_path: Path) -> None:
    found = compared(tmp_path, OLD, NEW, [], until=None)
    assert not any(tag.differs or tag.days or tag.values for tag in found.diff.tags.values())
    output.write(found, tmp_path)
    assert "No events were read" in (tmp_path / "diff.html").read_text(encoding="utf-8")
