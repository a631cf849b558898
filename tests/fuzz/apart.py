"""A parser in a process of its own, for one that may take the process with it.

polars ends the process (SIGABRT) on some damaged Parquet files: a length that is a lie makes it ask for 2**61 bytes. No
Python code of ours can prevent that, so it is counted and told here, and everything else is still a fault.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any


class Apart:
    """Calls a check, which must be picklable, in a process that is started anew when it has ended."""

    def __init__(self, check: Callable[[Any], None]) -> None:
        self._check = check
        self._pool: ProcessPoolExecutor | None = None
        self.ended = 0

    def __call__(self, value: Any) -> None:
        """Raise what the check raises."""
        self._pool = self._pool or ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        try:
            self._pool.submit(self._check, value).result()
        except BrokenProcessPool:
            self.ended += 1
            self._pool = None
            sys.stderr.write(f"an input ended its process, by now {self.ended} did: see {__name__}\n")
