"""`rekindle explain` of a live system on Apache Kafka says what it says of the same events in a file."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.times import DAY_MS, end_of_day
from tests.flow.system import START, System, Wire, ends_of
from tests.history.files import write_jsonl

BUYER: Final = "buyer"
ERASED: Final = "erased"
RETURNED: Final = "returned"
"""Erased, and so long ago that the system has forgotten that."""


def event(user: str, day: float, **fields: Any) -> Wire:
    return {"event_id": f"{user}-{day}", "user_id": user, "ts": START + int(day * DAY_MS), **fields}


def lives(user: str) -> list[Wire]:
    """A user who bought often, looked at shoes, left something in the cart, and has a friend who sets tags."""
    return [
        event(user, 0, type="profile", kind="registered", attributes={"region": "north"}),
        *(event(user, day + 0.1, type="order", order_id=f"{user}-{day}", total=99.5) for day in range(1, 20, 2)),
        *(event(user, day + 0.2, type="click", item_id="i", category="shoes", price=8) for day in range(12)),
        event(user, 21, type="order", order_id=f"{user}-1", status="returned", total=10),
        event(user, 30, type="cart", item_id="left", price=5),
        event(user, 31, type="tag", tag="tier", value="gold", ttl_ms=40 * DAY_MS),
    ]


EVENTS: Final = sorted(
    [
        *lives(BUYER),
        *lives(BUYER),  # copies
        *lives(ERASED),
        event(ERASED, 32, type="profile", kind="erased"),
        event(ERASED, 33, type="click", item_id="again"),
        *lives(RETURNED),
        event(RETURNED, 32, type="profile", kind="erased"),
        event(RETURNED, 45, type="order", order_id="again", total=1),
        *(event(f"other-{number}", 50 + number, type="click", item_id="i") for number in range(8)),
        event("other-0", 60, type="click", item_id="end"),
    ],
    key=lambda each: each["ts"],
)


def explain(system: System, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", "explain", *map(str, arguments)]
    return subprocess.run(command, env=system.environment, capture_output=True, text=True, check=False)  # noqa: S603


def told(system: System, *arguments: str | Path) -> Any:
    done = explain(system, *arguments, "--all", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return {name: part for name, part in json.loads(done.stdout).items() if name != "where"}


@pytest.fixture(scope="module")
def system(apache_kafka: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that has applied all events, and whose worker has gone."""
    folder = tmp_path_factory.mktemp("explain")
    with System(
        folder, kafka=apache_kafka.bootstrap, partitions="3", clock="event", epoch_ms="50", rules="builtin"
    ) as system:
        system.start(0)
        system.publish(EVENTS)
        system.wait_until_applied(ends_of(EVENTS))
        assert system.stop() == [0]
        system.send([event(BUYER, 59, type="order", order_id="nobody-has-applied-it", total=1000)])
        yield system


@pytest.mark.parametrize("user", [BUYER, ERASED, RETURNED, "other-3"])
def test_the_live_system_is_explained_as_the_file_is(system: System, user: str, tmp_path: Path) -> None:
    live, filed = told(system, user), told(system, user, write_jsonl(tmp_path / "history.jsonl", EVENTS))
    assert live == filed


def test_the_tags_of_a_live_user_tell_their_reasons(system: System) -> None:
    tags = {tag["name"]: tag for tag in told(system, BUYER)["tags"]}
    assert (tags["tier"]["value"], tags["tier"]["by_hand"]) == ("gold", True)
    assert (tags["loyalty"]["value"], tags["loyalty"]["because"]) == ("regular", "by an order")
    assert tags["cart.abandoned"]["ends_at"] == end_of_day(START + 31 * DAY_MS) + 30 * DAY_MS
    assert len(tags["loyalty"]["events"]) == 5


@pytest.mark.parametrize("user", [ERASED, RETURNED])
def test_of_the_erased_nothing_older_is_told(system: System, user: str) -> None:
    text = explain(system, user, "--all").stdout
    assert text.startswith(f"User {user}, as of ")
    assert "shoes" not in text
    assert "99.5" not in text


def test_what_is_not_there_is_told_in_one_line(system: System) -> None:
    nobody = explain(system, "nobody")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "no user 'nobody' is known" in nobody.stderr
    environment = system.environment
    try:
        system.environment = {**environment, "REKINDLE_APP_ID": "another"}
        unknown = explain(system, BUYER)
    finally:
        system.environment = environment
    assert (unknown.returncode, unknown.stdout, unknown.stderr.count("\n")) == (2, "", 1)
    assert "there is no topic" in unknown.stderr
