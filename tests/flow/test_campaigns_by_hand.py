"""Campaigns told by hand, from the command line to real workers: runs, pauses, and kills amid them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from app.clock import now
from app.settings import Delivery
from schemas.topics import RECALL_DECISIONS, RECALL_TRIGGERS
from tests.flow.system import PATIENCE_S, System, Wire

RULES: Final = """
recall.quiet_hours = "none"
recall.cap = { max = 20, per = "1d" }

[[campaign]]
name = "word"
audience = 'attr("region") == "north"'
channels = [{ channel = "coupon", cost = 0.5 }]
hold_out = 0.2

[[campaign]]
name = "welcome"
on = { tag = "lifecycle", to = "active" }
channels = [{ channel = "gift" }]
"""
PARTITIONS: Final = 3


class Shop(System):
    """A system with two campaigns, on the clock on the wall."""

    def campaign(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What the command line says, as a process."""
        return subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "app.cli", "campaign", *arguments], env={**self.environment, "COLUMNS": "200"},
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip

    def told(self, *arguments: str) -> str:
        """The same, where it has to go well."""
        done = self.campaign(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    def listed(self) -> dict[str, Wire]:
        """All campaigns by name."""
        return {each["name"]: each for each in json.loads(self.told("list", "--json"))["campaigns"]}

    def decisions(self, campaign: str) -> list[Wire]:
        """What was decided for a campaign."""
        return self._said(RECALL_DECISIONS, campaign)

    def triggers(self, campaign: str) -> list[Wire]:
        """What was triggered for it."""
        return self._said(RECALL_TRIGGERS, campaign)

    def _said(self, topic: str, campaign: str) -> list[Wire]:
        """Records of a campaign; without copies where there may be some."""
        found = [json.loads(each.value) for each in self.read(self.settings.topic_prefix + topic)]
        own = [each for each in found if each["campaign"] == campaign]
        is_exact = self.settings.delivery is Delivery.EXACTLY_ONCE
        return own if is_exact else list({each["id"]: each for each in own}.values())

    def wait(self, until: Callable[[], bool]) -> None:
        """Return when it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not until():
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.2)


def shop_in(folder: Path, kafka: str, redis: str, delivery: str, **settings: str) -> Shop:
    rules = folder / "rules.toml"
    rules.write_text(RULES)
    return Shop(
        folder, kafka=kafka, redis=redis, rules=str(rules), partitions=str(PARTITIONS), delivery=delivery, **settings
    )


def come(shop: Shop, *users: str) -> None:
    """Users of the north come."""
    profile = {"type": "profile", "kind": "login", "attributes": {"region": "north"}}
    shop.publish([{**profile, "event_id": f"of-{user}", "user_id": user, "ts": now()} for user in users])


@pytest.mark.parametrize("broker", ["embedded", "apache"])
def test_a_run_is_told_of_done_paused_resumed_and_known_afterwards(
    broker: str, redis_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    kafka: Any = request.getfixturevalue(f"{broker}_kafka")
    is_embedded = broker == "embedded"
    delivery = "at_least_once" if is_embedded else "exactly_once"
    users = [f"user-{number}" for number in range(60)]
    with shop_in(tmp_path, kafka if is_embedded else kafka.bootstrap, redis_url, delivery) as shop:
        assert shop.listed()["word"] == {
            "name": "word", "on": None, "channels": ["coupon"], "mode": "on", "paused_at": None, "runs": [],
            "in_force": True,
        }  # fmt: skip
        assert shop.told("pause", "welcome") == "welcome is paused\n"
        shop.start(0)
        shop.wait_until_ready()
        come(shop, *users)
        shop.wait(lambda: len(shop.decisions("welcome")) == len(users))
        assert {reason for each in shop.decisions("welcome") for reason in each["reasons"]} == {"paused"}

        assert "has begun" in shop.told("run", "word", "--pace", "6", "--id", "first", "--yes")
        shop.wait(lambda: len(shop.decisions("word")) > 0)
        assert shop.told("pause", "word") == "word is paused\n"
        assert "paused by hand" in shop.campaign("run", "word", "--yes").stderr
        shop.wait(lambda: shop.summaries()[0]["paused"].keys() == {"welcome", "word"})
        there = shop.summaries()[0]["runs"][0]["users"]
        time.sleep(2)
        (run,) = shop.summaries()[0]["runs"]
        assert (run["users"], run["left"]) == (there, len(users) - there)
        assert shop.told("resume", "word") == "word is resumed\n"
        shop.wait(lambda: bool(shop.listed()["word"]["runs"][0]["over"]))
        assert "was begun before" in shop.told("run", "word", "--id", "first", "--yes")
        assert f"over, {len(users)} users" in shop.told("list")
        shop.wait(lambda: len({each["user_id"] for each in shop.decisions("word")}) == len(users))
        assert shop.stop() == [0]
        found = shop.decisions("word")
        triggers = shop.triggers("word")
    assert {each["cause"] for each in found} == {"run:first"}
    assert sorted(each["user_id"] for each in found) == sorted(users)
    assert {each["outcome"] for each in found} <= {"triggered", "held_out", "suppressed"}
    assert {each["id"] for each in triggers} == {each["id"] for each in found if each["outcome"] == "triggered"}
    assert len(triggers) > len(users) / 2


def test_workers_that_are_killed_amid_a_run_come_to_every_user_once(
    apache_kafka: Any, redis_url: str, tmp_path: Path
) -> None:
    users = [f"user-{number}" for number in range(200)]
    with shop_in(tmp_path, apache_kafka.bootstrap, redis_url, "exactly_once", session_timeout="6s") as shop:
        shop.start(0)
        shop.start(1)
        shop.wait_until_ready()
        come(shop, *users)
        shop.wait(lambda: len(shop.decisions("welcome")) == len(users))
        shop.told("run", "word", "--pace", "15", "--yes")
        for killed in (0, 1, 0):
            before = len(shop.decisions("word"))
            shop.wait(lambda before=before: len(shop.decisions("word")) > before)  # type: ignore[misc]  # its default
            shop.kill(killed)
            shop.start(killed)
        assert len(shop.decisions("word")) < len(users), "nobody was killed amid it"
        shop.wait(lambda: bool(shop.listed()["word"]["runs"][0]["over"]))
        shop.wait(lambda: len(shop.decisions("word")) >= len(users))
        assert shop.stop() == [0, 0]
        found = shop.decisions("word")
    assert sorted(each["user_id"] for each in found) == sorted(users)
    assert len({each["id"] for each in found}) == len(found)


def test_who_was_paused_while_nobody_worked_sends_nothing_from_the_first_event_on(
    embedded_kafka: str, redis_url: str, tmp_path: Path
) -> None:
    with shop_in(tmp_path, embedded_kafka, redis_url, "at_least_once") as shop:
        shop.start(0)
        shop.wait_until_ready()
        come(shop, "a")
        shop.wait(lambda: len(shop.decisions("welcome")) == 1)
        assert shop.stop() == [0]
        come(shop, "b", "c")
        shop.told("pause", "welcome")
        shop.start(0)
        shop.wait(lambda: len(shop.decisions("welcome")) == 3)
        assert shop.stop() == [0]
        said = {each["user_id"]: each["reasons"] or each["outcome"] for each in shop.decisions("welcome")}
    assert said == {"a": "triggered", "b": ["paused"], "c": ["paused"]}
