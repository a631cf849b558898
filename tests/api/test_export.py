"""Files of users: every cell as it should be, everybody on it once, and broken off where Redis goes away amid it."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import ClientPayloadError
from hypothesis import given
from hypothesis import strategies as st

from app.api.export import PAGE
from app.api.files import Csv, JsonArray, JsonLines
from app.read_model.reader import Audience, ReadModelDownError
from schemas.events import UserId
from tables.codec import encode
from tables.row import Row
from tests.api.served import Served, sources

ROW = encode(Row())


class Pages:
    """A reader of so many users, which goes away at a page."""

    def __init__(self, users: int, fails_at: int | None = None) -> None:
        self.users = [f"u{number:05}" for number in range(users)]
        self.fails_at = fails_at

    async def audience(self, _wanted: Any, _unwanted: Any, after: str | None, limit: int) -> Audience:
        start = int(after or 0)
        if self.fails_at is not None and start >= self.fails_at:
            raise ReadModelDownError("gone")
        end = start + limit
        return Audience(self.users[start:end], str(end) if end < len(self.users) else None)

    async def rows(self, users: Sequence[UserId]) -> list[bytes | None]:
        return [None if user.endswith("7") else ROW for user in users]


def ask(reader: Pages, form: str) -> str:
    served = Served(known=sources(reader=reader))
    try:
        answer = served.ask(f"/api/users?format={form}&field=user_id")
        assert answer.status == 200
        return answer.text
    finally:
        served.stop()


@pytest.mark.parametrize("users", [0, 1, PAGE, PAGE + 1, 3 * PAGE - 1])
def test_everybody_who_is_still_there_is_on_it_once(users: int) -> None:
    reader = Pages(users)
    there = [user for user in reader.users if not user.endswith("7")]
    assert [line[0] for line in csv.reader(io.StringIO(ask(reader, "csv")))] == ["user_id", *there]
    assert [json.loads(line)["user_id"] for line in ask(reader, "jsonl").splitlines()] == there
    assert [user["user_id"] for user in json.loads(ask(reader, "json"))] == there


@pytest.mark.parametrize("form", ["csv", "jsonl", "json"])
def test_a_file_that_breaks_off_is_seen_to(form: str) -> None:
    with pytest.raises(ClientPayloadError):
        ask(Pages(3 * PAGE, fails_at=2 * PAGE), form)


def test_where_redis_is_away_from_the_first_there_is_no_file() -> None:
    served = Served(known=sources(reader=Pages(1, fails_at=0)))
    try:
        assert served.ask("/api/users?format=csv").status == 503
    finally:
        served.stop()


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(), st.dictionaries(st.text(), st.text())
)


@given(st.lists(st.fixed_dictionaries({"=a": CELLS, "b": CELLS})))
def test_a_spreadsheet_finds_every_cell_and_no_formula(users: list[dict[str, Any]]) -> None:
    writer = Csv(["=a", "b"])
    text = (writer.head() + writer.users(users) + writer.end()).decode()
    head, *lines = csv.reader(io.StringIO(text, newline=""))
    assert head == ["'=a", "b"]
    assert len(lines) == len(users)
    for line, user in zip(lines, users, strict=True):
        for cell, value in zip(line, (user["=a"], user["b"]), strict=True):
            assert not (isinstance(value, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")))
            if isinstance(value, str):
                assert cell in {value, f"'{value}"}
            elif value is not None:
                assert json.loads(cell) == value


@given(st.lists(st.lists(st.fixed_dictionaries({"a": CELLS}), max_size=3), max_size=4))
def test_json_is_the_same_however_it_was_cut_into_pages(pages: list[list[dict[str, Any]]]) -> None:
    whole = [user for page in pages for user in page]
    array, lines = JsonArray([]), JsonLines([])
    assert json.loads(array.head() + b"".join(map(array.users, pages)) + array.end()) == whole
    assert [json.loads(each) for each in b"".join(map(lines.users, pages)).split(b"\n")[:-1]] == whole
