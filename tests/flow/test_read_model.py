"""What Redis holds of users is what the changelog gives: emptied, after a worker was killed, and of who is erased."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis

from app.connection import RedisConnection
from app.read_model import asked
from app.read_model.connection import connect
from app.read_model.pointer import Pointer
from app.read_model.reader import Reader
from schemas.events import UserId
from schemas.times import DAY_MS
from tests.flow.system import System, Wire, ends_of, some_events
from tests.flow.test_erasure import event, eventually
from tests.read_model.by_force import kept, sets_of, stored_sets

EVENTS: Final = 3_000
PARTITIONS: Final = 3


@pytest.fixture
def system(apache_kafka: Any, redis_url: str, tmp_path: Path) -> Iterator[System]:
    with System(
        tmp_path, kafka=apache_kafka.bootstrap, partitions=str(PARTITIONS), clock="event", redis=redis_url,
        session_timeout="6s", rules="builtin",
    ) as system:  # fmt: skip
        yield system


class Store:
    """What Redis holds of one application."""

    def __init__(self, system: System, url: str) -> None:
        self._app_id = system.settings.app_id
        self._url = url
        self._system = system

    def pointers(self) -> list[Pointer]:
        with Redis.from_url(self._url) as store:
            return [Pointer.of(store.get(f"{self._app_id}:{number}:pointer")) for number in range(PARTITIONS)]

    def stages(self) -> set[str]:
        """The stages of which anything is there, and what else there is."""
        with Redis.from_url(self._url) as store:
            keys = [key.decode().split(":", 3) for key in store.scan_iter() if key.startswith(self._app_id.encode())]
        return {parts[2] for parts in keys if len(parts) > 2} - {"owner", "pointer", "trail"}

    def is_right(self) -> bool:
        """Whether it is whole, and what the changelog gives, and nothing else is left."""
        pointers = self.pointers()
        if not all(each.is_whole for each in pointers) or self.stages() - {each.stage for each in pointers}:
            return False
        with Redis.from_url(self._url) as store:
            for number, (pointer, restore) in enumerate(zip(pointers, self._system.restores(), strict=True)):
                rows = {user.decode(): row for user, row in restore.rows.items()}
                if stored_sets(store, f"{self._app_id}:{number}:{pointer.stage}:") != sets_of(rows):
                    return False
        return True

    def trail(self, user_id: UserId) -> list[Wire]:
        async def read() -> list[Wire]:
            redis = connect(RedisConnection(url=self._url))
            try:
                return await Reader(redis, self._app_id, PARTITIONS).trail(user_id)
            finally:
                await redis.aclose()

        return asyncio.run(read())


# worker 0   events          Redis emptied       killed
# worker 1                                            restores        events       asked       erases
def test_redis_is_right_again_whatever_happens_to_it_or_to_a_worker(system: System, redis_url: str) -> None:
    events, store = some_events(3, 200, EVENTS), Store(system, redis_url)
    half = len(events) // 2
    system.start(0)
    system.publish(events[:half])
    system.wait_until_applied(ends_of(events[:half]))
    eventually(store.is_right, "what was applied is not in Redis")

    before = store.stages()
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    eventually(store.is_right, "it did not come back after Redis was emptied")
    assert not before & store.stages()

    system.kill(0)
    system.start(1)
    system.publish(events[half:])
    system.wait_until_applied(ends_of(events))
    eventually(store.is_right, "it is not right after a worker was killed")
    user = events[-1]["user_id"]
    said = [change["id"] for change in system.changes() if change["user_id"] == user]
    told = [entry["id"] for entry in store.trail(user) if entry["kind"] == "change"]
    assert told
    assert told == [each for each in said if each in told]
    assert told[-1] == said[-1]

    before = store.stages()
    command = [sys.executable, "-m", "app.cli", "serve", "rebuild"]
    done = subprocess.run(command, env=system.environment, capture_output=True, text=True, check=False)  # noqa: S603  our own program
    assert (done.returncode, done.stdout) == (0, f"all {PARTITIONS} partitions are whole\n"), done.stderr
    eventually(store.is_right, "it is not right after it was asked for")
    assert not before & store.stages()

    day = (ends_of(events) - event(user, 0)["ts"]) // DAY_MS + 1
    system.publish([event(user, day, type="profile", kind="erased")])
    eventually(lambda: f"'{user}'" not in kept(redis_url, system.settings.app_id), "Redis still names the user")
    eventually(store.is_right, "it is not right after an erasure")
    assert user not in json.dumps(store.trail(user))
    assert system.stop() == [0]


def test_who_asks_where_no_worker_is_is_told_so(
    system: System, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "PATIENCE_S", 0.5)
    with pytest.raises(asked.RebuildError, match="look whether workers run"):
        asyncio.run(asked.rebuild(RedisConnection(url=redis_url), system.settings.app_id, PARTITIONS, lambda *_: None))
    with pytest.raises(asked.RebuildError, match="does not answer"):
        asyncio.run(asked.rebuild(RedisConnection(url="redis://127.0.0.1:1"), "a", PARTITIONS, lambda *_: None))
