"""Who writes users, and when all of them are written anew."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from app.connection import RedisConnection
from app.read_model.connection import connect
from app.read_model.keys import Keys
from app.read_model.pointer import Pointer
from app.read_model.reader import ANY, Reader
from app.read_model.stage import Stage
from app.read_model.users import Owned, Users
from tables import codec
from tables.arrivals import Arrivals
from tables.row import Row
from tables.rule_tags import RuleTag
from tables.said import Said
from tables.table import Table
from tests.read_model.test_reader import epoch, row


@pytest.fixture
def keys() -> Keys:
    return Keys(uuid4().hex, 0)


def table(*users: str) -> Table:
    found = Table()
    for user in users:
        found.load(user, row({"vip": "gold"}))
    return found


def stored(url: str, keys: Keys) -> Pointer:
    with Redis.from_url(url) as store:
        return Pointer.of(store.get(keys.pointer))


async def whole(users: Users) -> None:
    while not users.is_whole:
        await users.write()
        await users.fill()


# A   writes ----------- cut off, writes on            a new assignment: takes it back
# B            takes it
def test_who_was_cut_off_writes_nothing_until_there_is_another_assignment(redis_url: str, keys: Keys) -> None:
    async def story() -> None:
        redis, terms = connect(RedisConnection(url=redis_url)), {"a": 1, "b": 1}
        one = Users(redis, keys.app_id, lambda: Owned(terms["a"], {0: table("u1")}))
        other = Users(redis, keys.app_id, lambda: Owned(terms["b"], {0: table("u1", "u2")}))
        await whole(one)
        await whole(other)
        mine = stored(redis_url, keys)
        for _ in range(3):
            await one.write()
            await one.fill()
        assert stored(redis_url, keys) == mine
        assert await Reader(redis, keys.app_id, 1).count([], []) == 2
        terms["a"] += 1
        await whole(one)
        assert stored(redis_url, keys) != mine
        await redis.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("older", [False, True])
def test_where_redis_comes_back_empty_or_with_older_data_all_is_written_anew(
    redis_url: str, keys: Keys, *, older: bool
) -> None:
    async def story() -> None:
        redis, there = connect(RedisConnection(url=redis_url)), table("u1", "u2")
        users = Users(redis, keys.app_id, lambda: Owned(1, {0: there}))
        await whole(users)
        before = stored(redis_url, keys)
        stage = Stage(redis, keys.stage(before.stage or ""))
        if older:
            await stage.put({"u2": None}, ())
            await redis.set(keys.pointer, Pointer(before.stage, writes=before.writes - 1).stored)
        else:
            await stage.remove()
            await redis.delete(keys.pointer, keys.owner)
        await users.write()
        await whole(users)
        assert stored(redis_url, keys).stage != before.stage
        assert await Reader(redis, keys.app_id, 1).tags() == {"vip": {ANY: 2, "gold": 2}}
        await redis.aclose()

    asyncio.run(story())


def test_where_redis_is_emptied_amid_a_write_all_is_written_anew(
    redis_url: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        redis, there = connect(RedisConnection(url=redis_url)), table("u1", "u2")
        users = Users(redis, keys.app_id, lambda: Owned(1, {0: there}))
        await whole(users)
        before, put = stored(redis_url, keys), Stage.put

        async def emptied(stage: Stage, *what: Any) -> Any:
            await redis.delete(keys.pointer, keys.owner)
            await stage.remove()
            return await put(stage, *what)

        users.note(0, epoch(())._replace(rows={"u2": row({"vip": "gold"})}))
        with monkeypatch.context() as patch:
            patch.setattr(Stage, "put", emptied)
            await users.write()
        await users.write()
        await whole(users)
        assert await Reader(redis, keys.app_id, 1).tags() == {"vip": {ANY: 2, "gold": 2}}
        assert not [key async for key in redis.scan_iter(f"*{before.stage}*")]
        await redis.aclose()

    asyncio.run(story())


def test_a_word_by_hand_moves_a_user_also_where_no_change_was_said(redis_url: str, keys: Keys) -> None:
    async def story() -> None:
        redis = connect(RedisConnection(url=redis_url))
        stage = Stage(redis, keys.stage("s"))
        await redis.set(keys.pointer, Pointer("s").stored)
        by_rule = Row(arrivals=Arrivals(b"a" * 16))
        by_rule.rule_tags["vip"] = RuleTag([Said(1, None, "gold", 1)])
        await stage.put({"u": codec.encode(by_rule)}, {"u"})
        await stage.put({"u": row({"vip": "silver"})}, ())
        assert await Reader(redis, keys.app_id, 1).tags() == {"vip": {ANY: 1, "silver": 1}}
        await redis.aclose()

    asyncio.run(story())
