"""Sorting more records than memory holds: sorted runs on disk, merged."""

from collections.abc import Iterator
from heapq import merge
from typing import Final, Self

from app.history.run import Entry, Run

RUN_BYTES: Final = 64 * 1024 * 1024
"""Payload held in memory; as Python objects it takes about three times as much."""
FAN_IN: Final = 32
"""Runs merged at once: each takes an open file and a block in memory."""


class ExternalSort:
    """Takes entries in any order, gives them back sorted, in memory that does not grow with their number.

    As long as one run holds them all, nothing is written. Runs of one level become one run of the next, so that each
    entry is written once a level, and levels grow with the logarithm of the input.
    """

    def __init__(self, run_bytes: int = RUN_BYTES, fan_in: int = FAN_IN) -> None:
        self._run_bytes = run_bytes
        self._fan_in = fan_in
        self._current: list[Entry] = []
        self._current_bytes = 0
        self._levels: list[list[Run]] = []
        self._length = 0

    def add(self, entry: Entry) -> None:
        """Take one entry; now and then this sorts and writes a run."""
        self._current.append(entry)
        self._length += 1
        self._current_bytes += len(entry[-1])
        if self._current_bytes >= self._run_bytes:
            self._spill()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Entry]:
        self._current.sort()
        runs = [run for level in self._levels for run in level]
        return merge(*runs, self._current) if runs else iter(self._current)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for level in self._levels:
            _close(level)

    def _spill(self) -> None:
        self._current.sort()
        self._keep(0, Run(self._current))
        self._current.clear()
        self._current_bytes = 0

    def _keep(self, depth: int, run: Run) -> None:
        if depth == len(self._levels):
            self._levels.append([])
        level = self._levels[depth]
        level.append(run)
        if len(level) == self._fan_in:
            self._keep(depth + 1, Run(merge(*level)))
            _close(level)
            level.clear()


def _close(runs: list[Run]) -> None:
    for run in runs:
        run.close()
