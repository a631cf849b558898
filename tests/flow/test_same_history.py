"""One history, three ways: `backtest`, `replay` to the embedded broker, `replay` to Apache Kafka and two workers.

Compared are both lifecycles and the tags of all built-in rules.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app.rules_file import load_rules
from schemas.times import parse_instant
from tests.flow.system import System
from tests.oracle import TAGS, effective, follow

FORMAT: Final = ("--format", "online-retail")
ALL_TAGS: Final = {*TAGS, *load_rules().names}
UNTIL: Final = "2011-12-10T00:00:00Z"


@pytest.fixture(scope="module")
def expected(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a backtest of the year says."""
    out = tmp_path_factory.mktemp("backtest")
    rekindle("backtest", str(published), *FORMAT, "--until", UNTIL, "--out", str(out))
    said = (json.loads(line) for line in (out / "tag-changes.jsonl").read_bytes().splitlines())
    return effective(said, ALL_TAGS)


def rekindle(*arguments: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-m", "app.cli", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def live(system: System, workers: int, published: Path) -> Iterator[dict[str, Any]]:
    """Replay the year to running workers; what they said."""
    with system:
        for number in range(workers):
            system.start(number)
        rekindle("replay", str(published), *FORMAT, "--until", UNTIL, environment=system.environment)
        system.wait_until_applied(parse_instant(UNTIL))
        assert system.stop() == [0] * workers
        yield from system.changes()


def test_a_worker_on_the_embedded_broker_says_what_the_backtest_says(
    published: Path, expected: Any, embedded_kafka: str, tmp_path: Path
) -> None:
    system = System(
        tmp_path, kafka=embedded_kafka, partitions="4", clock="event", delivery="at_least_once", rules="builtin"
    )
    said = list(live(system, 1, published))
    assert effective(said, ALL_TAGS) == expected
    assert follow(said, ALL_TAGS) == {
        user: {tag: moves[-1][2] for tag, moves in tags.items()} for user, tags in expected.items()
    }


def test_two_workers_on_apache_kafka_say_what_the_backtest_says(
    published: Path, expected: Any, apache_kafka: Any, tmp_path: Path
) -> None:
    system = System(tmp_path, kafka=apache_kafka.bootstrap, partitions="8", clock="event", rules="builtin")
    said = list(live(system, 2, published))
    assert effective(said, ALL_TAGS) == expected
    assert len({change["id"] for change in said}) == len(said)
