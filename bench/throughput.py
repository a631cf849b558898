"""What one event costs a whole worker, beside the floor and beside plain Faust, on Apache Kafka in one run.

`python -m bench.throughput [--events N] [--users N] [--partitions N]`: starts a broker, fills three busy input topics
(and three quiet ones), then lets each of these read them in a process of its own, and prints CPU per event:

- floor: aiokafka's fetch and the decoding, nothing else
- worker: lifecycles and windows, exactly once
- rules: the same with all built-in rules
- plain Faust: an agent for each event, a table with one number a user, and a change where a user was silent
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.settings import Settings
from bench.broker import broker, environment
from bench.publish import publish

PARTS: Final = ("floor", "worker", "rules", "faust")
PROGRAMS: Final = {"rules": "worker"}
FAUST_SHARE: Final = 20
"""Plain Faust reads this part of the events only: it would take minutes."""


def main(
    events: Annotated[int, typer.Option(min=1_000)] = 400_000,
    users: Annotated[int, typer.Option(min=1)] = 5_000,
    days: Annotated[int, typer.Option(min=1, help="Days of event time: the fewer, the busier is each user.")] = 30,
    partitions: Annotated[int, typer.Option(min=1)] = 4,
    profile: Annotated[Path | None, typer.Option(help="Write cProfile's statistics of the worker there.")] = None,
) -> None:
    """Compare."""
    with broker(partitions, "bench") as settings:
        publish(settings, events, users, days)
        found = {part: _measure(part, settings, events, profile) for part in PARTS}
    print(f"events {events:,}, users {users:,}, days {days}, partitions {partitions}")
    floor = found["floor"]["us"]
    for part, figures in found.items():
        ratio = figures["us"] / floor
        print(
            f"{part:8} {figures['us']:8.2f} us of CPU an event {ratio:8.1f} x floor, {figures['per_s']:10,.0f} events/s"
        )
    print(f"rules: {found['worker']['us'] / found['rules']['us']:.0%} of the worker's throughput")
    print(f"worker: {found['faust']['us'] / found['worker']['us']:.1f} times better than plain Faust")


def _measure(part: str, settings: Settings, events: int, profile: Path | None) -> dict[str, float]:
    wanted = events // FAUST_SHARE if part == "faust" else events
    command = [sys.executable, "-m", f"bench.parts.{PROGRAMS.get(part, part)}", str(wanted)]
    rules = "builtin" if part == "rules" else "none"
    own = environment(settings, f"bench-{part}") | {"REKINDLE_RULES": rules}
    if profile is not None and part == "worker":
        command.append(str(profile))
    done = subprocess.run(command, env=own, stdout=subprocess.PIPE, check=True)  # noqa: S603  our own program
    figures: dict[str, Any] = json.loads(_last_line(done.stdout.decode().splitlines()))
    return {"us": figures["cpu_s"] / figures["events"] * 1e6, "per_s": figures["events"] / figures["wall_s"]}


def _last_line(lines: Sequence[str]) -> str:
    return lines[-1]


if __name__ == "__main__":
    typer.run(main)
