"""One history, three ways: `backtest`, `replay` to the embedded broker, `replay` to Apache Kafka and two workers.

Compared are both lifecycles, the tags of all built-in rules, and users by state and day.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app.moves import KnownMoves, added, flows, population
from app.rules_file import load_rules
from schemas.times import parse_instant
from tables.moves import read_moves
from tests.flow.system import System
from tests.oracle import TAGS, effective, follow

FORMAT: Final = ("--format", "online-retail")
ALL_TAGS: Final = {*TAGS, *load_rules().names}
UNTIL: Final = "2011-12-10T00:00:00Z"


@pytest.fixture(scope="module")
def backtested(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a backtest of the year wrote."""
    out = tmp_path_factory.mktemp("backtest")
    rekindle("backtest", str(published), *FORMAT, "--until", UNTIL, "--out", str(out))
    return out


@pytest.fixture(scope="module")
def expected(backtested: Path) -> Any:
    """What a backtest of the year says."""
    said = (json.loads(line) for line in (backtested / "tag-changes.jsonl").read_bytes().splitlines())
    return effective(said, ALL_TAGS)


@pytest.fixture(scope="module")
def reported(backtested: Path) -> Any:
    """Users by state and by day, and who went from where to where, as the report has them."""
    lifecycles = json.loads((backtested / "report.json").read_bytes())["lifecycles"]
    return {tag: (each["by_day"], each["flows"]) for tag, each in lifecycles.items()}


def counted(system: System) -> Any:
    """The same by the moves in the changelogs."""
    restores = system.restores()
    known = added(
        KnownMoves.of(each.marker.state, read_moves(each.days)) for each in restores if each.marker is not None
    )
    found = {}
    for tag, (days, users) in population(known).items():
        moves = flows(known, tag, days[0], days[-1]).items()
        by_day = {"days": [day.isoformat() for day in days], **{str(state): n for state, n in users.items()}}
        found[tag] = by_day, [{"from": before, "to": after, "count": count} for (before, after), count in moves]
    return found


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
    published: Path, expected: Any, reported: Any, embedded_kafka: str, tmp_path: Path
) -> None:
    system = System(
        tmp_path, kafka=embedded_kafka, partitions="4", clock="event", delivery="at_least_once", rules="builtin"
    )
    said = list(live(system, 1, published))
    assert effective(said, ALL_TAGS) == expected
    assert follow(said, ALL_TAGS) == {
        user: {tag: moves[-1][2] for tag, moves in tags.items()} for user, tags in expected.items()
    }
    assert counted(system) == reported


def test_two_workers_on_apache_kafka_say_what_the_backtest_says(
    published: Path, expected: Any, reported: Any, apache_kafka: Any, tmp_path: Path
) -> None:
    system = System(tmp_path, kafka=apache_kafka.bootstrap, partitions="8", clock="event", rules="builtin")
    said = list(live(system, 2, published))
    assert effective(said, ALL_TAGS) == expected
    assert len({change["id"] for change in said}) == len(said)
    assert counted(system) == reported
