"""Gender, live: what workers say of who states nothing follows from the version they name, and what was known."""

import time
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from agents.churn.ensemble import Ensemble
from agents.churn.grid import Grid
from agents.churn.snapshot import Newest
from agents.gender.voice import Voice
from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.rules_file import load_rules
from schemas.decode import decode
from schemas.events import order_key
from schemas.examples import Example, Stated, Tastes
from schemas.times import DAY_MS, Millis, to_datetime
from tables.table import Table
from tests.flow.system import PATIENCE_S, System, Wire
from tests.flow.test_churn import SETTINGS, examples_of, wait_for_models
from tests.properties.test_gender import FEMALE_FROM, MALE_BELOW
from tests.test_gender import START, events, gender, is_diverse, states

GRID: Final = Grid(15 * DAY_MS, 30 * DAY_MS, DEFAULT_LIMITS.allowed_lateness_ms)
LEARNT: Final[Millis] = START + 80 * DAY_MS


@pytest.fixture(scope="module")
def history() -> list[Wire]:
    return sorted(events(), key=lambda event: (event["ts"], event["event_id"]))


def in_one(history: list[Wire]) -> tuple[list[Example], dict[tuple[str, Millis], Tastes]]:
    """The examples of one partition without a broker, and the tastes of who says nothing, at all instants."""
    limits = msgspec.structs.replace(DEFAULT_LIMITS, churn=GRID)
    partition = Partition(0, limits, Table(), rulebook=load_rules())
    assert partition.sampler is not None
    partition.sampler.guesses = True
    for event in sorted((decode(msgspec.json.encode(each)) for each in history), key=order_key):  # type: ignore[arg-type]  # no ticks
        partition.apply(event, event.ts)  # type: ignore[arg-type]  # likewise
    partition.advance(max(event["ts"] for event in history) + 1)
    samples = partition.sampler.take_samples()
    tastes = {(each.user_id, each.as_of): each.tastes for each in samples if each.tastes is not None}
    return partition.sampler.take_examples(), tastes


def voices(system: System) -> dict[str, Voice]:
    """What each version of the models has to say of gender."""
    newest, found = Newest(), dict[str, Voice]()
    for record in system.read(system.settings.topic_prefix + "churn-models"):
        newest.read([(record.key, record.value)])
        if (snapshot := newest.snapshot()) is not None:
            ensemble = Ensemble(GRID.horizon)
            ensemble.restore(snapshot.body)
            if ensemble.gender is not None:
                found[ensemble.gender.version] = ensemble.gender
    return found


def wait_for_scorers(system: System, as_of: Millis, workers: int) -> None:
    deadline, told = time.monotonic() + PATIENCE_S, f"by the models of {to_datetime(as_of).isoformat()[:19]}Z"
    while system.logs().count(told) < workers:
        assert time.monotonic() < deadline, system.logs()
        time.sleep(1)


def stated(examples: list[Example]) -> list[str]:
    return sorted(repr(each) for each in examples if isinstance(each, Stated))


def test_two_workers_say_what_the_model_that_they_name_says_of_what_a_backtest_knows(
    history: list[Wire], apache_kafka: Any, tmp_path: Path
) -> None:
    expected, tastes = in_one(history)
    with System(tmp_path, kafka=apache_kafka.bootstrap, **SETTINGS) as system:
        for number in range(2):
            system.start(number)
        system.publish([event for event in history if event["ts"] <= LEARNT])
        wait_for_models(system, GRID.before(LEARNT))
        wait_for_scorers(system, GRID.before(LEARNT), 2)
        system.publish([event for event in history if event["ts"] > LEARNT])
        system.wait_until_applied(max(event["ts"] for event in history))
        assert system.stop() == [0, 0]
        assert stated(examples_of(system)) == stated(expected)
        said = [change for change in system.changes() if change["tag"] == "gender"]
        known = voices(system)
    guessed = [change for change in said if change["cause"].startswith("gender:")]
    for change in guessed:
        as_of = GRID.before(change["at"] + 1)
        p = known[change["cause"].partition("@")[2]].guess(tastes[change["user_id"], as_of], as_of).p_female
        before = change["from"]
        assert change["to"] == ("female" if p >= FEMALE_FROM[before] else "male" if p < MALE_BELOW[before] else None)
    users = {int(change["user_id"][1:]): change["to"] for change in guessed}
    assert not any(states(user) or is_diverse(user) for user in users)
    assert len(users) > 30
    assert sum(users[user] == gender(user) for user in users) > 0.9 * len(users)
    assert {int(change["user_id"][1:]) for change in said} - users.keys() == {
        user for user in range(300) if states(user) and not is_diverse(user)
    }
