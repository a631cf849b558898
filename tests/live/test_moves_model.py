"""Moves on a real Redis: what one worker writes another adds up, and without Redis each tells its own."""

import asyncio
from collections.abc import Coroutine
from datetime import date
from typing import Any, Final
from uuid import uuid4

import pytest
from redis import Redis
from redis.exceptions import RedisError

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.connection import RedisConnection
from app.demo.embedded import free_port
from app.live import moves_model
from app.live.moves_model import MovesModel
from app.live.task import PartitionTask, Phase
from app.moves import population
from schemas.changes import LIFECYCLE
from schemas.decode import decode
from schemas.events import Click
from tables.table import Table
from tests.live.desk import Desk, click, day

PATIENCE_S: Final = 20


def within(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, PATIENCE_S))


def fed(number: int, clicks: int, until: float) -> Partition:
    """So many users who came on the first day, and time gone on to another one."""
    partition = Partition(number, DEFAULT_LIMITS, Table())
    more(partition, range(clicks), until)
    return partition


def more(partition: Partition, users: range, until: float) -> None:
    for user in users:
        event = decode(click(day(0), f"u{user}"))
        assert isinstance(event, Click)
        partition.apply(event, day(0))
    partition.advance(day(until))
    partition.watermark = day(until)
    partition.collect()


def owning(number: int, partition: Partition) -> PartitionTask:
    task = Desk().task(number, new_partition=lambda: partition)
    task.phase = Phase.RUNNING
    return task


def model_of(url: str, app_id: str, *tasks: PartitionTask) -> MovesModel:
    return MovesModel(RedisConnection(url=url), app_id, lambda: tasks)


async def users(model: MovesModel) -> dict[date, tuple[int, int, bool]]:
    """Active and silent at the end of each day on which one of them changed, and whether Redis answered."""
    told = await model.told()
    days, counts = population(told.moves)[LIFECYCLE]
    found = zip(days, counts["active"], counts["silent"], strict=True)
    return {at: (active, silent, told.store) for at, active, silent in found if at.day in {1, 31}}


async def stored(url: str, app_id: str) -> dict[date, tuple[int, int, bool]]:
    """What a worker finds that owns nothing."""
    model = model_of(url, app_id)
    try:
        return await users(model)
    finally:
        await model.close()


NEW_YEAR, END = date(2024, 1, 1), date(2024, 1, 31)


@pytest.fixture
def app_id() -> str:
    return uuid4().hex


def test_what_one_worker_writes_another_adds_up(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        one = model_of(redis_url, app_id, owning(0, fed(0, 3, 31)), owning(1, fed(1, 1, 31)))
        other = model_of(redis_url, app_id, owning(2, fed(2, 5, 10)))
        await one.flush()
        await other.flush()
        for model in (one, other):
            assert await users(model) == {NEW_YEAR: (9, 0, True), END: (5, 4, True)}
            assert (await model.told()).partitions == 3
        with Redis.from_url(redis_url) as store:
            assert 0 < store.ttl(f"{app_id}:moves") <= moves_model.EXPIRES_S
        assert await stored(redis_url, f"{app_id}-2") == {}
        await one.close()
        await other.close()

    within(story())


def test_of_its_own_partitions_a_worker_knows_more_than_redis(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        partition = fed(0, 3, 31)
        model = model_of(redis_url, app_id, owning(0, partition))
        await model.flush()
        more(partition, range(3, 5), 31)
        assert await users(model) == {NEW_YEAR: (5, 0, True), END: (0, 5, True)}
        assert await stored(redis_url, app_id) == {NEW_YEAR: (3, 0, True), END: (0, 3, True)}
        await model.flush()
        assert await stored(redis_url, app_id) == {NEW_YEAR: (5, 0, True), END: (0, 5, True)}
        await model.close()

    within(story())


# owner      running ---- restoring: nothing is known     what it wrote before stands
def test_while_a_partition_is_restored_what_was_written_of_it_stands(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        task = owning(0, fed(0, 3, 31))
        model = model_of(redis_url, app_id, task)
        await model.flush()
        task.phase, task.partition = Phase.RESTORING, fed(0, 0, 0)
        await model.flush()
        assert await users(model) == {NEW_YEAR: (3, 0, True), END: (0, 3, True)}
        await model.close()

    within(story())


def test_only_what_has_changed_or_is_lost_is_written_until_all_is_written_again(
    redis_url: str, app_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        partition = fed(0, 3, 31)
        model = model_of(redis_url, app_id, *(owning(n, each) for n, each in enumerate([partition, fed(1, 1, 31)])))
        await model.flush()
        with Redis.from_url(redis_url) as store:
            key, other = f"{app_id}:moves", b"of another owner"
            store.hset(key, mapping={"0": other, "1": other})
            await model.flush()
            assert store.hvals(key) == [other, other]
            more(partition, range(3, 4), 31)
            await model.flush()
            assert [store.hget(key, name) == other for name in ("0", "1")] == [False, True]
            monkeypatch.setattr(moves_model, "REWRITE_S", 0.0)
            await model.flush()
            assert other not in store.hvals(key)
            monkeypatch.setattr(moves_model, "REWRITE_S", 60.0)
            store.delete(key)
            await model.flush()
            assert sorted(store.hkeys(key)) == [b"0", b"1"]
        await model.close()

    within(story())


# one      owns 0: writes -------------- owns 0 again: the same, and writes it anew
# other               owns 0: writes
def test_who_owns_a_partition_again_writes_it_although_it_is_as_it_was(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        owned = [owning(0, fed(0, 3, 31))]
        one = MovesModel(RedisConnection(url=redis_url), app_id, lambda: owned)
        await one.flush()
        known, owned[:] = owned[:], []
        await one.flush()
        other = model_of(redis_url, app_id, owning(0, fed(0, 9, 31)))
        await other.flush()
        owned[:] = known
        await one.flush()
        assert await stored(redis_url, app_id) == {NEW_YEAR: (3, 0, True), END: (0, 3, True)}
        await one.close()
        await other.close()

    within(story())


def test_without_redis_a_worker_tells_its_own_and_says_so(app_id: str) -> None:
    async def story() -> None:
        model = model_of(f"redis://127.0.0.1:{free_port()}", app_id, owning(0, fed(0, 3, 31)))
        with pytest.raises(RedisError):
            await model.flush()
        assert await users(model) == {NEW_YEAR: (3, 0, False), END: (0, 3, False)}
        await model.close()

    within(story())


def test_redis_that_comes_back_gets_what_it_missed(
    redis_url: str, app_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves_model, "WRITE_S", 0.02)

    async def story() -> None:
        model = model_of(f"redis://127.0.0.1:{free_port()}", app_id, owning(0, fed(0, 3, 31)))
        away, there = model._redis, model_of(redis_url, app_id)  # noqa: SLF001  Redis comes back
        writing = asyncio.create_task(model.run())
        await asyncio.sleep(0.2)
        assert not writing.done()
        model._redis = there._redis  # noqa: SLF001  see above
        await asyncio.sleep(0.5)
        assert await stored(redis_url, app_id) == {NEW_YEAR: (3, 0, True), END: (0, 3, True)}
        writing.cancel()
        await model.close()
        await away.aclose()

    within(story())


def test_what_is_stored_by_another_version_is_left_out(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model = model_of(redis_url, app_id, owning(1, fed(1, 3, 31)))
        with Redis.from_url(redis_url) as store:
            store.hset(f"{app_id}:moves", "0", b"{}")
        assert await users(model) == {NEW_YEAR: (3, 0, True), END: (0, 3, True)}
        assert (await model.told()).partitions == 1
        await model.close()

    within(story())
