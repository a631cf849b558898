"""Campaigns of two files over one history: what would have been sent; against what is known by hand."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from agents.limits import DEFAULT_LIMITS
from app.history.history import History
from app.rules_diff import output, terminal
from app.rules_diff.campaign_data import CampaignDiff
from app.rules_diff.campaigns import changed
from app.rules_diff.campaigns import compared as campaigns_compared
from app.rules_diff.compare import Comparison, compare
from app.rules_diff.rules import differing, rules_to_compare
from schemas.times import DAY_MS, Millis
from tests.history.files import write_jsonl
from tests.oracle import Wire
from tests.test_report import Page
from tests.test_rules_diff import DAY_0, UNTIL, order, rules

OLD: Final = """
[[tag]]
name = "buyer"
when = "orders() >= 1"

[[campaign]]
name = "thanks"
on = { tag = "buyer", to = true }
channels = [{ channel = "coupon", cost = 1 }]
quiet_hours = "none"
"""
NEW: Final = """
[[tag]]
name = "buyer"
when = "orders() >= 1"

[[campaign]]
name = "thanks"
on = { tag = "buyer", to = true }
audience = "spend() >= 50"
channels = [{ channel = "sms", cost = 0.05 }, { channel = "coupon", cost = 2 }]
quiet_hours = "none"

[[campaign]]
name = "hello"
on = { tag = "buyer", to = true }
channels = [{ channel = "push", cost = 0.01 }, { channel = "email", cost = 0.02 }]
quiet_hours = "none"
"""


def profile(user: str, day: int, **more: Any) -> Wire:
    return {"type": "profile", "event_id": f"{user}-p", "user_id": user, "ts": DAY_0 + day * DAY_MS, **more}


# day       1    5    |  11   12   13   14   15   16         20
# anna           60   |                                         |  too long ago
# ben                 |       30                                |  old: coupon; new: not in the audience
# carl                |            120                          |  old, new: coupon
# dora      sms       |                 200                     |  old: coupon; new: sms
# eve                 |                      60   erased        |  old, new: coupon, taken back
PEOPLE: Final = [
    order("anna", 5, 60),
    order("ben", 12, 30),
    order("carl", 13, 120),
    profile("dora", 1, consent={"sms": True}, reachable=["sms"]),
    order("dora", 14, 200),
    order("eve", 15, 60),
    profile("eve", 16, kind="erased"),
]
DAYS: Final = 10


def compared(folder: Path, old: str, new: str, records: list[Wire], until: Millis | None, last_days: int) -> Comparison:
    history = History([write_jsonl(folder / "h.jsonl", records)], dead_letters=lambda _: None, until=until)
    books = rules_to_compare(rules(folder, "old.toml", old)), rules_to_compare(rules(folder, "new.toml", new))
    return compare(books, history, "wire", DEFAULT_LIMITS, last_days)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compared(tmp_path_factory.mktemp("people"), OLD, NEW, PEOPLE, UNTIL, DAYS)


def in_short(found: CampaignDiff) -> tuple[int, ...]:
    return found.old, found.new, found.both, found.only_old, found.only_new, found.other_way


def decided(found: CampaignDiff) -> dict[tuple[str, str | None], tuple[int, int]]:
    return {(each.outcome, each.reason): (each.old, each.new) for each in found.decided}


def ways(found: CampaignDiff) -> dict[tuple[str, str | None], tuple[int, ...]]:
    return {(each.channel, each.variant): (each.old, each.new, each.old_cost, each.new_cost) for each in found.ways}


def test_what_would_be_sent_last_month_is_known_by_hand(people: Comparison) -> None:
    thanks, hello = people.diff.campaigns["thanks"], people.diff.campaigns["hello"]
    assert in_short(thanks) == (4, 3, 3, 1, 0, 1)
    assert (thanks.old_users, thanks.new_users, thanks.both_users) == (4, 3, 3)
    assert ways(thanks) == {("coupon", None): (4, 2, 400, 400), ("sms", None): (0, 1, 0, 5)}
    assert (thanks.old_cost, thanks.new_cost) == (400, 405)
    assert decided(thanks) == {
        ("triggered", None): (4, 3),
        ("suppressed", None): (0, 1),
        ("suppressed", "not_in_audience"): (0, 1),
        ("cancelled", None): (1, 1),
        ("cancelled", "erased"): (1, 1),
    }
    assert in_short(hello) == (0, 0, 0, 0, 0, 0)
    assert decided(hello) == {("suppressed", None): (0, 4), ("suppressed", "no_consent"): (0, 4)}
    assert [(each.is_old, each.is_new, each.is_changed) for each in (thanks, hello)] == [
        (True, True, True),
        (False, True, True),
    ]


def test_on_which_days_is_known_by_hand(people: Comparison) -> None:
    thanks = people.diff.campaigns["thanks"]
    assert people.diff.days == [date(2024, 1, 12) + timedelta(days=number) for number in range(DAYS)]
    assert thanks.old_by_day == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert thanks.new_by_day == thanks.both_by_day == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]


def test_days_before_the_first_event_are_none_of_them(tmp_path: Path) -> None:
    found = compared(tmp_path, OLD, NEW, PEOPLE, UNTIL, 365)
    assert (found.diff.days[0], found.diff.days[-1]) == (date(2024, 1, 2), date(2024, 1, 21))
    assert found.diff.campaigns["thanks"].old == 5


def test_every_trigger_that_differs_is_named(people: Comparison, tmp_path: Path) -> None:
    output.write(people, tmp_path)
    with (tmp_path / "diff-triggers.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["user_id", "campaign", "old_at", "new_at", *("old_channel", "new_channel", "old_variant", "new_variant")],
            ["ben", "thanks", "2024-01-13T00:00:00.000Z", "", "coupon", "", "", ""],
            ["dora", "thanks", "2024-01-15T00:00:00.000Z", "2024-01-15T00:00:00.000Z", "coupon", "sms", "", ""],
        ]


def test_the_terminal_tells_what_differs_and_why_nothing_is_sent(
    people: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show(people.diff)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "campaigns, 2024-01-12 to 2024-01-21" in lines
    assert "thanks 4 3 3 1 4 3" in lines
    assert lines.count("hello") == 2
    assert "triggered: coupon 4 2 4.00 4.00" in lines
    assert "triggered: sms 1 0.05" in lines
    assert "suppressed: no consent 4" in lines
    assert "triggered by all 9 campaigns 4 3 4.00 4.05" in lines
    assert lines[-1] == "the same in both: 31 rules, 7 campaigns"


def test_a_campaign_that_never_fires_is_said_to_do_so_with_the_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = compared(tmp_path, NEW, NEW.replace("0.02", "0.03"), PEOPLE, UNTIL, DAYS)
    assert not any(each.differs for each in found.diff.campaigns.values())
    terminal.show(found.diff)
    told = capsys.readouterr().out
    assert "campaigns would do the same\n" in told
    assert "other campaigns, but the same decisions: hello (suppressed: no consent 4)\n" in told
    output.write(found, tmp_path)
    page = Page((tmp_path / "diff.html").read_text(encoding="utf-8"))
    assert "the same decisions: hello (suppressed: no consent 4)." in page.text


def test_the_page_tells_the_triggers_with_a_plot_by_day(people: Comparison, tmp_path: Path) -> None:
    output.write(people, tmp_path)
    page = Page((tmp_path / "diff.html").read_text(encoding="utf-8"))
    assert "thanks 4 3 3 1 0 1 4 3 4.00 4.05" in page.text
    assert "all 9 campaigns 4 3 3 1 0 1 4.00 4.05" in page.text
    assert "suppressed: no consent 0 4" in page.text
    assert "7 campaigns are the same in both files." in page.text
    (figure,) = [json.loads(text) for kind, text in page.scripts if kind == "application/json"]
    assert [trace["y"] for trace in figure["data"]] == [
        [0, 0, 1, 1, 1, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 0, 0, 0, 0, 0],
    ]
    ids = [element["id"] for _, element in page.elements if "id" in element]
    assert len(set(ids)) == len(ids)
    assert {(link["href"] or "#")[1:] for link in page.all("a")} <= set(ids)


def names(folder: Path, old: str, new: str) -> tuple[frozenset[str], frozenset[str]]:
    """The campaigns that are changed, and those that are compared."""
    a, b = (rules_to_compare(rules(folder, name, text)) for name, text in (("a.toml", old), ("b.toml", new)))
    return changed(a, b), campaigns_compared(a, b, differing(a, b))


def test_words_and_versions_of_campaigns_make_no_difference(tmp_path: Path) -> None:
    reworded = OLD.replace('name = "thanks"', 'name = "thanks"\ndoc = "Thank you."\nversion = 3')
    assert names(tmp_path, OLD, reworded) == (frozenset(), frozenset())


def test_a_tag_that_no_campaign_reads_brings_no_campaign(tmp_path: Path) -> None:
    other = OLD + '[[tag]]\nname = "looker"\nwhen = "clicks() > 0"\n'
    found = compared(tmp_path, OLD, other, PEOPLE, UNTIL, DAYS)
    assert found.diff.campaigns == {}
    assert "thanks" in found.diff.same_campaigns
    assert len(found.diff.same_campaigns) == found.diff.old.campaigns == 8


def test_a_campaign_whose_tag_differs_is_compared_though_it_stands_there_unchanged(tmp_path: Path) -> None:
    found = compared(tmp_path, OLD, OLD.replace("orders() >= 1", "spend() >= 50"), PEOPLE, UNTIL, DAYS)
    thanks = found.diff.campaigns["thanks"]
    assert in_short(thanks) == (4, 3, 3, 1, 0, 0)
    assert not thanks.is_changed
    assert decided(thanks)["triggered", None] == (4, 3)


def test_a_tag_that_only_an_audience_reads_matters_too(tmp_path: Path) -> None:
    asks = OLD + '[[tag]]\nname = "big"\nwhen = "spend() >= 50"\n'
    asks = asks.replace("quiet_hours", "audience = \"tag('big')\"\nquiet_hours")
    found = compared(tmp_path, asks, asks.replace(">= 50", ">= 100"), PEOPLE, UNTIL, DAYS)
    assert in_short(found.diff.campaigns["thanks"]) == (3, 2, 2, 1, 0, 0)


@pytest.mark.parametrize("line", ['cap = { max = 1, per = "7d" }', "control = 0.5", 'timezone = "Europe/Berlin"'])
def test_what_holds_for_all_campaigns_may_change_each(line: str, tmp_path: Path) -> None:
    found, all_of_them = names(tmp_path, OLD, f"[recall]\n{line}\n{OLD}")
    assert (found, len(all_of_them)) == (frozenset(), 8)


def test_other_quiet_hours_for_all_change_those_that_have_none_of_their_own(tmp_path: Path) -> None:
    found, _ = names(tmp_path, OLD, f'[recall]\nquiet_hours = "22:00-06:00"\n{OLD}')
    assert len(found) == 7
    assert "thanks" not in found


def test_a_history_of_nothing_fires_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = compared(tmp_path, OLD, NEW, [], None, DAYS)
    assert found.diff.days == []
    assert not any(each.differs for each in found.diff.campaigns.values())
    terminal.show(found.diff)
    assert "hello (nothing to decide), thanks (nothing to decide)" in capsys.readouterr().out
    output.write(found, tmp_path)
    assert "hello (nothing to decide)" in Page((tmp_path / "diff.html").read_text(encoding="utf-8")).text
