"""The law of the read model: whatever happened, it is what a rebuild from the rows gives, and nothing else is left.

```
worker A   epochs ... write ... fill ...      x cut off, and does not know       late write
worker B                                      restores, writes, fills ...
Redis            emptied        asked to rebuild
```
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from redis import Redis

from agents.partition import Partition
from agents.rules.rulebook import Rulebook
from app.connection import RedisConnection
from app.read_model import copy, users
from app.read_model.connection import connect
from app.read_model.pointer import Pointer
from app.read_model.users import Owned, Users
from app.rules_file import read_rules
from tables.changelog import Marker, Restore, marker_record
from tables.table import Table
from tests.properties.test_the_law import limits_of
from tests.read_model.by_force import known, sets_of, stored_rows, stored_sets
from tests.storms import TOPICS, Storm, storms

RULES: Final[Rulebook] = read_rules(b"""
[[tag]]
name = "tag-0"
values = [{ value = "gold", when = "spend(7d) >= 30" }, { value = "silver", when = "clicks() > 1" }]

[[tag]]
name = "tag-1"
when = "clicks(60d) >= 2"
ttl = "36h"

[[tag]]
name = "warm"
score = "clicks(30d) + 2 * orders(30d)"
bands = [{ value = "cold", below = 2 }, { value = "mild", below = 5 }, { value = "hot" }]

[[tag]]
name = "number"
value = "clicks()"
""")
APP: Final = "law"


class Worker:
    """One process: its partitions, and its part of Redis."""

    def __init__(self, url: str) -> None:
        self.redis = connect(RedisConnection(url=url))
        self.owned = Owned(0, {})
        self.users = Users(self.redis, APP, lambda: self.owned)

    def own(self, tables: dict[int, Table]) -> None:
        """A new assignment."""
        self.owned = Owned(self.owned.term + 1, tables)


class World:
    """Two workers, of which one owns all partitions; the changelog is all that a new owner knows."""

    def __init__(self, storm: Storm, random: Random, url: str) -> None:
        self.breaks = random.random() < 0.5
        self.storm = storm
        self.random = random
        self.store: Any = Redis.from_url(url)
        self.store.flushdb()
        self.workers = [Worker(url), Worker(url)]
        self.owner = 0
        self.restores = [Restore() for _ in range(storm.partitions)]
        self.is_broken_off = False
        self.arrived: dict[tuple[int, str], list[bytes]] = {}
        self.partitions = self._restored()
        self._assign()

    def _restored(self) -> list[Partition]:
        found = []
        for number, restore in enumerate(self.restores):
            partition = Partition(
                number, limits_of(self.storm), Table(max_hot=self.random.choice([0, 99])), rulebook=RULES
            )
            if restore.marker is not None:
                partition.resume(restore.marker.state, restore.rows)
            for topic in TOPICS:
                start = partition.merge.position(topic).offset
                partition.take(topic, enumerate(self.arrived.get((number, topic), [])[start:], start))
            found.append(partition)
        return found

    def _assign(self) -> None:
        worker = self.workers[self.owner]
        for number in range(self.storm.partitions):
            worker.users.forget(number)
        worker.own({number: each.table for number, each in enumerate(self.partitions)})

    def take(self, number: int, topic: str, payloads: Sequence[bytes]) -> None:
        """Some records come, and some of what has come is applied."""
        lane = self.arrived.setdefault((number, topic), [])
        self.partitions[number].take(topic, enumerate(payloads, len(lane)))
        lane += payloads
        self.partitions[number].run()

    def commit(self, number: int) -> None:
        """End an epoch of one partition."""
        epoch = self.partitions[number].collect()
        rows = [(user.encode(), row) for user, row in epoch.rows.items()]
        self.restores[number].read([*rows, marker_record(Marker(generation=1, epoch=1, state=epoch.state))])
        self.workers[self.owner].users.note(number, epoch)

    def take_over(self) -> None:
        """The other worker becomes the owner; this one may not know it yet."""
        for number in range(self.storm.partitions):
            self.commit(number)
        self.owner = 1 - self.owner
        self.partitions = self._restored()
        self._assign()

    def ask(self) -> None:
        """Somebody asks for a rebuild."""
        for number in range(self.storm.partitions):
            if (stored := self.store.get(f"{APP}:{number}:pointer")) is not None:
                self.store.set(f"{APP}:{number}:pointer", Pointer(Pointer.of(stored).stage, "asked").stored)

    async def write(self, worker: Worker) -> None:
        """Write; now and then it is broken off somewhere."""
        work = asyncio.create_task(worker.users.write())
        if self.breaks and self.random.random() < 0.3:
            for _ in range(self.random.randrange(30)):
                await asyncio.sleep(0)
            work.cancel()
            self.is_broken_off = True
        with suppress(asyncio.CancelledError):
            await work

    async def happen(self) -> None:
        """Something."""
        worker = self.workers[self.owner]
        match self.random.choice(["write"] * 6 + ["fill"] * 6 + ["late"] * 2 + ["empty", "ask", "take over"]):
            case "write":
                await self.write(worker)
            case "fill":
                await worker.users.fill()
            case "late":
                await self.write(self.workers[1 - self.owner])
            case "empty":
                self.store.flushdb()
            case "ask":
                self.ask()
            case "take over":
                self.take_over()

    async def settle(self) -> None:
        """Until all is written, and the worker that was cut off is gone, and its name with it."""
        worker = self.workers[self.owner]
        self.workers[1 - self.owner].owned = Owned(0, {})
        for number in range(self.storm.partitions):
            self.store.delete(f"{APP}:{number}:owner")
        for _ in range(200):
            await worker.users.write()
            await worker.users.fill()
            if worker.users.is_whole and not worker.users.behind:
                return
        raise AssertionError("it does not come to an end")

    async def close(self) -> None:
        """Disconnect."""
        self.store.close()
        for worker in self.workers:
            await worker.redis.aclose()

    def pointer(self, number: int) -> Pointer:
        return Pointer.of(self.store.get(f"{APP}:{number}:pointer"))

    def check(self, number: int) -> None:
        """What is read of a partition is what its rows give."""
        prefix = f"{APP}:{number}:{self.pointer(number).stage}:"
        rows = {user.decode(): row for user, row in self.restores[number].rows.items()}
        assert stored_sets(self.store, prefix) == sets_of(rows)
        assert {label.decode() for label in self.store.smembers(f"{prefix}index")} == sets_of(rows).keys()
        assert stored_rows(self.store, prefix) == {user: rows[user] for user in known(rows)}

    def check_keys(self) -> None:
        """Nothing is left of older stages, and nothing of who is not known."""
        stages = {number: self.pointer(number).stage for number in range(self.storm.partitions)}
        for key in self.store.scan_iter():
            _, number, kind, *rest = key.decode().split(":", 3)
            if kind == "trail":
                assert rest[0] in known({user.decode(): row for user, row in self.restores[int(number)].rows.items()})
            else:
                assert kind in {"owner", "pointer", stages[int(number)]} or self.is_broken_off, key
            assert self.store.ttl(key) > 0, key


@pytest.fixture(autouse=True)
def in_small_steps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copy, "SLICE", 1)
        patch.setattr(users, "FILL_S", 0.001)
        patch.setattr(users, "PAUSE_S", 0)
        yield


@settings(max_examples=60, phases=[Phase.generate])
@given(storm=storms(), random=st.randoms(use_true_random=False))
def test_whatever_happens_redis_has_in_the_end_what_the_rows_give(redis_url: str, storm: Storm, random: Random) -> None:
    async def story() -> None:
        world = World(storm, random, f"{redis_url}/9")
        try:
            await play(world)
        finally:
            await world.close()

    asyncio.run(story())


async def play(world: World) -> None:
    storm, random = world.storm, world.random
    for number, topic, _, payloads in storm.chunks():
        world.take(number, topic, payloads)
        if random.random() < 0.6:
            world.commit(number)
        for _ in range(random.randrange(3)):
            await world.happen()
    for number in range(storm.partitions):
        world.commit(number)
    await world.settle()
    for number in range(storm.partitions):
        world.check(number)
    world.check_keys()
