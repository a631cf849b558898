"""The worker, whole."""

import asyncio
import cProfile
import gc
import os
import signal
import sys
from pathlib import Path

from app.commands.rules_option import rules_in_force
from app.commands.worker import GC_THRESHOLDS
from app.live.worker import Worker
from app.settings import load
from bench.parts.figures import Stopwatch


class Measured(Worker):
    """A worker that tells how far it is."""

    async def measure(self, events: int) -> None:
        """Wait until it runs, then until everything is applied and written; then end it."""
        while not (self._tasks and self._tasks.is_ready):
            await asyncio.sleep(0.01)
        stopwatch, tasks = Stopwatch(), self._tasks.tasks.values()
        while any(task.written[topic].offset < end for task in tasks for topic, end in task.ends.items()):
            await asyncio.sleep(0.05)
        stopwatch.show(events)
        os.kill(os.getpid(), signal.SIGTERM)


async def run(events: int) -> None:
    """Run and measure."""
    settings = load()
    worker = Measured(settings, rules_in_force(None, settings))
    measuring = asyncio.create_task(worker.measure(events))
    await worker.run()
    await measuring


if __name__ == "__main__":
    gc.set_threshold(*GC_THRESHOLDS)
    if len(sys.argv) > 2:
        with cProfile.Profile() as profile:
            asyncio.run(run(int(sys.argv[1])))
        profile.dump_stats(Path(sys.argv[2]))
    else:
        asyncio.run(run(int(sys.argv[1])))
