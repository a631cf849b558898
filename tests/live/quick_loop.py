"""An event loop in which waiting takes no time: its clock jumps to whatever comes next, so that runs repeat exactly."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

TURN_S = 1e-6
"""What a turn of the loop takes at least: else who waits until just before a moment would wait for ever."""

Result = TypeVar("Result")


class _Jump(selectors.DefaultSelector):
    """Waits for nothing: what it was to wait is added to the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        if timeout is None:
            raise RuntimeError("everybody waits, and nothing is left that could happen")
        self.now += max(timeout, TURN_S)
        return super().select(0)


class QuickLoop(asyncio.SelectorEventLoop):
    """Not for work with the world outside: that takes time."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._jump.now


def run_quickly(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end, in no time."""
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        return runner.run(work)
