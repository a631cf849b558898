"""Learned channels, live: each trigger is one lesson, and what is chosen follows from the version that is named."""

import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import pytest

from agents.churn.grid import Grid
from agents.churn.restored import restored
from agents.churn.snapshot import Newest
from agents.limits import DEFAULT_LIMITS
from agents.recall.chance import chance
from agents.recall.policy import UNIFORM, Policy
from schemas.events import UserId
from schemas.examples import Lesson, user_key
from schemas.recall import RecallDecision
from schemas.times import DAY_MS, HOUR_MS, Millis, to_datetime
from tests.flow.system import PATIENCE_S, System, Wire
from tests.flow.test_churn import SETTINGS, examples_of, wait_for_models

GRID: Final = Grid(15 * DAY_MS, 30 * DAY_MS, DEFAULT_LIMITS.allowed_lateness_ms)
START: Final = 19_710 * DAY_MS
USERS: Final = 200
VISITS: Final = 5
LEARNT: Final[Millis] = START + 94 * DAY_MS
RULES: Final = """
[recall]
quiet_hours = "none"
[[campaign]]
name = "silent"
on = { tag = "lifecycle", to = "silent" }
channels = [{ channel = "push", cost = 0.02 }, { channel = "sms", cost = 0.05 }, { channel = "coupon", cost = 1 }]
choose = "learned"
hold_out = 0.1
"""


@pytest.fixture(scope="module")
def history() -> list[Wire]:
    """Everyone agrees to push, every other user to sms; all go silent now and then, and some come back at once."""
    random, found = Random(11), list[Wire]()  # noqa: S311  people, no secret
    for number in range(USERS):
        at = START + random.randrange(5 * DAY_MS)
        head: Wire = {"user_id": f"u{number}"}
        agreed = {"push": True, "sms": number % 2 == 0}
        said = {"type": "profile", "event_id": f"p{number}", "consent": agreed, "reachable": ["push", "sms"]}
        found.append({**head, **said, "ts": at})
        for visit in range(VISITS):
            found.append({**head, "type": "click", "item_id": "i", "event_id": f"{number}-{visit}", "ts": at + 1})
            at += 30 * DAY_MS + random.choice([HOUR_MS, 3 * DAY_MS])
    return sorted(found, key=lambda event: (event["ts"], event["event_id"]))


def policies(system: System) -> dict[str, Policy]:
    """What each version of the models has learnt of channels."""
    newest, found = Newest(), {UNIFORM.version: UNIFORM}
    for record in system.read(system.settings.topic_prefix + "churn-models"):
        newest.read([(record.key, record.value)])
        if (snapshot := newest.snapshot()) is not None and (policy := restored(snapshot).channels) is not None:
            found[policy.version] = policy
    return found


def decisions(system: System) -> list[RecallDecision]:
    records = system.read(system.settings.topic_prefix + "recall-decisions")
    found = [msgspec.json.decode(record.value, type=RecallDecision) for record in records]
    return [each for each in found if each.campaign == "silent" and isinstance(each.propensities, dict)]


def wait_for_scorers(system: System, as_of: Millis, workers: int) -> None:
    deadline, told = time.monotonic() + PATIENCE_S, f"by the models of {to_datetime(as_of).isoformat()[:19]}Z"
    while system.logs().count(told) < workers:
        assert time.monotonic() < deadline, system.logs()
        time.sleep(1)


def drawn(propensities: dict[str, float], user_id: UserId, at: Millis) -> str:
    left = chance("channel", f"silent/{at}", user_id)
    for name, share in propensities.items():
        left -= share
        if left < 0:
            return name
    return name


def test_workers_choose_by_the_version_that_they_name_and_each_trigger_is_one_lesson_through_a_crash(
    history: list[Wire], apache_kafka: Any, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    end = max(event["ts"] for event in history)
    with System(tmp_path, kafka=apache_kafka.bootstrap, **{**SETTINGS, "rules": str(rules)}) as system:
        for number in range(2):
            system.start(number)
        system.publish([event for event in history if event["ts"] <= LEARNT])
        wait_for_models(system, GRID.before(LEARNT))
        wait_for_scorers(system, GRID.before(LEARNT), 2)
        system.publish([event for event in history if event["ts"] > LEARNT])
        system.kill(1)
        system.start(1)
        system.wait_until_applied(end)
        assert system.stop() == [0, 0]
        made, known = decisions(system), policies(system)
        lessons = [each for each in examples_of(system) if isinstance(each, Lesson)]
    contexts = {(each.user, each.at): each for each in lessons}
    assert len(contexts) == len(lessons)
    triggered = [each for each in made if each.outcome == "triggered"]
    done = {(user_key(each.user_id), each.at) for each in triggered if each.at + 8 * DAY_MS < end}
    assert done <= contexts.keys() <= {(user_key(each.user_id), each.at) for each in triggered}
    assert Counter(each.outcome for each in made)["held_out"] > 20
    for each in made:
        agreed = int(each.user_id[1:]) % 2 == 0
        assert isinstance(each.propensities, dict)
        assert list(each.propensities) == (["push", "sms", "coupon"] if agreed else ["push", "coupon"])
        assert each.recall_channel == drawn(each.propensities, each.user_id, each.at)
        lesson = contexts.get((user_key(each.user_id), each.at))
        if lesson is not None and each.outcome == "triggered":
            assert (lesson.channel, lesson.propensities) == (each.recall_channel, each.propensities)
            expected = known[str(each.policy)].propensities("silent", list(each.propensities), lesson.context)
            assert each.propensities == expected
    late = [each for each in triggered if each.at > LEARNT]
    assert any(max(each.propensities.values()) > 0.9 for each in late if isinstance(each.propensities, dict))
