"""The replay of the demo, in a thread of its own: reads the history, waits for the worker, then sends."""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from threading import Event, Thread
from typing import Final

from app.demo.story import Story, Telling
from app.replay.pace import Pace
from app.replay.replay import Replay
from app.settings import Settings
from schemas.times import DAY_MS, NEVER, SECOND_MS, Millis

TICKS_PER_S: Final = 10
_STOP_S: Final = 10
_LOOK_EVERY_S: Final = 0.5
_GRAIN_S: Final = 0.05
AHEAD_S: Final = 3.0
"""So long ago, at the replay's pace, is the time that the worker may still be at."""


class Act(StrEnum):
    """Where the replay stands."""

    READING = "reading the history"
    WAITING = "waiting for the worker"
    REPLAYING = "replaying"
    FINISHED = "replay finished"


class Player(Thread):
    """Replays a story within about `seconds`, or longer where the worker does not keep up.

    `failure` is what went wrong, if anything did. `reached`: how far time has come in the worker; the replay is never
    much further, as what is reported of a message waits for time to come where the replay was. `reported`: how many
    such reports there were; after the end those that are new make time go on by a millisecond, for they wait for it.
    """

    def __init__(self, story: Story, seconds: float) -> None:
        super().__init__(name="replay", daemon=True)
        self.act = Act.READING
        self.sent = self.total = self.reported = 0
        self.reached: Millis = 0
        self.failure: Exception | None = None
        self._story = story
        self._seconds = seconds
        self._settings: Settings | None = None
        self._told, self._stopped = Event(), Event()
        self._is_stopping = False

    def begin(self, settings: Settings) -> None:
        """Send to the broker of these settings, as soon as the history is read."""
        self._settings = settings
        self._told.set()

    def stop(self) -> None:
        """Send no more, and wait until the thread has ended."""
        self._is_stopping = True
        self._told.set()
        self._stopped.set()
        if self.is_alive():
            self.join(_STOP_S)

    def run(self) -> None:
        """What the thread does."""
        try:
            self._perform()
        except _StoppedError:
            pass
        except Exception as error:  # noqa: BLE001  the main thread raises it
            self.failure = error

    def _perform(self) -> None:
        telling = self._story.read()
        self.total = telling.total
        self.act = Act.WAITING
        self._told.wait()
        if self._settings is None or self._is_stopping:
            return
        self.act = Act.REPLAYING
        self.reached = max(self.reached, telling.first_ts)
        replay(self._settings, telling, self._seconds, self._note, self._reached).run()
        self.sent = self.total
        self.act = Act.FINISHED
        self._linger(self._settings, telling.last_ts)

    def _linger(self, settings: Settings, ts: Millis) -> None:
        taken_in = 0
        while not self._stopped.wait(_LOOK_EVERY_S):
            if self.reported != taken_in:
                taken_in, ts = self.reported, ts + 1
                Replay(settings, (), until=ts).run()

    def _reached(self) -> Millis:
        return NEVER if self._is_stopping else self.reached

    def _note(self, sent: int, _: Millis) -> None:
        self.sent = sent
        if self._is_stopping:
            raise _StoppedError


class _StoppedError(Exception):
    """The replay was asked to stop."""


class HeldPace(Pace):
    """A pace that also waits while event time would be further than `ahead_ms` beyond what was `reached`."""

    def __init__(self, speed: float | None, reached: Callable[[], Millis], ahead_ms: Millis) -> None:
        super().__init__(speed=speed, sleep=self._sleep)
        self._reached, self._ahead_ms = reached, ahead_ms
        self._next: Millis = 0

    @property
    def _is_ahead(self) -> bool:
        return self._next > self._reached() + self._ahead_ms

    def wait_s(self, ts: Millis, sent: int) -> float:
        """How many seconds it is too early; some where it is too far ahead."""
        self._next = ts
        return max(super().wait_s(ts, sent), _GRAIN_S if self._is_ahead else 0)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while self._is_ahead:  # noqa: ASYNC110  another thread sees how far the worker is
            await asyncio.sleep(_GRAIN_S)


def replay(
    settings: Settings,
    telling: Telling,
    seconds: float,
    progress: Callable[[int, Millis], None],
    reached: Callable[[], Millis],
) -> Replay:
    """A replay of that length; ticks come often enough that the page moves smoothly."""
    span = telling.last_ts - telling.first_ts
    speed = span / SECOND_MS / seconds
    tick_every = max(1, min(DAY_MS, int(span / (seconds * TICKS_PER_S))))
    pace = HeldPace(speed or None, reached, int(span * AHEAD_S / seconds) + DAY_MS)
    return Replay(settings, telling.events, pace=pace, tick_every=tick_every, progress=progress)
