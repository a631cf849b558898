"""GET /api/population: users by state now and by day, and flows."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.live.moves_model import Told
from app.moves import added
from schemas.changes import LIFECYCLE
from tests.api.served import Served, sources
from tests.test_moves import GONE, NEW, known


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """Of a user who came on the second of January, and fell silent on the fourth."""

    async def moves() -> Told:
        return Told(added([known(4, {1: NEW, 3: GONE}, silent=1)]), 1, store=True)

    web = Served(known=sources(moves=moves))
    yield web
    web.stop()


def asked(served: Served, query: str = "") -> Any:
    answer = served.ask(f"/api/population{query}")
    assert answer.status == 200, answer.text
    return answer.json["lifecycles"][LIFECYCLE]


def test_each_day_and_all_moves_are_told(served: Served) -> None:
    told = asked(served)
    assert told["days"] == ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    assert (told["users"]["active"], told["users"]["silent"]) == ([1, 1, 0, 0], [0, 0, 1, 1])
    assert told["flows"] == [
        {"from": None, "to": "active", "users": 1}, {"from": "active", "to": "silent", "users": 1}
    ]  # fmt: skip


def test_days_can_be_chosen(served: Served) -> None:
    told = asked(served, "?since=2024-01-03&until=2024-01-04")
    assert (told["days"], told["users"]["active"]) == (["2024-01-03", "2024-01-04"], [1, 0])
    assert told["flows"] == [{"from": "active", "to": "silent", "users": 1}]
    for query in ("?until=0001-01-01", "?since=9999-12-31", "?since=2024-01-05&until=2024-01-01"):
        told = asked(served, query)
        assert (told["days"], told["flows"]) == ([], [])


@pytest.mark.parametrize("query", ["?since=yesterday", "?until=2024-13-01", "?day=2024-01-01"])
def test_what_is_no_day_is_a_problem(served: Served, query: str) -> None:
    answer = served.ask(f"/api/population{query}")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
