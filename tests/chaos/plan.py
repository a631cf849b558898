"""What will go wrong, and when: decided by a seed before anything begins."""

from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

KINDS: Final = {
    "power cut": "kill -9 of a worker, which is started again",
    "deploy": "SIGTERM to a worker, which has to end with exit code 0, and is started again",
    "zombie": "SIGSTOP of a worker for three sessions; others take over; then it wakes up",
    "doze": "SIGSTOP of a worker for half a session",
    "scale out": "one more worker joins, and stays",
    "scale in": "a worker leaves by SIGTERM for good",
    "blackout": "kill -9 of all workers, which are started again",
    "broker restart": "SIGTERM to the broker, which is started again",
    "broker power cut": "kill -9 of the broker, which is started again",
    "broker hang": "SIGSTOP of the broker",
    "Redis restart": "Redis is stopped, and started again, empty",
    "Redis flush": "FLUSHALL",
    "Redis hang": "SIGSTOP of Redis",
}

_SHORT: Final = (
    "zombie", "power cut", "scale out", "broker restart", "deploy", "Redis restart", "blackout", "Redis flush",
    "scale in", "broker power cut",
)  # fmt: skip
_MORE: Final = (
    "power cut", "power cut", "zombie", "deploy", "scale out", "scale in", "broker power cut", "broker hang",
)  # fmt: skip


class Fault(NamedTuple):
    """One thing that goes wrong. `pick`: which of those that run, from 0 to 1. `pause_s`: how long after the last."""

    kind: str
    pick: float
    lasts_s: float
    pause_s: float
    waits: bool
    """Whether the system may recover before the next fault comes."""


def plan(seed: int, *, short: bool = False) -> Sequence[Fault]:
    """The faults of a campaign: each kind at least once, some more often; the short one has fewer."""
    random = Random(seed)  # noqa: S311  repeatable
    kinds = list(_SHORT) if short else [*KINDS, *_MORE]
    random.shuffle(kinds)
    return [
        Fault(
            kind,
            pick=random.random(),
            lasts_s=round(random.uniform(0.5, 3), 1),
            pause_s=round(random.uniform(0.5, 3), 1),
            waits=random.random() < 0.7,
        )
        for kind in kinds
    ]
