"""`rekindle worker --workers 2`: a process each, started anew after a fault, ended together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.demo.embedded import free_port
from tests.flow.system import System

PATIENCE_S: Final = 60


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607  a standard program
    return [int(line) for line in found.stdout.split()]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_worker_that_dies_is_started_anew_and_all_end_together(embedded_kafka: str, tmp_path: Path) -> None:
    system = System(
        tmp_path, kafka=embedded_kafka, topic_prefix="pool.", app_id="pool", partitions="2", clock="event",
        delivery="at_least_once", redis="redis://127.0.0.1:1", web_port=str(free_port()),
    )  # fmt: skip
    with (tmp_path / "pool.log").open("wb") as log:
        pool = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "worker", "--workers", "2"], env=system.environment, stderr=log
        )
    try:
        wait_until(lambda: len(children(pool.pid)) == 2)
        first = children(pool.pid)
        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: len(children(pool.pid)) == 2 and first[0] not in children(pool.pid))
        both = children(pool.pid)
        time.sleep(3)  # a worker that is still starting up ends without a word
        pool.terminate()
        assert pool.wait(PATIENCE_S) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in both)
    finally:
        pool.kill()


def test_what_a_person_must_mend_ends_all(tmp_path: Path) -> None:
    environment = {**os.environ, "REKINDLE_KAFKA": "127.0.0.1:1", "REKINDLE_WEB_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "worker", "--workers", "2"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no Kafka broker answers at 127.0.0.1:1" in done.stderr
