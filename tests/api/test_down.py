"""What the API says where Redis is away, or has not all users yet."""

import asyncio
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

import pytest

from app.read_model.connection import connect
from app.read_model.keys import Keys
from app.read_model.pointer import Pointer
from app.settings import Settings
from tests.api.served import Served, sources
from tests.api.test_problems import checked

PATHS: Final = ("/api/users", "/api/users?format=csv", "/api/users/u", "/api/tags")


@pytest.fixture(scope="module")
def away() -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()


@pytest.mark.parametrize("path", PATHS)
def test_without_redis_nothing_is_known_of_users_and_that_is_said(away: Served, path: str) -> None:
    found = checked(away.ask(path))
    assert (found["status"], found["detail"]) == (503, "Redis does not answer, and users are read from there")


@pytest.mark.parametrize("path", ["/api/summary", "/api/partitions", "/api/ledger", "/api/campaigns", "/api/models"])
def test_what_needs_no_redis_is_told(away: Served, path: str) -> None:
    assert away.ask(path).status == 200


def test_a_user_who_may_yet_be_written_is_not_called_unknown(redis_url: str) -> None:
    known = sources(Settings(kafka="127.0.0.1:1", redis=redis_url, app_id=uuid4().hex, partitions=1))
    served = Served(known=known)
    try:
        assert checked(served.ask("/api/users/u"))["status"] == 503
        assert served.ask("/api/users").json == {"count": 0, "users": [], "next": None, "whole": False}
        point(known.settings)
        assert checked(served.ask("/api/users/u"))["status"] == 404
        assert served.ask("/api/users").json["whole"]
    finally:
        served.stop()


def point(settings: Settings) -> None:
    """Say that all there is is there."""

    async def pointed() -> None:
        redis = connect(settings.redis_connection)
        await redis.set(Keys(settings.app_id, 0).pointer, Pointer("stage").stored)
        await redis.aclose()

    asyncio.run(pointed())
