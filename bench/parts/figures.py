"""A measurement from one moment to another."""

import json
from time import perf_counter, process_time


class Stopwatch:
    """CPU (of all threads) and wall time since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = process_time(), perf_counter()

    def show(self, events: int) -> None:
        """Print what has passed, for the program that started this one."""
        passed = {"events": events, "cpu_s": process_time() - self._cpu, "wall_s": perf_counter() - self._wall}
        print(json.dumps(passed), flush=True)
