"""How fast a replay goes: event time against the clock, and events per second."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self

from schemas.times import NEVER, SECOND_MS, Millis

_GRAIN_S: Final = 0.01
"""Shorter waits are not worth it: events come in small bursts."""


@dataclass(kw_only=True)
class Pace:
    """How fast: `speed` is ms of event time per ms, `rate` events per second; None: as fast as it goes."""

    speed: float | None = None
    rate: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def start(self, ts: Millis) -> Self:
        """Event time is `ts` now, and nothing was sent."""
        self._origin, self._started = ts, self.clock()
        return self

    def now(self) -> Millis:
        """How far event time may have come by now."""
        if self.speed is None:
            return NEVER
        return self._origin + int((self.clock() - self._started) * SECOND_MS * self.speed)

    def wait_s(self, ts: Millis, sent: int) -> float:
        """How many seconds it is too early for event time to be `ts`, after so many events; 0 if it is not."""
        due = 0.0
        if self.speed is not None:
            due = (ts - self._origin) / SECOND_MS / self.speed
        if self.rate is not None:
            due = max(due, sent / self.rate)
        left = self._started + due - self.clock()
        return left if left > _GRAIN_S else 0
