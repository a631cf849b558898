"""How fast a worker restores: rows a second, from a changelog in which every row was rewritten, after compaction.

`python -m bench.restore [--users N] [--rewrites N] [--partitions N]`
"""

import asyncio
import json
import subprocess
import sys
from time import sleep
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka.admin import ConfigResource

from app.settings import Settings
from app.topics import admin, changelog_name
from bench.broker import broker
from bench.seed import seed

QUICKLY = {"segment.bytes": "8388608", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01"}
PATIENCE_S = 180


def main(
    users: Annotated[int, typer.Option(min=1)] = 200_000,
    rewrites: Annotated[int, typer.Option(min=1)] = 10,
    partitions: Annotated[int, typer.Option(min=1)] = 8,
    events: Annotated[int, typer.Option(min=1, help="Events behind each row: its size.")] = 24,
) -> None:
    """Write, wait for the log cleaner, restore."""
    with broker(partitions, "bench-restore") as settings:
        _compact_quickly(settings)
        row_bytes = seed(settings, users, events, rewrites)
        records = _wait_for_the_cleaner(settings, users, rewrites)
        command = [sys.executable, "-m", "bench.parts.restore", settings.kafka, str(partitions)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603  our own program
    found = json.loads(done.stdout)
    print(f"users {users:,}, rewritten {rewrites} times, {row_bytes} bytes a row, partitions {partitions}")
    print(f"records left after compaction {records:,}")
    print(
        f"restored {found['events']:,} rows in {found['wall_s']:.2f} s ({found['cpu_s']:.2f} s of CPU):"
        f" {found['events'] / found['wall_s']:,.0f} rows/s"
    )


def _compact_quickly(settings: Settings) -> None:
    with admin(settings) as client:
        client.alter_configs([ConfigResource("TOPIC", changelog_name(settings), QUICKLY)])


def _wait_for_the_cleaner(settings: Settings, users: int, rewrites: int) -> int:
    """How many records are left when no more go."""
    left, before = asyncio.run(_count(settings)), 0
    for _ in range(PATIENCE_S // 5):
        if left == before and left < users * rewrites:
            break
        sleep(5)
        before, left = left, asyncio.run(_count(settings))
    return left


async def _count(settings: Settings) -> int:
    places = [TopicPartition(changelog_name(settings), number) for number in range(settings.partitions)]
    count = 0
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            count += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
    return count


if __name__ == "__main__":
    typer.run(main)
