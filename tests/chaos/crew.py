"""The workers of a campaign: started, killed, put to sleep; whoever ends by itself is started again, and noted."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from threading import Event, RLock, Thread
from typing import Final, Self

from tests.flow.system import PATIENCE_S, System

LOOK_EVERY_S: Final = 0.3
RESTART_S: Final = 1.0
EXCUSE_S: Final = 15.0


class Crew:
    """Looks after the workers, as an operator's supervisor does. `note`: is told what happened without our doing."""

    def __init__(self, system: System, size: int, note: Callable[[str], None]) -> None:
        self.system = system
        self.excused_until = 0.0
        self.unexcused = 0
        self._note = note
        self._next = size
        self._lock = RLock()
        self._is_over = Event()
        self._guard = Thread(target=self._look_after, daemon=True)
        for number in range(size):
            system.start(number)
        self._guard.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def running(self) -> list[int]:
        """The numbers of the workers that should run."""
        with self._lock:
            return sorted(self.system.workers)

    def one(self, pick: float) -> int:
        """The worker that a number from 0 to 1 chooses."""
        running = self.running
        return running[int(pick * len(running))]

    def kill(self, *numbers: int) -> None:
        """Kill them at once."""
        with self._lock:
            for number in numbers:
                self.system.workers[number].kill()
            for number in numbers:
                self.system.kill(number)

    def start(self, *numbers: int) -> None:
        """Start them again."""
        with self._lock:
            for number in numbers:
                self.system.start(number)

    def add(self) -> int:
        """Start one more; its number."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            self.system.start(number)
        return number

    def retire(self, number: int) -> str:
        """Ask one to end, as a deployment does; how that went. It has to end well, unless the broker was just away."""
        self.wait_until_up(number)
        with self._lock:
            worker = self.system.workers.pop(number)
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(PATIENCE_S)
        assert code == 0 or self._is_excused, f"worker {number} ended with exit code {code} at SIGTERM"
        return f"worker {number} ended with exit code {code}"

    def wait_until_up(self, number: int) -> None:
        """A process that has not set its signal handlers yet would die of them."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.system.is_up(number) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)

    @contextmanager
    def asleep(self, number: int) -> Iterator[None]:
        """Stopped (SIGSTOP) in the meantime."""
        worker = self.system.workers[number]
        worker.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            worker.send_signal(signal.SIGCONT)

    @contextmanager
    def without_broker(self) -> Iterator[None]:
        """Meanwhile, and for a while after, a worker may end: one that starts, or that got nothing done for 30 s."""
        self.excused_until = inf
        try:
            yield
        finally:
            self.excused_until = time.monotonic() + EXCUSE_S

    @property
    def _is_excused(self) -> bool:
        return time.monotonic() <= self.excused_until

    def end(self) -> None:
        """Look after them no longer."""
        self._is_over.set()
        self._guard.join()

    def _look_after(self) -> None:
        while not self._is_over.wait(LOOK_EVERY_S):
            with self._lock:
                gone = {n: code for n, worker in self.system.workers.items() if (code := worker.poll()) is not None}
                for number in gone:
                    del self.system.workers[number]
            for number, code in gone.items():
                self.unexcused += not self._is_excused
                self._note(f"worker {number} ended by itself with exit code {code}, and was started again")
                self._is_over.wait(RESTART_S)
                self.start(number)
