"""What readers wait for with many users in Redis, and what it costs the worker to write them.

`python -m bench.read_model [--users N] [--events N] [--rounds N]`: folds generated load with the built-in rules, writes
all rows into a Redis of its own as owners do, and reads; then lets workers read the same topics from an Apache Kafka of
its own, in turns with the users in Redis and without, and prints the ratio of the medians.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Annotated, Any, Final

import typer
from msgspec.structs import replace

from agents.partition import Partition
from app.connection import RedisConnection
from app.demo.embedded import EmbeddedStore
from app.read_model.connection import connect
from app.read_model.query import Wanted
from app.read_model.reader import Reader
from app.read_model.users import Owned, Users
from app.rules_file import load_rules
from app.settings import Settings
from bench.broker import broker, environment
from bench.load import payloads
from bench.publish import publish
from schemas.decode import decode
from schemas.events import Tick
from schemas.partitioner import partition_of
from tables.table import Table
from tests.servers import redis_program

APP: Final = "bench"
PARTITIONS: Final = 8
CHOICES: Final = ("false", "true")


def main(
    users: Annotated[int, typer.Option(min=1, help="In Redis, to be read.")] = 100_000,
    events: Annotated[int, typer.Option(min=1_000, help="For the worker.")] = 200_000,
    busy: Annotated[int, typer.Option(min=1, help="Users of these events.")] = 20_000,
    rounds: Annotated[int, typer.Option(min=0)] = 3,
) -> None:
    """Read, then write."""
    with EmbeddedStore(redis_program()) as store:
        asyncio.run(_read(store.url, users))
    if rounds:
        with EmbeddedStore(redis_program()) as store, broker(PARTITIONS, APP) as settings:
            publish(settings, events, busy, days=30)
            _compare(settings, store.url, events, rounds)


async def _read(url: str, users: int) -> None:
    tables = _folded(users)
    rows = [row for table in tables.values() for row in table.encoded_rows().items()]
    known = [user for user, _ in rows]
    print(f"{len(rows):,} users, {sum(len(row) for _, row in rows) / len(rows):,.0f} bytes a row")
    redis, random = connect(RedisConnection(url=url)), Random(1)
    await _write(Users(redis, APP, lambda: Owned(1, tables)))
    memory = (await redis.info("memory"))["used_memory"]
    print(f"Redis takes {memory / len(rows):,.0f} bytes a user")
    reader = Reader(redis, APP, PARTITIONS)
    tags = await _two_tags(reader)

    async def user() -> None:
        user_id = random.choice(known)
        await reader.row(user_id)
        await reader.trail(user_id)

    print(f"audience of {tags}: {await reader.count(tags, []):,} users")
    await _time("row and trail of a user", user, 2_000)
    await _time("audience, first page of 100", lambda: reader.audience(tags, [], None, 100), 200)
    await _time("audience, how many", lambda: reader.count(tags, []), 200)
    await _time("all tags, with counts", reader.tags, 50)
    await redis.aclose()


def _folded(users: int) -> dict[int, Table]:
    """Users with two events each on average, and all the tags that follow."""
    settings, book = Settings(), load_rules()
    limits = replace(settings.limits, portraits=True)
    found = [Partition(number, limits, Table(), PARTITIONS, book) for number in range(PARTITIONS)]
    for payload in payloads(2 * users, users, days=60):
        event = decode(payload)
        if not isinstance(event, Tick):
            found[partition_of(event.user_id.encode(), PARTITIONS)].apply(event, event.ts)
    for partition in found:
        partition.advance(event.ts)
        partition.collect()
    return {number: partition.table for number, partition in enumerate(found)}


async def _write(users: Users) -> None:
    """Write all rows; how long that takes, and how long at most nothing else can run."""
    waits: list[float] = []

    async def watch() -> None:
        while True:
            before = perf_counter()
            await asyncio.sleep(0)
            waits.append(perf_counter() - before)

    began = perf_counter()
    watching = asyncio.create_task(watch())
    while not users.is_whole:
        await users.write()
        await users.fill()
    watching.cancel()
    longest = quantiles(waits, n=1000)[-1]
    print(f"written in {perf_counter() - began:.1f} s; what else ran waited at most {max(waits) * 1e3:.0f} ms", end="")
    print(f", {longest * 1e3:.0f} ms in 999 of 1,000 cases")


async def _two_tags(reader: Reader) -> list[Wanted]:
    """The values of two tags that most users have: the most work for an intersection."""
    tags = await reader.tags()
    most = {name: max((count, value) for value, count in values.items() if value) for name, values in tags.items()
            if any(values)}  # fmt: skip
    return [(name, most[name][1]) for name in sorted(most, key=lambda name: most[name], reverse=True)[:2]]


async def _time(what: str, work: Callable[[], Awaitable[Any]], times: int) -> None:
    took = []
    for _ in range(times):
        began = perf_counter()
        await work()
        took.append((perf_counter() - began) * 1e3)
    print(f"{what:28} p50 {median(took):7.2f} ms, p99 {quantiles(took, n=100)[-1]:7.2f} ms")


def _compare(settings: Settings, url: str, events: int, rounds: int) -> None:
    found: dict[str, list[dict[str, float]]] = {choice: [] for choice in CHOICES}
    for number in range(rounds):
        for choice in CHOICES:
            figures = _measure(settings, url, events, choice, f"{APP}-{choice}-{number}")
            found[choice].append(figures)
            print(f"read model {choice:5} {figures['per_s']:10,.0f} events/s, {figures['us']:6.1f} us of CPU an event")
    off, on = (median(each["per_s"] for each in found[choice]) for choice in CHOICES)
    off_us, on_us = (median(each["us"] for each in found[choice]) for choice in CHOICES)
    print(f"with the users in Redis: {on / off:.0%} of the throughput without, {off_us / on_us:.0%} by CPU")


def _measure(settings: Settings, url: str, events: int, choice: str, app_id: str) -> dict[str, float]:
    own = environment(settings, app_id) | {"REKINDLE_REDIS": url, "REKINDLE_READ_MODEL": choice}
    command = [sys.executable, "-m", "bench.parts.worker", str(events)]
    done = subprocess.run(command, env=own, stdout=subprocess.PIPE, check=True)  # noqa: S603  our own program
    figures: dict[str, Any] = json.loads(done.stdout.decode().splitlines()[-1])
    return {"us": figures["cpu_s"] / figures["events"] * 1e6, "per_s": figures["events"] / figures["wall_s"]}


if __name__ == "__main__":
    typer.run(main)
