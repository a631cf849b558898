"""What happens to the workers of a partition, and when: decided by chance, or by a plan that can be made smaller."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import cycle
from random import Random
from typing import Final, NamedTuple, Protocol, TypeVar

from hypothesis import strategies as st

EPOCH_S: Final = 0.1
PAUSES_S: Final = (0, 0, 0, 0.01, 0.05, EPOCH_S)
MAX_FAULTS: Final = 12
MAX_CHUNK: Final = 6

Any = TypeVar("Any")


class Fault(Enum):
    """What may happen to a worker where it waits for its log."""

    CRASH = "crash"
    CANCELLED = "cancelled"
    TAKEN_OVER = "taken over"


class Handing(NamedTuple):
    """Who of those that want them gets the next records; of which topic; how many. Astray: not the next ones."""

    worker: int
    topic: int
    size: int
    astray: int | None


class Fate(Protocol):
    """Asked whenever something may happen."""

    def worker(self, workers: int) -> int:
        """Who gets the partition next."""

    def is_handed_over(self) -> bool:
        """Whether the group gives the partition to somebody now."""

    def is_told(self) -> bool:
        """Whether the one before learns of it."""

    def pause_s(self) -> float:
        """How long nothing happens."""

    def handing(self) -> Handing:
        """The next records."""

    def meanwhile(self) -> int:
        """How many chunks come while a log waits."""

    def compacts(self) -> bool:
        """Whether the changelog is compacted now."""

    def fault(self) -> Fault | None:
        """What happens where a log waits."""


class Chance:
    """A seed decides."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def worker(self, workers: int) -> int:
        return self._random.randrange(workers)

    def is_handed_over(self) -> bool:
        return self._random.random() < 0.03

    def is_told(self) -> bool:
        return self._random.random() < 0.5

    def pause_s(self) -> float:
        return self._random.choice(PAUSES_S)

    def handing(self) -> Handing:
        astray = self._random.randrange(1000) if self._random.random() < 0.05 else None
        return Handing(self._random.randrange(2), self._random.randrange(1000), self._random.randint(1, 5), astray)

    def meanwhile(self) -> int:
        return self._random.choice((0, 0, 1, 2))

    def compacts(self) -> bool:
        return self._random.random() < 0.1

    def fault(self) -> Fault | None:
        chance = self._random.random()
        return Fault.CRASH if chance < 0.06 else Fault.CANCELLED if chance < 0.09 else (
            Fault.TAKEN_OVER if chance < 0.12 else None
        )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Everything that will happen: `faults` by the how manieth wait for a log, `hand_overs` by the turn."""

    faults: Mapping[int, Fault]
    hand_overs: Mapping[int, bool]
    workers: Sequence[int]
    pauses_s: Sequence[float]
    handings: Sequence[Handing]
    chunks: Sequence[int]
    compactions: Sequence[bool]


class Planned:
    """A plan decides; what it tells in turns begins anew at its end."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._waits = self._turns = 0
        self._workers = _turns(plan.workers, 1)
        self._pauses_s = _turns(plan.pauses_s, EPOCH_S)
        self._handings = _turns(plan.handings, Handing(0, 0, MAX_CHUNK, None))
        self._chunks = _turns(plan.chunks, 0)
        self._compactions = _turns(plan.compactions, False)

    def worker(self, workers: int) -> int:
        return next(self._workers) % workers

    def is_handed_over(self) -> bool:
        self._turns += 1
        return self._turns in self._plan.hand_overs

    def is_told(self) -> bool:
        return self._plan.hand_overs[self._turns]

    def pause_s(self) -> float:
        return next(self._pauses_s)

    def handing(self) -> Handing:
        return next(self._handings)

    def meanwhile(self) -> int:
        return next(self._chunks)

    def compacts(self) -> bool:
        return next(self._compactions)

    def fault(self) -> Fault | None:
        self._waits += 1
        return self._plan.faults.get(self._waits)


def _turns(given: Sequence[Any], last: Any) -> Iterator[Any]:
    return cycle([*given, last])


def plans() -> st.SearchStrategy[Plan]:
    """The simplest: nothing goes wrong, and records come six at a time."""
    handings = st.builds(
        Handing, st.integers(0, 1), st.integers(0, 5), st.integers(1, MAX_CHUNK),
        st.none() | st.none() | st.none() | st.integers(0, 20),
    )  # fmt: skip
    faults = st.dictionaries(st.integers(1, 80), st.sampled_from(Fault), max_size=MAX_FAULTS)
    return st.builds(
        Plan,
        faults=faults,
        hand_overs=st.dictionaries(st.integers(1, 60), st.booleans(), max_size=4),
        workers=st.lists(st.integers(0, 1), max_size=3),
        pauses_s=st.lists(st.sampled_from(PAUSES_S), max_size=6),
        handings=st.lists(handings, max_size=12),
        chunks=st.lists(st.integers(0, 2), max_size=5),
        compactions=st.lists(st.booleans(), max_size=3),
    )
