"""What campaigns would have done, in a backtest's report: the numbers are those of its files, for people too."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from typer.testing import CliRunner

from app.campaign_charts import days_a_bar, triggers_over_time
from app.campaign_data import CampaignResults
from app.cli import app
from app.demo.generated import START, generated_events
from app.demo.profiles import with_profiles
from schemas.times import DAY_MS
from tables.ledger import COUNTS, Ledger
from tests.history.files import write_jsonl
from tests.recall_recount import recounted

HOSTILE: Final = "<img&src=x>"
RULES: Final = f"""
[[campaign]]
name = "{HOSTILE}"
on = {{ tag = "lifecycle", to = "silent" }}
channels = [{{ channel = "event", cost = 0.5 }}]
hold_out = 0.2
slot = "other"
"""


def backtest(tmp_path: Path, *options: str) -> tuple[Any, Path, list[Any]]:
    """A backtest of half a year: the command's result, the folder, and the events."""
    told = with_profiles((each for each in generated_events(80) if each.ts < START + 180 * DAY_MS), "generated")
    events = [json.loads(msgspec.json.encode(each)) for each in told]
    path, rules = write_jsonl(tmp_path / "a.jsonl", events), tmp_path / "rules.toml"
    rules.write_text(RULES)
    arguments = ["backtest", str(path), "--out", str(tmp_path / "out"), "--rules", str(rules), *options]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done, tmp_path / "out", events


def records(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path, list[Any]]:
    return backtest(tmp_path_factory.mktemp("campaigns"))


def test_every_number_follows_from_the_history_and_the_files_beside_the_report(
    made: tuple[Any, Path, list[Any]],
) -> None:
    _, out, events = made
    found = json.loads((out / "report.json").read_text())
    decisions, triggers = records(out / "recall-decisions.jsonl"), records(out / "recall-triggers.jsonl")
    windows = {
        (each["campaign"], each["recall_channel"]): (DAY_MS, 0)
        for each in decisions
        if each["outcome"] in {"triggered", "held_out"}
    }
    told: dict[str, Counter[str]] = {}
    by_day: Counter[tuple[str, int]] = Counter()
    for (day, campaign, _, _, name), count in recounted(
        events, decisions, triggers, windows, found["history"]["until"] + 1
    ).items():
        told.setdefault(campaign, Counter())[name] += count
        by_day[campaign, day] += count if name == "triggered" else 0
    campaigns = found["campaigns"]["campaigns"]
    assert set(campaigns) == set(told)
    assert told[HOSTILE]["triggered"] > 20
    first = min(day for _, day in by_day)
    for name, campaign in campaigns.items():
        totals = campaign["totals"]
        assert {each: totals.get(each, told[name][each]) for each in COUNTS} == {
            each: told[name][each] for each in COUNTS
        }
        for place, count in enumerate(campaign["triggers_by_day"]):
            assert count == by_day[name, first + place]


def test_the_terminal_has_a_line_a_campaign(made: tuple[Any, Path, list[Any]]) -> None:
    done, out, _ = made
    found = json.loads((out / "report.json").read_text())["campaigns"]["campaigns"]
    told = [line for line in done.stdout.splitlines() if line.startswith("campaign ")]
    assert len(told) == len(found)
    totals = found[HOSTILE]["totals"]
    line = next(line for line in told if HOSTILE in line)
    assert f"{totals['triggered']:,} triggered, {totals['held_out']:,} held out, " in line


def test_the_page_shows_them_as_text_with_a_plot(made: tuple[Any, Path, list[Any]]) -> None:
    _, out, _ = made
    html = (out / "report.html").read_text()
    assert "<img" not in html
    section = html.split('<section id="campaigns">')[1].split("</section>")[0]
    assert 'href="#campaigns"' in html
    assert 'data-figure="triggers"' in section
    named = re.findall(r'<th scope="row"[^>]*><code>([^<]*)</code>', section)
    assert "&lt;img&amp;src=x&gt;" in named


def test_without_rules_there_is_nothing_about_campaigns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_RULES", "none")
    path = write_jsonl(
        tmp_path / "a.jsonl", [{"type": "click", "event_id": "c", "user_id": "u", "ts": START, "item_id": "i"}]
    )
    done = CliRunner().invoke(app, ["backtest", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out" / "report.json").read_text())["campaigns"] is None
    assert 'id="campaigns"' not in (tmp_path / "out" / "report.html").read_text()


def test_a_bar_of_a_long_history_is_several_days_and_loses_no_trigger() -> None:
    ledger = Ledger()
    for number in range(1_000):
        ledger.count(START + number * DAY_MS, ("silent", "", "event"), 1, "eligible", "triggered")
    ledger.count(START, ("lost", "", ""), 1, "suppressed", reasons=("outdated",))
    results = CampaignResults.of(ledger.days, {"silent": "Has gone."})
    assert len(results.days) == 1_000
    assert results.campaigns["silent"].doc == "Has gone."
    (trace,) = triggers_over_time(results)["data"]
    assert (trace["name"], sum(trace["y"])) == ("silent", 1_000)
    assert len(trace["y"]) == -(-1_000 // days_a_bar(results)) <= 120
