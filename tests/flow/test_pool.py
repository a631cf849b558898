"""`rekindle worker --workers 2`: a process each, started anew after a fault, ended together."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from app.demo.embedded import free_port
from tests.flow.system import System

PATIENCE_S: Final = 60


def started(log: Path) -> list[int]:
    """The processes that a pool tells to have started."""
    return [int(number) for number in re.findall(r"is process (\d+)", log.read_text())]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_worker_that_dies_is_started_anew_and_all_end_together(embedded_kafka: str, tmp_path: Path) -> None:
    system = System(
        tmp_path, kafka=embedded_kafka, partitions="2", clock="event", delivery="at_least_once",
        web_port=str(free_port()),
    )  # fmt: skip
    log = tmp_path / "pool.log"
    with log.open("wb") as file:
        pool = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "worker", "--workers", "2"], env=system.environment, stderr=file
        )
    try:
        wait_until(lambda: len(started(log)) == 2)
        os.kill(started(log)[0], signal.SIGKILL)
        wait_until(lambda: len(started(log)) == 3)
        assert "ended with exit code -9" in log.read_text()
        wait_until(lambda: log.read_text().count("the web view is at") >= 2)
        pool.terminate()
        assert pool.wait(PATIENCE_S) == 0
        for number in started(log):
            with pytest.raises(ProcessLookupError):
                os.kill(number, 0)
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
