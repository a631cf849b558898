"""The whole loop: a history with profiles, triggers, the simulator's reports, and a ledger that the topics explain."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.commands.rules_option import rules_in_force
from app.demo.answering import Answering
from app.demo.generated import START, generated_events
from app.demo.profiles import with_profiles
from app.ledger_live import read_ledger
from app.messaging.answers import answers
from app.messaging.rates import DEFAULT_RATES
from app.replay.replay import Replay
from schemas.events import AnyEvent
from schemas.recall import RecallTrigger
from schemas.times import DAY_MS
from tables.ledger import COUNTS
from tests.flow.system import PATIENCE_S, System, Wire
from tests.recall_recount import Cell, Windows, recounted

USERS: Final = 150
DAYS: Final = 110
"""Less than triggers are remembered."""
RULES: Final = """
[recall]
control = 0.05

[[campaign]]
name = "silent"
on = { tag = "lifecycle", to = "silent" }
channels = [
  { channel = "push", cost = 0.01, window = "7d" },
  { channel = "email", cost = 0.02, window = "7d" },
  { channel = "coupon", cost = 1 },
]
variants = [{ name = "a" }, { name = "b", weight = 3 }]
hold_out = 0.3

[[campaign]]
name = "lost"
on = { tag = "lifecycle", to = "lost" }
channels = [{ channel = "phone", cost = 2.5, window = "20d" }, { channel = "coupon", cost = 3, window = "20d" }]
fallback = true
hold_out = 0.2
budget = 9
"""


def events() -> list[AnyEvent]:
    return [*with_profiles((each for each in generated_events(USERS) if each.ts < START + DAYS * DAY_MS), "generated")]


def windows(system: System, path: Path) -> Windows:
    """What the topics do not tell: it is in the file."""
    campaigns = rules_in_force(path, system.settings).campaigns.all
    return {
        (campaign.name, channel.name): (channel.window_ms, channel.cost)
        for campaign in campaigns
        for channel in campaign.channels
    }


def replayed(system: System, answering: list[Answering]) -> int:
    """Replay the history, with a messaging system that stops in the middle and starts anew; how far time has come."""
    story = events()
    middle = len(story) // 2
    for part in (story[:middle], story[middle:]):
        answering.append(Answering())
        answering[-1].begin(system.settings)
        Replay(system.settings, part).run()
        system.wait_until_applied(part[-1].ts - 1)
        wait_until_reported(system, part[-1].ts)
        answering[-1].stop()
        assert answering[-1].failure is None
    answering.append(Answering())
    answering[-1].begin(system.settings.model_copy(update={"app_id": "forgetful"}))  # it reports all of them again
    until, answered = story[-1].ts, -1
    while answered != (answered := len(wanted(system, until))):  # a report may lead to a further trigger
        wait_until_reported(system, until)
        until += 1  # what is reported after the end waits for time to go on
        Replay(system.settings, (), until=until).run()
        system.wait_until_applied(until - 1)
    return until + 1


def wait_until_reported(system: System, until: int) -> None:
    wait_until(lambda: wanted(system, until) <= reported(system))


def wanted(system: System, until: int) -> set[str]:
    """The ids of all reports that are due."""
    triggers = [msgspec.convert(trigger, RecallTrigger) for trigger in said(system, "recall-triggers")]
    told = [message for each in triggers for message in answers(each, DEFAULT_RATES[each.recall_channel], 0)]
    return {message.event_id for message in told if message.ts <= until}


def reported(system: System) -> set[str]:
    return {event["event_id"] for event in said(system, "events.message") if event["type"] == "message"}


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def said(system: System, topic: str) -> list[Wire]:
    return [json.loads(record.value) for record in system.read(system.settings.topic_prefix + topic)]


def applied(system: System) -> list[Wire]:
    topics = ("click", "cart", "order", "profile", "message")
    found = [record for topic in topics for record in said(system, f"events.{topic}")]
    return [event for event in found if event["type"] != "tick"]


def kept(system: System) -> dict[Cell, int]:
    """The ledger in the changelogs, cell by cell."""
    found: Counter[Cell] = Counter()
    for partition in read_ledger(system.settings, lambda _done, _total: None):
        for number, day in partition.items():
            for key, entry in day.lines.items():
                found.update({(number, *key, name): getattr(entry, name) for name in COUNTS})
                found.update({(number, *key, f"reason:{reason}"): count for reason, count in entry.reasons.items()})
    return {cell: count for cell, count in found.items() if count}


def check_shown(rows: list[Wire], told: dict[Cell, int]) -> None:
    """Each number of the rows, worked out by hand from what the topics tell."""
    sums: dict[str, Counter[str]] = {}
    for (_, campaign, _, _, name), count in told.items():
        sums.setdefault(campaign, Counter())[name] += count
    assert {row["campaign"] for row in rows} == set(sums)
    for row in rows:
        known = sums[row["campaign"]]
        for name in COUNTS:
            assert row.get(name, known[name]) == known[name], (row["campaign"], name)
        assert row["recall_rate"] == share(known["recalled"], known["triggered"])
        assert row["held_recall_rate"] == share(known["held_recalled"], known["held_out"])
        assert row["cost_per_user"] == share(known["cost"], known["triggered"])
        assert row["cost_per_recalled"] == share(known["cost"], known["recalled"])
        if known["first"] and known["held_first"]:
            treated = known["first_recalled"] / known["first"]
            assert row["lift"][0] == treated - known["held_first_recalled"] / known["held_first"]
        else:
            assert row["lift"] is None


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def asked(system: System, *options: str) -> list[Wire]:
    """What `rekindle ledger` prints."""
    done = CliRunner().invoke(app, ["ledger", "--json", *options], env=system.environment)
    assert done.exit_code == 0, done.output
    rows: list[Wire] = json.loads(done.stdout)
    return rows


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


def test_every_number_of_the_ledger_follows_from_the_topics(tmp_path: Path, rules: Path, embedded_kafka: str) -> None:
    folder = tmp_path / f"loop-{tmp_path.name[-8:]}"
    folder.mkdir()
    fixed = {"clock": "event", "delivery": "at_least_once", "partitions": "3", "rules": str(rules)}
    answering: list[Answering] = []
    with System(folder, kafka=embedded_kafka, **fixed) as system:
        system.start(0)
        system.wait_until_ready()
        try:
            until = replayed(system, answering)
        finally:
            for each in answering:
                each.stop()
        assert [each.failure for each in answering] == [None] * 3
        shown = system.summary(0)
        assert shown is not None
        assert system.stop() == [0]
        told = recounted(
            applied(system),
            said(system, "recall-decisions"),
            said(system, "recall-triggers"),
            windows(system, rules),
            until,
        )
        assert kept(system) == told
        check_shown(shown["campaigns"], told)
        check_shown(asked(system), told)
        totals = Counter({name: sum(row[name] for row in shown["campaigns"]) for name in ("sent", "opened", "failed")})
        assert all(totals[name] > 2 for name in totals), totals
        for part in ("day", "variant", "channel"):
            assert sum(row["triggered"] for row in asked(system, "--by", part, "--campaign", "silent")) == sum(
                row["triggered"] for row in shown["campaigns"] if row["campaign"] == "silent"
            )
        reports = Counter(event["event_id"] for event in said(system, "events.message") if event["type"] == "message")
        assert max(reports.values()) > 1, "nothing was reported again after the restart"
