"""The read model on a real Redis: what one worker writes another reads, and without Redis each shows its own."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec
import pytest
from redis import Redis

from app.demo.embedded import EmbeddedStore, free_port
from app.live import read_model
from app.live.read_model import NEWEST, ReadModel
from app.live.status import Summary
from schemas.changes import LIFECYCLE, TagChange
from tests.live.test_outputs import CHANGE
from tests.live.test_status import status
from tests.servers import redis_program

PATIENCE_S: Final = 20


def within(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, PATIENCE_S))


def changes(numbers: range) -> list[TagChange]:
    return [msgspec.structs.replace(CHANGE, id=f"{number}") for number in numbers]


def ids(newest: Sequence[TagChange]) -> list[int]:
    return [int(change.id) for change in newest]


@pytest.fixture
def app_id() -> str:
    return uuid4().hex


def test_what_one_worker_writes_another_reads(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        one, other = ReadModel(redis_url, app_id), ReadModel(redis_url, app_id)
        one.update(status(0), changes(range(3)))
        one.update(status(1), [])
        await one.flush()
        other.update(status(2), changes(range(3, 5)))
        await other.flush()
        for model in (one, other):
            told = await model.summary([])
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
        model = ReadModel(redis_url, app_id)
        model.update(status(0), [])
        model.update(status(1), [])
        await model.flush()
        told = await model.summary([status(0, counters={"applied": 90})])
        assert told.counters["applied"] == 100
        await model.close()

    within(story())


def test_two_applications_do_not_see_each_other(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        one, other = ReadModel(redis_url, app_id), ReadModel(redis_url, f"{app_id}-2")
        one.update(status(0), changes(range(1)))
        await one.flush()
        told = await other.summary([])
        assert (told.store, told.events, told.newest) == (True, 0, [])
        await one.close()
        await other.close()

    within(story())


def test_only_the_newest_status_of_a_partition_and_the_newest_changes_are_written(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model = ReadModel(redis_url, app_id)
        for number in range(3 * NEWEST):
            model.update(status(0, epoch=number), changes(range(number, number + 1)))
        with Redis.from_url(redis_url) as store:
            commands = store.info("stats")["total_commands_processed"]
            await model.flush()
            assert store.info("stats")["total_commands_processed"] - commands < 20
            assert store.hlen(f"{app_id}:partitions") == 1
            assert store.llen(f"{app_id}:changes") == NEWEST
            assert 0 < store.ttl(f"{app_id}:changes") <= read_model.EXPIRES_S
        model.update(status(0), changes(range(3 * NEWEST, 3 * NEWEST + 50)))
        await model.flush()
        await model.flush()
        assert ids((await model.summary([])).newest) == list(range(3 * NEWEST + 49, 2 * NEWEST + 49, -1))
        await model.close()

    within(story())


def test_closing_writes_what_is_left(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model, reader = ReadModel(redis_url, app_id), ReadModel(redis_url, app_id)
        model.update(status(0), changes(range(2)))
        await model.close()
        assert ids((await reader.summary([])).newest) == [1, 0]
        await reader.close()

    within(story())


def test_what_is_stored_by_another_version_is_not_shown(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model = ReadModel(redis_url, app_id)
        with Redis.from_url(redis_url) as store:
            store.hset(f"{app_id}:partitions", "0", b"{}")
        told = await model.summary([status(1)])
        assert (told.store, told.counters["applied"]) == (False, 10)
        await model.close()

    within(story())


# Redis       down ------ up ------        what was noted meanwhile is written when it is there
def test_while_redis_is_down_a_worker_shows_its_own_and_goes_on_when_it_is_back(
    app_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(read_model, "FLUSH_S", 0.02)
    caplog.set_level("INFO", "app.live.read_model")

    async def story(server: EmbeddedStore) -> None:
        model = ReadModel(server.url, app_id)
        writing = asyncio.create_task(model.run())
        model.update(status(0), changes(range(2)))
        await shown(model, store=True)
        server.stop()
        model.update(status(0, epoch=2), changes(range(2, 4)))
        told = await shown(model, store=False)
        assert (told.counters["applied"], ids(told.newest)) == (10, [3, 2, 1, 0])
        await asyncio.sleep(0.1)
        assert not model.is_up
        writing.cancel()
        await model.close()

    with EmbeddedStore(redis_program()) as server:
        within(story(server))
    assert [record.message.split(" (")[0] for record in caplog.records] == ["Redis is there", "Redis is not there"]


def test_what_was_noted_while_redis_was_down_is_written_later(redis_url: str, app_id: str) -> None:
    async def story() -> None:
        model = ReadModel(f"redis://127.0.0.1:{free_port()}", app_id)
        model.update(status(0), changes(range(2)))
        with pytest.raises(ConnectionError):
            await flushed(model)
        there = ReadModel(redis_url, app_id)
        model._redis, there._redis = there._redis, model._redis  # noqa: SLF001  as if it had come up
        await model.flush()
        assert ids((await model.summary([])).newest) == [1, 0]
        assert (await model.summary([])).counters["applied"] == 10
        await model.close()
        await there.close()

    within(story())


async def flushed(model: ReadModel) -> None:
    """Redis has errors of its own."""
    try:
        await model.flush()
    except Exception as error:
        raise ConnectionError(str(error)) from error


async def shown(model: ReadModel, *, store: bool) -> Summary:
    """What is shown once Redis is there, or is not."""
    while True:
        told = await model.summary([status(0)])
        if told.store is store and (not store or told.newest):
            return told
        await asyncio.sleep(0.02)
