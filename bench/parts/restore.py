"""A restore: every partition's task from assignment until it runs."""

import asyncio
import sys
from time import monotonic

from agents.partition import Partition
from app.live.epoch_log import TransactionalLog
from app.live.outputs import Outputs
from app.live.task import Clocks, PartitionTask, Phase, Wiring
from app.settings import Settings
from app.topics import changelog_name, output_name
from bench.parts.figures import Stopwatch
from schemas.topics import INPUT_TOPICS, Offset, Topic
from tables.table import Table


def task(settings: Settings, number: int) -> PartitionTask:
    """A task as a worker makes it, but without events to read."""

    async def ranges(_: int) -> dict[Topic, tuple[Offset, Offset]]:
        return dict.fromkeys(INPUT_TOPICS, (0, 0))

    log = TransactionalLog(
        settings.kafka_connection,
        number,
        changelog_name(settings),
        lambda topic: output_name(settings, topic),
        settings.app_id,
    )
    wiring = Wiring(log, Outputs(settings.app_id), ranges, lambda *_: None, Clocks(monotonic, None))
    return PartitionTask(
        number,
        lambda: Partition(number, settings.limits, Table(), settings.partitions),
        wiring,
        settings.epoch_ms / 1000,
        accept_loss=False,
    )


async def restore(settings: Settings) -> None:
    """Restore all partitions side by side."""
    tasks = [task(settings, number) for number in range(settings.partitions)]
    stopwatch = Stopwatch()
    runs = [asyncio.create_task(each.run()) for each in tasks]
    while any(each.phase is not Phase.RUNNING for each in tasks):
        await asyncio.sleep(0.01)
    stopwatch.show(sum(each.restored_rows for each in tasks))
    for each in tasks:
        each.stop()
    await asyncio.gather(*runs)


if __name__ == "__main__":
    asyncio.run(restore(Settings(kafka=sys.argv[1], partitions=int(sys.argv[2]), app_id="bench-restore")))
