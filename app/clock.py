"""The clock on the wall; the core is told of it as an argument."""

from time import time

from schemas.times import SECOND_MS, Millis


def now() -> Millis:
    """The time of now."""
    return int(time() * SECOND_MS)
