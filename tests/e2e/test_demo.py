"""`rekindle demo`, whole: a history goes through broker, worker and store, and ends as a backtest of it ends."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app.demo.embedded import HOST, free_port
from schemas.times import DAY_MS
from tests.history.files import write_jsonl

REKINDLE: Final = Path(sys.executable).with_name("rekindle")
START: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
EVENTS: Final = 400
PATIENCE_S: Final = 60


def records() -> Iterator[dict[str, Any]]:
    """Events of 40 users over 100 days; some come often, some only in the beginning."""
    chance = random.Random(7)  # noqa: S311  a test needs no secrecy
    for number in range(EVENTS):
        user = chance.randrange(40)
        ts = START + int(chance.random() * 100 * DAY_MS * (1 if user % 2 else 0.5))
        event = {"event_id": f"e{number}", "user_id": f"user <{user}>", "ts": ts}
        if chance.random() < 0.3:
            yield {**event, "type": "order", "order_id": f"o{number}", "total": 10}
        else:
            yield {**event, "type": "click", "item_id": "i"}


def expected(history: Path, out: Path) -> dict[str, dict[str, int]]:
    """Users by state, as a backtest tells them."""
    command = [str(REKINDLE), "backtest", str(history), "--out", str(out), "--json"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603  our own
    return {tag: users_of(lifecycle["states"]) for tag, lifecycle in report["lifecycles"].items()}


def users_of(states: dict[str, int]) -> dict[str, int]:
    return {state: count for state, count in states.items() if count and state != "total"}


def get(port: int, path: str) -> bytes | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == http.client.OK else None
    except OSError:
        return None
    finally:
        connection.close()


def summary(port: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(port, "/api/summary") or b"{}")
    return found


def eventually(holds: Callable[[], bool], process: subprocess.Popen[str], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until, what
        time.sleep(0.2)


def still_running(pids: set[int]) -> set[int]:
    """Those that run, of some processes; one that has ended, but was not waited for, does not."""
    return {pid for pid in pids if (told := stat(pid)) and told[0] != "Z"}


def stat(pid: int) -> list[str]:
    """A process' state, its parent and more, from behind its name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def children(parent: int) -> set[int]:
    found = {int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()}
    return {pid for pid in found if (told := stat(pid)) and told[1] == str(parent)}


def without_reports(told: dict[str, Any]) -> int:
    """How many events of the history were applied; what is simulated of messages counts too."""
    kinds = ("sent", "delivered", "opened", "clicked", "failed", "unsubscribed")
    return int(told["events"]) - sum(int(row[kind]) for row in told["campaigns"] for kind in kinds)


def is_answered(campaigns: list[dict[str, Any]]) -> bool:
    """Whether there were triggers, and what became of each was reported, also of the last ones."""
    triggered = sum(int(row["triggered"]) for row in campaigns)
    return 0 < triggered == sum(int(row["sent"]) + int(row["failed"]) for row in campaigns)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """The demo of a small history, its port, and the history."""
    history = write_jsonl(tmp_path / "mine.jsonl", records())
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REKINDLE_")}
    environment["REKINDLE_WEB_TOKEN"] = "not-for-the-demo"  # noqa: S105  it is for this machine alone
    with subprocess.Popen(  # noqa: S603  our own
        [str(REKINDLE), "demo", str(history), "--seconds", "5", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env=environment,
    ) as process:
        try:
            yield process, port, history
        finally:
            process.kill()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_the_demo_ends_as_a_backtest_ends_and_leaves_nothing_behind(
    demo: tuple[subprocess.Popen[str], int, Path], tmp_path: Path
) -> None:
    process, port, history = demo
    eventually(lambda: bool(summary(port).get("newest")), process, "no change came")
    assert b"user &lt;" in (get(port, "/") or b"")
    eventually(lambda: without_reports(summary(port)) == EVENTS, process, "not all came")
    wanted = expected(history, tmp_path / "out")
    eventually(
        lambda: {tag: users_of(users) for tag, users in summary(port)["users"].items()} == wanted,
        process,
        f"other states than {wanted}",
    )
    eventually(lambda: is_answered(summary(port)["campaigns"]), process, "triggers without a report")
    servers = children(process.pid)
    assert len(servers) == 3
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert told.splitlines()[-1] == "stopped: worker, store and broker are gone"
    assert "Traceback" not in told
    assert still_running(servers) == set()


def test_a_history_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    command = [str(REKINDLE), "demo", str(tmp_path / "none.jsonl")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  our own
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "there is no such file" in done.stderr
