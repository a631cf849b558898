"""Reading users from a real Redis: one, those with some tags page by page, how many, and what was said of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.partition import Epoch
from app.connection import RedisConnection
from app.demo.embedded import free_port
from app.read_model.connection import connect, reason
from app.read_model.keys import Keys
from app.read_model.noted import MAX_NOTED, Noted
from app.read_model.pointer import Pointer
from app.read_model.reader import ANY, Reader, ReadModelDownError
from app.read_model.stage import Stage
from app.read_model.trails import MOST, Entry, Trails
from schemas.partitioner import partition_of
from schemas.recall import RecallTrigger
from tables import codec
from tables.arrivals import Arrivals
from tables.row import ManualTag, Row
from tests.live.test_outputs import CHANGE
from tests.read_model.test_read_model import of

PARTITIONS: Final = 3
Found = TypeVar("Found")
Tags = dict[str, Any]


def row(tags: Tags, **fields: Any) -> bytes:
    """Of a user with tags by hand."""
    made = Row(arrivals=Arrivals(b"a" * 16), **fields)
    made.tags = {name: ManualTag(value, 1, "e") for name, value in tags.items()}
    return codec.encode(made)


def read(url: str, users: dict[str, bytes], work: Callable[[Reader], Awaitable[Found]]) -> Found:
    """What a reader finds among these users."""

    async def story() -> Found:
        redis, app_id = connect(RedisConnection(url=url)), uuid4().hex
        try:
            for number in range(PARTITIONS):
                keys = Keys(app_id, number)
                mine = {user: each for user, each in users.items() if partition_of(user.encode(), PARTITIONS) == number}
                await Stage(redis, keys.stage("s")).put(mine, mine.keys())
                await redis.set(keys.pointer, Pointer("s").stored)
            return await work(Reader(redis, app_id, PARTITIONS))
        finally:
            await redis.aclose()

    return asyncio.run(story())


async def all_pages(reader: Reader, wanted: Any, unwanted: Any, limit: int) -> list[list[str]]:
    pages, after = [], None
    while True:
        page = await reader.audience(wanted, unwanted, after, limit)
        pages.append(page.users)
        if (after := page.next) is None:
            return pages


def with_tags(users: Iterable[tuple[str, Tags]], wanted: Any, unwanted: Any) -> list[str]:
    """Who has them, in the order of pages."""

    def has(tags: Tags, name: str, value: Any) -> bool:
        return name in tags and (value is None or tags[name] is value or tags[name] == value)

    found = [
        user
        for user, tags in users
        if all(has(tags, *each) for each in wanted) and not any(has(tags, *each) for each in unwanted)
    ]
    return sorted(found, key=lambda user: (partition_of(user.encode(), PARTITIONS), user.encode()))


VALUES: Final = st.sampled_from(["gold", "a/b", "客户", True, False, 7])
TAGS: Final = st.dictionaries(st.sampled_from(["vip", "b", "客"]), VALUES)
ASKED: Final = st.lists(
    st.tuples(st.sampled_from(["vip", "b", "客"]), st.sampled_from(["gold", "a/b", True, None])), max_size=2
)


@settings(max_examples=40)
@given(
    users=st.dictionaries(st.text(min_size=1, max_size=6), TAGS, max_size=12), wanted=ASKED, unwanted=ASKED,
    limit=st.integers(1, 5),
)  # fmt: skip
def test_an_audience_is_who_has_all_of_some_tags_and_none_of_others_each_once_in_one_order(
    redis_url: str, users: dict[str, Tags], wanted: Any, unwanted: Any, limit: int
) -> None:
    async def work(reader: Reader) -> tuple[list[list[str]], int]:
        return await all_pages(reader, wanted, unwanted, limit), await reader.count(wanted, unwanted)

    pages, count = read(redis_url, {user: row(tags) for user, tags in users.items()}, work)
    true = with_tags(users.items(), wanted, unwanted)
    assert [user for page in pages for user in page] == true
    assert all(len(page) == limit for page in pages[:-1])
    assert count == len(true)


def test_tags_are_counted_by_value_and_numbers_and_long_text_only_as_any(redis_url: str) -> None:
    users = {"a": row({"vip": "gold", "n": 4}), "b": row({"vip": True}), "c": row({"vip": "x" * 65, "e": ""})}
    assert read(redis_url, users, lambda reader: reader.tags()) == {
        "vip": {ANY: 3, "gold": 1, "true": 1}, "n": {ANY: 1}, "e": {ANY: 1}
    }  # fmt: skip


def test_a_row_is_found_decoded_and_nobody_is_none(redis_url: str) -> None:
    async def work(reader: Reader) -> tuple[Row | None, Row | None]:
        return await reader.row("a"), await reader.row("b")

    found, nobody = read(redis_url, {"a": row({"vip": "gold"}), "b": codec.encode(Row(erased_at=5))}, work)
    assert found is not None
    assert found.tags["vip"].value == "gold"
    assert nobody is None


@pytest.mark.parametrize("cursor", ["", "x", "WzAsMV0=", "é", "W10="])
def test_what_is_no_cursor_is_refused(redis_url: str, cursor: str) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        read(redis_url, {}, lambda reader: reader.audience([], [], cursor, 5))


@pytest.mark.parametrize("value", ["", "x" * 65])
def test_values_that_cannot_be_found_are_refused(redis_url: str, value: str) -> None:
    with pytest.raises(ValueError, match="nobody can be found"):
        read(redis_url, {}, lambda reader: reader.count([("vip", value)], []))


def test_before_anything_was_written_nothing_is_found_and_it_is_not_whole(redis_url: str) -> None:
    async def story() -> None:
        redis = connect(RedisConnection(url=redis_url))
        reader = Reader(redis, uuid4().hex, PARTITIONS)
        assert not await reader.is_whole()
        assert (await reader.tags(), await reader.count([], []), await reader.row("a")) == ({}, 0, None)
        await redis.aclose()

    asyncio.run(story())


@pytest.mark.parametrize(
    "work",
    [
        lambda reader: reader.row("a"), lambda reader: reader.trail("a"), lambda reader: reader.tags(),
        lambda reader: reader.audience([], [], None, 1), lambda reader: reader.count([], []),
        lambda reader: reader.is_whole(),
    ],
)  # fmt: skip
def test_where_redis_is_down_that_is_told(work: Callable[[Reader], Awaitable[Any]]) -> None:
    async def story() -> None:
        redis = connect(RedisConnection(url=f"redis://127.0.0.1:{free_port()}"))
        with pytest.raises(ReadModelDownError):
            await work(Reader(redis, "a", PARTITIONS))
        await redis.aclose()

    asyncio.run(story())


def test_why_redis_refuses_is_told_without_what_it_was_sent() -> None:
    error = Exception("Command # 1 (HSET k u1 secret) of pipeline caused error: WRONGTYPE no hash, with args beginning")
    assert reason(error) == "WRONGTYPE no hash"


# epochs     1: a1 a2   2: erases a, says a3   3: a4          b: many
def test_a_trail_tells_the_newest_and_nothing_from_before_an_erasure(redis_url: str) -> None:
    async def story() -> None:
        redis = connect(RedisConnection(url=redis_url))
        keys = Keys(uuid4().hex, 0)
        trails, reader, noted = Trails(redis, keys), Reader(redis, keys.app_id, 1), Noted()
        noted.add(epoch(of("a", 1, 2)), 10)
        noted.add(epoch(of("b", *range(2 * MOST))), 20)
        await write(trails, noted)
        assert [(each["kind"], each["said_at"], each["id"]) for each in await reader.trail("a")] == [
            ("change", 10, "1"), ("change", 10, "2")
        ]  # fmt: skip
        assert [int(each["id"]) for each in await reader.trail("b")] == list(range(MOST, 2 * MOST))
        later = Noted()
        later.add(epoch(of("a", 3), {"a"}), 30)
        later.add(epoch(of("a", 4)), 40)
        await write(trails, later)
        assert [each["id"] for each in await reader.trail("a")] == ["4"]
        await write(trails, later)
        await trails.add(later.said)
        assert [each["id"] for each in await reader.trail("a")] == ["4"]
        await redis.aclose()

    asyncio.run(story())


def epoch(changes: Any, erased: Iterable[str] = (), **fields: Any) -> Epoch:
    return Epoch(rows={}, changes=changes, dead_letters=(), state=None, erased=set(erased), **fields)  # type: ignore[arg-type]  # not looked at


async def write(trails: Trails, noted: Noted) -> None:
    await trails.forget(noted.erased)
    await trails.add(noted.said)


def test_a_trigger_is_told_only_where_it_is_taken_back() -> None:
    known: dict[str, Any] = {
        "user_id": "a", "campaign": "c", "variant": None, "reason": "", "recall_channel": "sms", "offer": None, "at": 1,
        "expires_at": 2, "test": False, "churn_risk": None, "profile": {}, "cause": "x",
    }  # fmt: skip
    noted = Noted()
    noted.add(epoch((), triggers=[RecallTrigger(id="t", rev=rev, **known) for rev in (0, 1)]), 5)
    (entry,) = noted.said["a"]
    assert isinstance(entry.told, RecallTrigger)
    assert entry.told.rev == 1
    assert entry.stored.startswith(b'{"kind":"trigger","said_at":5,"id":"t","rev":1')


def test_what_waits_for_redis_is_bounded_and_who_was_erased_is_not_forgotten() -> None:
    noted = Noted()
    noted.add(epoch((), {"gone"}), 1)
    noted.add(epoch([])._replace(rows={f"u{number}": b"" for number in range(MAX_NOTED + 1)}), 2)
    assert (noted.is_torn, noted.rows, noted.erased) == (True, {}, {"gone"})


def test_notes_that_could_not_be_written_are_dropped_but_for_what_was_said_since_an_erasure() -> None:
    older, newer = Noted(), Noted()
    older.add(epoch([*of("a", 1), *of("b", 2)])._replace(rows={"a": b""}), 1)
    newer.add(epoch(of("b", 4), {"a"}), 2)
    newer.tear(older)
    assert (newer.is_torn, newer.rows, newer.erased) == (True, {}, {"a"})
    assert {user: [entry.told for entry in said] for user, said in newer.said.items()} == {"b": of("b", 2, 4)}


def test_an_entry_is_the_topics_record_with_two_fields_before_it() -> None:
    assert Entry(7, CHANGE).stored.startswith(b'{"kind":"change","said_at":7,"id":')
