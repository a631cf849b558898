"""A great many users in one worker: a restore, then a jump of three days that fires a timer for each of them.

`python -m bench.scale [--users N] [--partitions N]`: rows of 64 events each are written to the changelog; then a worker
restores them, and ticks move time on by three days. Prints the restore, CPU a timer, the epochs' p99, the longest time
that the event loop was held up, and whether the group kept the worker.
"""

import json
import subprocess
import sys
from typing import Annotated

import typer

from app.settings import Settings
from bench.broker import broker, environment
from bench.seed import START_MS, seed
from schemas.times import DAY_MS

JUMP_MS = 3 * DAY_MS


def main(
    users: Annotated[int, typer.Option(min=1)] = 1_000_000,
    partitions: Annotated[int, typer.Option(min=1)] = 64,
    events: Annotated[int, typer.Option(min=1, help="Events behind each row: its size.")] = 64,
) -> None:
    """Seed, restore, jump."""
    with broker(partitions, "bench-scale") as settings:
        row_bytes = seed(settings, users, events, due=lambda number: START_MS + number * 7919 % JUMP_MS)
        found = _measure(settings, users)
    print(f"users {users:,}, {row_bytes} bytes a row, partitions {partitions}")
    print(f"restore          {found['restore_s']:8.1f} s, {users / found['restore_s']:,.0f} rows/s")
    print(f"timers           {found['cpu_s'] / users * 1e6:8.1f} us of CPU each, {found['wall_s']:.1f} s for all")
    print(f"epochs           {found['epoch_p50_s'] * 1e3:8.0f} ms p50, {found['epoch_p99_s'] * 1e3:.0f} ms p99")
    print(f"event loop held  {found['held_s'] * 1e3:8.0f} ms at most")
    print(f"rebalances after the first assignment {found['rebalances']}")
    print(f"memory           {found['rss_mib']:8,.0f} MiB")


def _measure(settings: Settings, users: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.parts.scale", str(users), str(START_MS + JUMP_MS)]
    done = subprocess.run(command, env=environment(settings, settings.app_id), stdout=subprocess.PIPE, check=True)  # noqa: S603  our own program
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    typer.run(main)
