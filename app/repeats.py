"""Of what a library says again and again, once in a while is enough: a broker that is away must not fill a disk."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Final

EVERY_S: Final = 10.0
_OURS: Final = "app"
_MANY: Final = 10_000


class RepeatsFilter(logging.Filter):
    """Lets the same message of the same library through once in `every_s` seconds, and tells how often it came.

    The same: before its arguments are filled in. Our own messages pass always.
    """

    def __init__(self, every_s: float = EVERY_S, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it passes."""
        if record.name.split(".")[0] == _OURS:
            return True
        key, now = (record.name, str(record.msg)), self._clock()
        said_at, held_back = self._said.get(key, (now - self._every_s, 0))
        if now - said_at < self._every_s:
            self._said[key] = said_at, held_back + 1
            return False
        if len(self._said) >= _MANY:
            self._said.clear()
        self._said[key] = now, 0
        if held_back:
            record.msg = f"{record.msg} ({held_back} more like this since the last one)"
        return True
