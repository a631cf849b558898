"""A worker that restores many rows, and is then told that days have passed."""

import asyncio
import gc
import json
import os
import resource
import signal
import sys
from time import perf_counter, process_time

from aiokafka import AIOKafkaProducer

from agents.partition import Epoch
from app.commands.worker import GC_THRESHOLDS
from app.live.task import PartitionTask
from app.live.worker import Worker
from app.settings import Settings, load
from app.topics import input_names


class Measured(Worker):
    """A worker that notes its epochs, and how long its event loop was held up."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.epochs: list[float] = []
        self.held_s = 0.0

    def _committed(self, task: PartitionTask, epoch: Epoch, seconds: float) -> None:
        super()._committed(task, epoch, seconds)
        self.epochs.append(seconds)

    async def watch_the_loop(self) -> None:
        """Note the longest time between two looks."""
        while True:
            before = perf_counter()
            await asyncio.sleep(0.005)
            self.held_s = max(self.held_s, perf_counter() - before - 0.005)

    async def measure(self, settings: Settings, users: int, until: int) -> None:
        """Restore, jump, and wait until everybody's silence is written."""
        started = perf_counter()
        while not (self._tasks and self._tasks.is_ready):
            await asyncio.sleep(0.05)
        restore_s = perf_counter() - started
        gc.freeze()
        self.held_s, tasks = 0.0, list(self._tasks.tasks.values())
        watching = asyncio.create_task(self.watch_the_loop())
        cpu, wall = process_time(), perf_counter()
        await _tick(settings, until)
        while sum(task.partition.state.census["lifecycle"].get("silent", 0) for task in tasks) < users:
            await asyncio.sleep(0.1)
        watching.cancel()
        epochs = sorted(self.epochs)
        found = {
            "restore_s": restore_s,
            "cpu_s": process_time() - cpu,
            "wall_s": perf_counter() - wall,
            "epoch_p50_s": epochs[len(epochs) // 2],
            "epoch_p99_s": epochs[len(epochs) * 99 // 100],
            "held_s": self.held_s,
            "rebalances": self.rebalances - 1,
            "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(found), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

    @property
    def rebalances(self) -> int:
        """How often partitions were assigned."""
        return self._tasks.assignments if self._tasks else 0


async def _tick(settings: Settings, ts: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
        for name in input_names(settings):
            for number in range(settings.partitions):
                await producer.send(name, b'{"type":"tick","ts":%d}' % ts, partition=number)


async def run(users: int, until: int) -> None:
    """Run and measure."""
    settings = load()
    worker = Measured(settings)
    measuring = asyncio.create_task(worker.measure(settings, users, until))
    await worker.run()
    await measuring


if __name__ == "__main__":
    gc.set_threshold(*GC_THRESHOLDS)
    asyncio.run(run(int(sys.argv[1]), int(sys.argv[2])))
