"""Several workers on one machine: a process each, started anew when one ends by a fault."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from time import monotonic, sleep
from types import FrameType
from typing import Final

NEEDS_A_PERSON: Final = 2
YOUNG_S: Final = 30.0
"""Where none has ever lived for so long, one that ends for something that a person must mend ends them all."""
PAUSE_S: Final = 2.0
LOOK_EVERY_S: Final = 0.2
PATIENCE_S: Final = 40.0

_LOG: Final = logging.getLogger(__name__)


class Pool:
    """Runs `count` workers until a signal. `options`: handed to each."""

    def __init__(self, count: int, first_port: int, options: Sequence[str]) -> None:
        self._ports = range(first_port, first_port + count)
        self._options = options
        self._running: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._start_at: dict[int, float] = {}
        self._is_stopping = False
        self._has_worked = False

    def run(self) -> int:
        """Keep the workers running; the exit code for all."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        code = 0
        while not self._is_stopping and code != NEEDS_A_PERSON:
            for port in self._ports:
                code = max(code, self._look_after(port))
            sleep(LOOK_EVERY_S)
        self._end()
        return code if code == NEEDS_A_PERSON else 0

    def _look_after(self, port: int) -> int:
        """Start the worker of a port if it does not run; 2 if it never will."""
        if port not in self._running:
            if monotonic() >= self._start_at.get(port, 0.0):
                self._running[port] = (self._start(port), monotonic())
            return 0
        process, started = self._running[port]
        self._has_worked |= monotonic() - started >= YOUNG_S
        if (code := process.poll()) is None:
            return 0
        _LOG.warning("the worker at port %d ended with exit code %d", port, code)
        del self._running[port]
        self._start_at[port] = monotonic() + PAUSE_S
        return NEEDS_A_PERSON if code == NEEDS_A_PERSON and not self._has_worked else 0

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "REKINDLE_WEB_PORT": str(port)}
        command = [sys.executable, "-m", "app.cli", "worker", *self._options]
        process = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603  our own program
        _LOG.info("the worker at port %d is process %d", port, process.pid)
        return process

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _end(self) -> None:
        """Let each write its last epoch."""
        for process, _ in self._running.values():
            process.terminate()
        deadline = monotonic() + PATIENCE_S
        for process, _ in self._running.values():
            try:
                process.wait(max(deadline - monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
