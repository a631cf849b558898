"""The read model on a real Redis: what one worker writes another reads, and without Redis each shows its own."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec
import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.connection import RedisConnection
from app.demo.embedded import free_port
from app.live.status import NEWEST, PartitionStatus
from app.read_model import read_model
from app.read_model.read_model import ReadModel
from schemas.changes import LIFECYCLE, TagChange
from tests.live.test_outputs import CHANGE
from tests.live.test_status import status
from tests.read_model.by_force import kept
from tests.servers import SystemRedis, redis_program

PATIENCE_S: Final = 60


def within(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, PATIENCE_S))


def changes(numbers: range) -> list[TagChange]:
    return [msgspec.structs.replace(CHANGE, id=f"{number}") for number in numbers]


def model_of(url: str, app_id: str, *owned: PartitionStatus) -> ReadModel:
    """Of a worker that owns these partitions."""
    return ReadModel(RedisConnection(url=url), app_id, lambda: owned)


def of(user: str, *numbers: int) -> list[TagChange]:
    """Changes of one user."""
    return [msgspec.structs.replace(CHANGE, id=f"{number}", user_id=user) for number in numbers]


def ids(newest: Sequence[TagChange]) -> list[int]:
    return [int(change.id) for change in newest]


@pytest.fixture
def app_id() -> str:
    return uuid4().hex


def test_what_one_worker_writes_another_reads(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        one, other = model_of(redis_url, app_id, status(0), status(1)), model_of(redis_url, app_id, status(2))
        one.update(0, changes(range(3)))
        await one.flush()
        await asyncio.sleep(0.002)
        other.update(2, changes(range(3, 5)))
        await other.flush()
        for model in (one, other):
            told = await model.summary()
            assert told.store
            assert told.counters["applied"] == 30
            assert told.users[LIFECYCLE] == {"active": 3}
            assert ids(told.newest) == [4, 3, 2, 1, 0]
            assert told.newest[0].at == CHANGE.at
        await one.close()
        await other.close()

    within(story())


def test_what_a_worker_knows_of_its_own_partitions_is_newer(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        before = model_of(redis_url, app_id, status(0), status(1))
        await before.flush()
        now = model_of(redis_url, app_id, status(0, counters={"applied": 90}))
        assert (await now.summary()).counters["applied"] == 100
        await before.close()
        await now.close()

    within(story())


def test_two_applications_do_not_see_each_other(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        one, other = model_of(redis_url, app_id, status(0)), model_of(redis_url, f"{app_id}-2")
        one.update(0, changes(range(1)))
        await one.flush()
        told = await other.summary()
        assert (told.store, told.events, told.newest) == (True, 0, [])
        await one.close()
        await other.close()

    within(story())


def test_only_what_has_changed_is_written_and_only_the_newest_changes(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model = model_of(redis_url, app_id, status(0), status(1))
        await model.flush()
        with Redis.from_url(redis_url) as store:
            store.hdel(f"{app_id}:partitions", "0", "1")
            for number in range(3 * NEWEST):
                model.update(0, changes(range(number, number + 1)))
            commands = store.info("stats")["total_commands_processed"]
            await model.flush()
            assert store.info("stats")["total_commands_processed"] - commands < 10
            assert store.hkeys(f"{app_id}:partitions") == [b"0"]
            assert 0 < store.ttl(f"{app_id}:partitions") <= read_model.EXPIRES_S
        assert ids((await model.summary()).newest) == list(range(3 * NEWEST - 1, 2 * NEWEST - 1, -1))
        await model.close()

    within(story())


# Redis     flushed
# worker    nothing happens     everything is written again
def test_what_redis_has_lost_comes_back_although_nothing_happens(
    redis_url: str, app_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        model, other = model_of(redis_url, app_id, status(0), status(1)), model_of(redis_url, app_id)
        model.update(0, changes(range(2)))
        await model.flush()
        with Redis.from_url(redis_url) as store:
            store.delete(f"{app_id}:partitions")
        await model.flush()
        assert (await other.summary()).events == 0
        monkeypatch.setattr(read_model, "REFRESH_S", 0.0)
        await model.flush()
        told = await other.summary()
        assert (told.events, ids(told.newest)) == (20, [1, 0])
        await model.close()
        await other.close()

    within(story())


def test_closing_writes_what_is_left(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model, reader = model_of(redis_url, app_id, status(0)), model_of(redis_url, app_id)
        model.update(0, changes(range(2)))
        await model.close()
        assert ids((await reader.summary()).newest) == [1, 0]
        await reader.close()

    within(story())


def test_what_is_stored_by_another_version_is_not_shown(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model = model_of(redis_url, app_id, status(1))
        with Redis.from_url(redis_url) as store:
            store.hset(f"{app_id}:partitions", "0", b"{}")
        told = await model.summary()
        assert (told.store, told.counters["applied"]) == (False, 10)
        await model.close()

    within(story())


# Redis       down ------ up ------        what was noted meanwhile is written when it is there
def test_while_redis_is_down_a_worker_shows_its_own_and_goes_on_when_it_is_back(
    app_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(read_model, "FLUSH_S", 0.02)
    caplog.set_level("INFO", "app.read_model.read_model")

    async def story(server: SystemRedis) -> None:
        model, other = model_of(server.url, app_id, status(0)), model_of(server.url, app_id)
        writing = asyncio.create_task(model.run())
        model.update(0, changes(range(2)))
        await until(model, is_up=True)
        before = model.errors
        server.stop()
        model.update(0, changes(range(2, 4)))
        await until(model, is_up=False)
        assert model.errors > before
        written_at = model.written_at
        told = await model.summary()
        assert (told.store, told.counters["applied"], ids(told.newest)) == (False, 10, [3, 2, 1, 0])
        server.start()
        await until(model, is_up=True)
        assert (model.written_at or 0) > (written_at or 0) > 0
        assert ids((await other.summary()).newest) == [3, 2, 1, 0]
        writing.cancel()
        await model.close()
        await other.close()

    server = SystemRedis(redis_program())
    server.start()
    try:
        within(story(server))
    finally:
        server.stop()
    told = [record.message.split(" (")[0] for record in caplog.records]
    assert told == ["Redis is there", "Redis is not there", "Redis is there"]


async def until(model: ReadModel, *, is_up: bool) -> None:
    while model.is_up is not is_up:  # noqa: ASYNC110  it tells nobody
        await asyncio.sleep(0.02)


# u1     a1 --- erased, and again a5       everything of u1 up to the epoch that erased it is gone
# u2         b3 ------ b4
def test_who_was_erased_is_gone_from_redis_and_from_memory(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model, other = model_of(redis_url, app_id, status(0)), model_of(redis_url, app_id)
        model.update(0, [*of("u1", 2), *of("u2", 3)])
        await model.flush()
        assert "u1" in kept(redis_url, app_id)
        model.update(0, [*of("u2", 4), *of("u1", 5)], {"u1"})
        assert ids((await model.summary()).newest) == [4, 3]
        await model.flush()
        assert "u1" not in kept(redis_url, app_id)
        assert ids((await other.summary()).newest) == [4, 3]
        model.update(0, of("u1", 6))
        await model.flush()
        assert ids((await other.summary()).newest) == [6, 4, 3]
        await model.close()
        await other.close()

    within(story())


# Redis     u1 up ------ down --------------- up, with what it had
# worker         u1, u2        erases u1
def test_an_erasure_is_kept_until_redis_has_taken_it(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model, down = model_of(redis_url, app_id, status(0)), model_of(f"redis://127.0.0.1:{free_port()}", app_id)
        model.update(0, [*of("u1", 1), *of("u2", 2)])
        await model.flush()
        there, model._redis = model._redis, down._redis  # noqa: SLF001  Redis goes away and comes back
        model.update(0, [], {"u1"})
        for _ in range(2):
            with pytest.raises(RedisError):
                await model.flush()
        assert ids((await model.summary()).newest) == [2]
        assert "u1" in kept(redis_url, app_id)
        model._redis = there  # noqa: SLF001  it is back
        await model.flush()
        assert "u1" not in kept(redis_url, app_id)
        await model.close()
        await down.close()

    within(story())


def test_who_is_erased_while_redis_is_written_to_is_gone_with_the_next_write(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model = model_of(redis_url, app_id, status(0))
        for turns in range(20):
            model.update(0, of("u1", turns))
            writing = asyncio.create_task(model.flush())
            for _ in range(turns):
                await asyncio.sleep(0)
            model.update(0, [], {"u1"})
            await writing
            await model.flush()
            assert "u1" not in kept(redis_url, app_id), turns
        await model.close()

    within(story())


def test_of_a_partition_that_was_restored_nothing_older_is_shown(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        gone = model_of(redis_url, app_id, status(0), status(1))
        gone.update(0, of("u1", 1))
        gone.update(1, of("u2", 2))
        await gone.flush()
        comes = model_of(redis_url, app_id, status(0))
        await comes.flush()
        assert ids((await comes.summary()).newest) == [2]
        assert "u1" not in kept(redis_url, app_id)
        gone.forget(1)
        assert ids((await gone.summary()).newest) == [1]
        await gone.close()
        await comes.close()

    within(story())


def test_of_a_partition_that_was_lost_nothing_is_written_or_shown(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        owned = [status(0)]
        model = ReadModel(RedisConnection(url=redis_url), app_id, lambda: owned)
        model.update(0, of("u1", 1))
        owned.clear()
        assert (await model.summary()).newest == []
        await model.flush()
        owned.append(status(0))
        await model.flush()
        assert "u1" not in kept(redis_url, app_id)
        await model.close()

    within(story())


def test_a_worker_that_was_stopped_for_long_writes_nothing_that_it_had_noted(
    redis_url: str, app_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 6.0])
    monkeypatch.setattr(read_model, "FLUSH_S", 0.0)
    monkeypatch.setattr(read_model, "monotonic", lambda: next(times, 6.0))

    async def story() -> None:
        model = model_of(redis_url, app_id, status(0))
        model.update(0, of("u1", 1))
        writing = asyncio.create_task(model.run())
        await until(model, is_up=True)
        writing.cancel()
        assert "u1" not in kept(redis_url, app_id)
        assert "applied" in kept(redis_url, app_id)
        await model.close()

    within(story())


def test_writing_ends_when_it_is_closed_also_where_nobody_heard_that_it_was_cancelled(
    redis_url: str, app_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_model, "FLUSH_S", 0.01)

    async def story() -> None:
        model = model_of(redis_url, app_id, status(0))
        writing = asyncio.create_task(model.run())
        await until(model, is_up=True)
        await model.close()
        await writing

    within(story())


def test_what_redis_refuses_is_logged_without_what_it_was_sent(
    redis_url: str, app_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(read_model, "FLUSH_S", 0.01)

    async def story() -> None:
        model = model_of(redis_url, app_id, status(0))
        with Redis.from_url(redis_url) as store:
            store.set(f"{app_id}:partitions", "no hash")
        model.is_up = True
        model.update(0, of("u1", 1))
        writing = asyncio.create_task(model.run())
        await until(model, is_up=False)
        writing.cancel()
        await model.close()

    within(story())
    (warning,) = caplog.messages
    assert "WRONGTYPE" in warning
    assert "HSET" not in warning
    assert "u1" not in warning
