"""The simulated messaging system of the demo, in a thread of its own."""

from threading import Event, Thread
from typing import Final

from app.messaging.office import Office
from app.messaging.rates import DEFAULT_RATES
from app.messaging.simulator import Simulator
from app.settings import RULES_NONE, Settings

_STOP_S: Final = 10


class Answering(Thread):
    """Answers triggers from `begin` on; `failure` is what went wrong, if anything did."""

    def __init__(self) -> None:
        super().__init__(name="simulated-messaging", daemon=True)
        self.failure: Exception | None = None
        self._simulator: Simulator | None = None
        self._stop_asked = Event()

    @property
    def reported(self) -> int:
        """How many reports the broker has."""
        return 0 if self._simulator is None else self._simulator.reported

    def begin(self, settings: Settings) -> None:
        """Answer on the broker of these settings, where there are campaigns."""
        if settings.rules != RULES_NONE:
            self._simulator = Simulator(settings, Office(DEFAULT_RATES, seed=0))
            self.start()

    def stop(self) -> None:
        """Answer no more, and wait until the thread has ended."""
        self._stop_asked.set()
        if self.is_alive():
            self.join(_STOP_S)

    def run(self) -> None:
        """What the thread does."""
        if self._simulator is None:
            return
        try:
            self._simulator.run(self._stop_asked)
        except Exception as error:  # noqa: BLE001  the main thread raises it
            self.failure = error
