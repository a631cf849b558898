"""The trainer as a child of the worker that owns the first partition: so there is one, and it moves with that."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

LOOK_EVERY_S: Final = 1.0
PAUSE_S: Final = 5.0
PATIENCE_S: Final = 5.0
COMMAND: Final = (sys.executable, "-m", "app.cli", "trainer", "--parent")
_LOG: Final = logging.getLogger(__name__)


class TrainerChild:
    """Keeps a trainer running while `is_wanted`, and ends it when it is not."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted
        self._process: subprocess.Popen[bytes] | None = None

    async def run(self) -> None:
        """Look after it until cancelled."""
        try:
            while True:
                await self._look_after()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._end()

    async def _look_after(self) -> None:
        if not self._is_wanted():
            self._end()
        elif self._process is None:
            self._process = subprocess.Popen((*COMMAND, str(os.getpid())))  # noqa: ASYNC220, S603  our own program, at once
            _LOG.info("the trainer is process %d", self._process.pid)
        elif (code := self._process.poll()) is not None:
            _LOG.warning("the trainer ended with exit code %d; it is started anew", code)
            self._process = None
            await asyncio.sleep(PAUSE_S)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S)
                return
            process.kill()
            process.wait()
