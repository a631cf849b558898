"""Churn, live: the examples and labels of a backtest, whatever the workers; one trainer, whose crash costs nothing."""

import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from os import getppid, kill
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from kafka import KafkaProducer

from agents.churn import snapshot as module
from agents.churn.grid import Grid
from agents.churn.snapshot import Newest, Snapshot, records_of
from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from schemas.decode import decode
from schemas.events import order_key
from schemas.examples import Example, Swept
from schemas.times import DAY_MS
from tables.table import Table
from tests.flow.system import PATIENCE_S, System, Wire
from tests.test_predictions import events

SETTINGS: Final = {
    "clock": "event",
    "partitions": "3",
    "rules": "builtin",
    "churn": "true",
    "churn_every": "15d",
    "churn_horizon": "30d",
    "epoch_ms": "50",
}
GRID: Final = Grid(15 * DAY_MS, 30 * DAY_MS, DEFAULT_LIMITS.allowed_lateness_ms)


@pytest.fixture(scope="module")
def history() -> list[Wire]:
    return sorted(events(), key=lambda event: (event["ts"], event["event_id"]))


@pytest.fixture(scope="module")
def expected(history: list[Wire]) -> Counter[str]:
    """The examples of one partition, in order, without a broker."""
    partition = Partition(0, msgspec.structs.replace(DEFAULT_LIMITS, churn=GRID), Table())
    for event in sorted((decode(msgspec.json.encode(each)) for each in history), key=order_key):  # type: ignore[arg-type]  # no ticks
        partition.apply(event, event.ts)  # type: ignore[arg-type]  # likewise
    partition.advance(max(event["ts"] for event in history) + 1)
    return counted(partition.collect().examples)


def counted(examples: Any) -> Counter[str]:
    return Counter(repr(each) for each in examples if not isinstance(each, Swept))


def examples_of(system: System) -> list[Example]:
    decoder = msgspec.json.Decoder(Example)
    return [decoder.decode(record.value) for record in system.read(system.settings.topic_prefix + "churn-examples")]


def versions(system: System) -> Iterator[int]:
    """The instants of the models that a reader of their topic comes by, one after the other."""
    newest, last = Newest(), -1
    for record in system.read(system.settings.topic_prefix + "churn-models"):
        newest.read([(record.key, record.value)])
        snapshot = newest.snapshot()
        if snapshot is not None and snapshot.as_of != last:
            last = snapshot.as_of
            yield last


def wait_for_models(system: System, as_of: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while as_of not in list(versions(system)):
        assert time.monotonic() < deadline, system.logs()
        time.sleep(1)


def trainers(system: System) -> list[int]:
    """The processes that train, of those that workers of a system say they started."""
    return [pid for pid in map(int, re.findall(r"the trainer is process (\d+)", system.logs())) if is_alive(pid)]


def run_trainer(system: System, *options: str) -> subprocess.CompletedProcess[str]:
    """A trainer by hand, which has to end by itself."""
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "app.cli", "trainer", *options],
        env=system.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def is_alive(pid: int) -> bool:
    try:
        kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def last_instant(history: list[Wire]) -> int:
    return GRID.before(max(event["ts"] for event in history) + 1)


def test_two_workers_give_the_examples_of_a_backtest_and_the_models_follow(
    history: list[Wire], expected: Counter[str], apache_kafka: Any, tmp_path: Path
) -> None:
    with System(tmp_path, kafka=apache_kafka.bootstrap, **SETTINGS) as system:
        for number in range(2):
            system.start(number)
        system.publish(history)
        system.wait_until_applied(max(event["ts"] for event in history))
        wait_for_models(system, last_instant(history))
        assert len(trainers(system)) == 1
        assert system.stop() == [0, 0]
        assert counted(examples_of(system)) == expected
        found = list(versions(system))
        assert found == sorted(set(found))
        risks = [change for change in system.changes() if change["tag"] == "churn.risk"]
        assert {change["to"] for change in risks} > {"low"}
        assert all(change["cause"].startswith("churn:") for change in risks)
        assert not trainers(system)


def test_a_trainer_that_is_killed_starts_anew_and_says_no_version_twice(
    history: list[Wire], expected: Counter[str], apache_kafka: Any, tmp_path: Path
) -> None:
    half = len(history) // 2
    with System(tmp_path, kafka=apache_kafka.bootstrap, **SETTINGS) as system:
        system.start(0)
        system.publish(history[:half])
        system.wait_until_applied(max(event["ts"] for event in history[:half]))
        wait_for_models(system, last_instant(history[:half]))
        (first,) = trainers(system)
        kill(first, signal.SIGKILL)
        system.publish(history[half:])
        system.wait_until_applied(max(event["ts"] for event in history))
        wait_for_models(system, last_instant(history))
        assert trainers(system) != [first]
        assert counted(examples_of(system)) == expected
        found = list(versions(system))
        assert found == list(range(found[0], last_instant(history) + 1, GRID.every_ms))


def test_models_by_the_features_of_another_version_give_way(
    history: list[Wire], apache_kafka: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(module, "_FEATURES", 1)
        records = records_of(Snapshot(last_instant(history), GRID.every_ms, GRID.horizon_ms, b"other models"))
    with System(tmp_path, kafka=apache_kafka.bootstrap, **SETTINGS) as system:
        producer = KafkaProducer(bootstrap_servers=apache_kafka.bootstrap)
        for key, value in records:
            producer.send(system.settings.topic_prefix + "churn-models", value, key=key, partition=0)
        producer.close()
        system.start(0)
        system.publish(history)
        deadline = time.monotonic() + PATIENCE_S
        while "scores by the models of" not in system.logs():
            assert time.monotonic() < deadline, system.logs()
            time.sleep(1)
        assert system.logs().count("on other features; this version's take their place") == 1
        assert system.logs().count("on other features; scores go on as they were") == 1
        assert system.stop() == [0]


def test_a_trainer_by_hand_takes_over_from_the_workers(apache_kafka: Any, tmp_path: Path) -> None:
    with System(tmp_path, kafka=apache_kafka.bootstrap, **{**SETTINGS, "churn": "false"}) as system:
        done = run_trainer(system)
    assert (done.returncode, done.stderr) == (2, "rekindle: REKINDLE_CHURN is false: there is nothing to train\n")


def test_a_trainer_whose_parent_was_gone_before_it_could_look_ends_by_itself(apache_kafka: Any, tmp_path: Path) -> None:
    with System(tmp_path, kafka=apache_kafka.bootstrap, **SETTINGS) as system:
        done = run_trainer(system, "--parent", str(getppid()))
    assert done.returncode == 0, done.stderr


def test_workers_that_are_killed_neither_lose_nor_double_an_example(
    history: list[Wire], expected: Counter[str], apache_kafka: Any, tmp_path: Path
) -> None:
    with System(tmp_path, kafka=apache_kafka.bootstrap, **{**SETTINGS, "session_timeout": "6s"}) as system:
        for number in range(2):
            system.start(number)
        for begin, killed in ((0, 0), (1, 1), (2, 0)):
            system.publish(history[begin * len(history) // 3 : (begin + 1) * len(history) // 3])
            system.kill(killed)
            system.start(killed)
        system.wait_until_applied(max(event["ts"] for event in history))
        assert counted(examples_of(system)) == expected
