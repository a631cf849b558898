"""An erased user is gone: from what is served, from Redis, from the changelog but for a stub, which then goes too."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis

from app.topics import changelog_name
from schemas.times import DAY_MS
from tables import codec
from tests.flow.system import START, System, Wire
from tests.read_model.by_force import kept

GONE: Final = "gone-from-here"
STAYS: Final = "stays-for-long"
PATIENCE_S: Final = 20.0


def event(user: str, day: int, **fields: Any) -> Wire:
    return {"event_id": f"{user}-{day}", "user_id": user, "ts": START + day * DAY_MS, **fields}


def lives(user: str) -> list[Wire]:
    """Something of every kind, and a tag that holds the name of the user."""
    return [
        event(user, 0, type="click", item_id=user),
        event(user, 1, type="order", order_id=user, total=9.5),
        event(user, 2, type="cart", item_id=user),
        event(user, 3, type="profile", attributes={"name": user}, consent={"sms": True}),
        event(user, 4, type="tag", tag="named", value=user),
        event(user, 5, type="message", kind="opened", trigger_id=user),
    ]


def eventually(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.1)


def newest_rows(system: System) -> dict[bytes, bytes | None]:
    """What compaction leaves of the changelog."""
    return {record.key: record.value for record in system.read(changelog_name(system.settings))}


@pytest.fixture
def system(apache_kafka: Any, redis_url: str, tmp_path: Path) -> Iterator[System]:
    with System(
        tmp_path, kafka=apache_kafka.bootstrap, partitions="2", clock="event", redis=redis_url, allowed_lateness="1d"
    ) as system:
        yield system


# day      0 1 2 3 4 5  6                10            12
# gone     events       known to Redis    erased        the stub's time is up
# stays    events                                       click
def test_nothing_of_an_erased_user_is_served_or_kept(system: System, redis_url: str) -> None:
    system.start(0)
    system.start(1)
    system.publish([*lives(GONE), *lives(STAYS)])
    system.wait_until_applied(START + 5 * DAY_MS)
    eventually(lambda: GONE in kept(redis_url) and STAYS in kept(redis_url), "nothing came to Redis")

    system.publish([event(GONE, 10, type="profile", kind="erased")])
    system.wait_until_applied(START + 10 * DAY_MS)
    eventually(lambda: GONE not in kept(redis_url), "Redis still names the user")
    assert [(GONE in each, STAYS in each) for each in map(json.dumps, system.summaries())] == [(False, True)] * 2
    stub = newest_rows(system)[GONE.encode()]
    assert stub is not None
    row = codec.decode(stub)
    assert (row.is_blank, row.erased_at) == (True, START + 10 * DAY_MS)
    assert not any(GONE.encode() in value for value in newest_rows(system).values() if value)
    values = {change["tag"]: change["to"] for change in system.changes() if change["user_id"] == GONE}
    assert values == {"lifecycle": None, "lifecycle.purchase": None, "named": None}

    system.publish([event(STAYS, 12, type="click", item_id="i")])
    system.wait_until_applied(START + 12 * DAY_MS)
    assert system.stop() == [0, 0]
    assert newest_rows(system)[GONE.encode()] is None
    assert newest_rows(system)[STAYS.encode()] is not None
    assert GONE not in kept(redis_url)


def test_redis_may_come_back_with_old_data_after_the_worker_that_erased_is_dead(system: System, redis_url: str) -> None:
    key = f"{system.settings.app_id}:partitions"
    system.start(0)
    system.publish(lives(GONE))
    system.wait_until_applied(START + 5 * DAY_MS)
    with Redis.from_url(redis_url) as store:
        eventually(lambda: GONE in str(store.hvals(key)), "nothing came to Redis")
        old: Any = store.hgetall(key)
        system.publish([event(GONE, 10, type="profile", kind="erased")])
        system.wait_until_applied(START + 10 * DAY_MS)
        eventually(lambda: GONE not in kept(redis_url), "Redis still names the user")
        system.kill(0)
        store.hset(key, mapping=old)
    assert GONE in kept(redis_url)
    system.start(1)
    eventually(lambda: GONE not in kept(redis_url), "Redis still names the user")
    assert system.stop() == [0]
