"""What is known of the demo at a moment."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from app.demo.player import Act
from app.live.status import Summary

RATE_OVER_S: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Moment:
    """All that is known at a moment. `summary` is None until the worker has told anything."""

    label: str
    url: str
    act: Act
    sent: int
    total: int
    rate: float
    summary: Summary | None

    @property
    def has_begun(self) -> bool:
        """Whether the worker has applied an event."""
        return self.summary is not None and self.summary.events > 0


class Rate:
    """Events a second over the last few seconds, of a total that grows."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, events: int, now: float) -> float:
        """Note the total at a moment; how fast it grows."""
        self._seen.append((now, events))
        while len(self._seen) > 1 and now - self._seen[1][0] >= RATE_OVER_S:
            self._seen.popleft()
        then, before = self._seen[0]
        return max(events - before, 0) / (now - then) if now > then else 0.0
