"""The replay of the demo, in a thread of its own: reads the history, waits for the worker, then sends."""

from collections.abc import Callable
from enum import StrEnum
from threading import Event, Thread
from typing import Final

from app.demo.story import Story, Telling
from app.replay.pace import Pace
from app.replay.replay import Replay
from app.settings import Settings
from schemas.times import DAY_MS, SECOND_MS, Millis

TICKS_PER_S: Final = 10
_STOP_S: Final = 10


class Act(StrEnum):
    """Where the replay stands."""

    READING = "reading the history"
    WAITING = "waiting for the worker"
    REPLAYING = "replaying"
    FINISHED = "replay finished"


class Player(Thread):
    """Replays a story within about `seconds`; `failure` is what went wrong, if anything did."""

    def __init__(self, story: Story, seconds: float) -> None:
        super().__init__(name="replay", daemon=True)
        self.act = Act.READING
        self.sent = self.total = 0
        self.failure: Exception | None = None
        self._story = story
        self._seconds = seconds
        self._settings: Settings | None = None
        self._told = Event()
        self._is_stopping = False

    def begin(self, settings: Settings) -> None:
        """Send to the broker of these settings, as soon as the history is read."""
        self._settings = settings
        self._told.set()

    def stop(self) -> None:
        """Send no more, and wait until the thread has ended."""
        self._is_stopping = True
        self._told.set()
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
        replay(self._settings, telling, self._seconds, self._note).run()
        self.sent = self.total
        self.act = Act.FINISHED

    def _note(self, sent: int, _: Millis) -> None:
        self.sent = sent
        if self._is_stopping:
            raise _StoppedError


class _StoppedError(Exception):
    """The replay was asked to stop."""


def replay(settings: Settings, telling: Telling, seconds: float, progress: Callable[[int, Millis], None]) -> Replay:
    """A replay of that length; ticks come often enough that the page moves smoothly."""
    span = telling.last_ts - telling.first_ts
    speed = span / SECOND_MS / seconds
    tick_every = max(1, min(DAY_MS, int(span / (seconds * TICKS_PER_S))))
    return Replay(settings, telling.events, pace=Pace(speed=speed or None), tick_every=tick_every, progress=progress)
