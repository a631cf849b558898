"""Campaigns of two files over one history: the same counts as those of the decisions of two backtests."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from agents.limits import DEFAULT_LIMITS
from app.backtest import Backtest
from app.history.formats import FileFormat
from app.rules_diff.campaign_data import CampaignDiff
from app.rules_diff.rules import rules_to_compare
from schemas.times import DAY_MS
from tests.history.files import write_jsonl
from tests.oracle import Wire
from tests.test_rules_diff import DAY_0, crowd
from tests.test_rules_diff_campaigns import compared, decided, profile, ways

MANY: Final = """
[[tag]]
name = "rich"
when = "spend(30d) >= 1000"

[[campaign]]
name = "again"
on = { tag = "rich" }
channels = [{ channel = "coupon", cost = 1 }]
variants = [{ name = "a" }, { name = "b", weight = 2 }]
hold_out = 0.2

[[campaign]]
name = "gone"
on = { tag = "rich" , to = true, after = "2d" }
channels = [{ channel = "sms", cost = 0.05 }, { channel = "gift", cost = 3 }]
audience = "orders(10d) >= 2"
budget = 6
cap = { max = 1, per = "20d" }
"""
OTHER: Final = f"""
[recall]
cap = {{ max = 2, per = "14d" }}
{MANY.replace(">= 1000", ">= 700").replace('"gift", cost = 3', '"gift", cost = 2')}
[[campaign]]
name = "silent"
on = {{ tag = "lifecycle", to = "silent" }}
channels = [{{ channel = "email", cost = 0.02 }}]
mode = "shadow"
"""
END: Final = DAY_0 + 100 * DAY_MS


def decisions(folder: Path, name: str, records: list[Wire], first: date) -> list[Wire]:
    """What a backtest decides with one of the files, from a day on."""
    book = rules_to_compare(folder / f"{name}.toml").book
    path = write_jsonl(folder / "again.jsonl", records)
    Backtest(DEFAULT_LIMITS, folder / name, book).run([path], FileFormat.WIRE, END, lambda *_: None)
    told = [json.loads(line) for line in (folder / name / "recall-decisions.jsonl").read_bytes().splitlines()]
    return [each for each in told if day_of(each) >= first]


def people() -> list[Wire]:
    """The crowd, of which every other user can be reached, and has agreed."""
    agreed = {"consent": {"sms": True, "email": True}, "reachable": ["sms", "email"]}
    return [*(profile(f"u{number}", 0, **agreed) for number in range(0, 40, 2)), *crowd()]


def day_of(record: Wire) -> date:
    return datetime.fromtimestamp(record["at"] / 1000, tz=UTC).date()


def to_whom(fired: Iterable[Wire]) -> Counter[tuple[str, date]]:
    return Counter((each["user_id"], day_of(each)) for each in fired)


def by_day(keys: Counter[tuple[str, date]], days: list[date]) -> list[int]:
    return [sum(count for (_, day), count in keys.items() if day == each) for each in days]


def joined(sides: list[Counter[Any]]) -> dict[Any, tuple[int, int]]:
    return {key: (sides[0][key], sides[1][key]) for key in {*sides[0], *sides[1]}}


def check_triggers(diff: CampaignDiff, fired: list[list[Wire]], days: list[date]) -> None:
    old, new = map(to_whom, fired)
    assert (diff.old, diff.new, diff.both) == (old.total(), new.total(), (old & new).total())
    assert (diff.only_old, diff.only_new) == ((old - new).total(), (new - old).total())
    users = [{user for user, _ in side} for side in (old, new)]
    assert (diff.old_users, diff.new_users, diff.both_users) == (*map(len, users), len(users[0] & users[1]))
    assert [diff.old_by_day, diff.new_by_day, diff.both_by_day] == [by_day(k, days) for k in (old, new, old & new)]


@pytest.mark.parametrize("last_days", [25, 200])
def test_the_sums_are_those_of_the_decisions_of_two_backtests(last_days: int, tmp_path: Path) -> None:
    records = people()
    found = compared(tmp_path, MANY, OTHER, records, END, last_days)
    days = found.diff.days
    assert len(days) == (25 if last_days == 25 else 101)
    said = [decisions(tmp_path, name, records, days[0]) for name in ("old", "new")]
    assert {each["campaign"] for side in said for each in side} >= {"again", "gone", "silent", "repurchase"}
    for name, diff in found.diff.campaigns.items():
        sides = [[each for each in side if each["campaign"] == name] for side in said]
        fired = [[each for each in side if each["outcome"] == "triggered"] for side in sides]
        check_triggers(diff, fired, days)
        went = [Counter((each["recall_channel"], each["variant"]) for each in side) for side in fired]
        assert {way: counts[:2] for way, counts in ways(diff).items()} == joined(went)
        outcomes = [Counter((each["outcome"], None) for each in side) for side in sides]
        reasons = [Counter((each["outcome"], reason) for each in side for reason in each["reasons"]) for side in sides]
        assert decided(diff) == {**joined(outcomes), **joined(reasons)}
    gone = found.diff.campaigns["gone"]
    gifts, messages = ways(gone)["gift", None], ways(gone)["sms", None]
    assert gone.old_cost == 300 * gifts[0] + 5 * messages[0]
    assert gone.new_cost == 200 * gifts[1] + 5 * messages[1]


def test_many_epochs_find_the_same_campaigns_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = compared(tmp_path, MANY, OTHER, people(), None, 25)
    monkeypatch.setattr("app.fold.EPOCH_EVENTS", 7)
    monkeypatch.setattr("app.fold.MAX_HOT_ROWS", 0)
    assert compared(tmp_path, MANY, OTHER, people(), None, 25).diff == one.diff
    assert any(each.differs for each in one.diff.campaigns.values())
