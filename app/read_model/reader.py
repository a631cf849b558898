"""Reading: one user, what tags there are, and who has them, over all partitions."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import uuid4

import msgspec

from app.read_model.connection import DOWN, Connection, reason
from app.read_model.keys import Keys, StageKeys
from app.read_model.pointer import Pointer
from app.read_model.query import Query, Wanted
from schemas.changes import TagName
from schemas.events import UserId
from schemas.partitioner import partition_of
from tables import codec
from tables.labels import EVERYBODY, Label
from tables.row import Row

__all__ = ["ANY", "Audience", "ReadModelDownError", "Reader", "Wanted", "Wire"]

Wire: TypeAlias = dict[str, Any]

ANY: Final = ""
"""Under this value `tags` counts all who have a tag, also with values that are not counted one by one."""


class ReadModelDownError(Exception):
    """Redis does not answer."""


class Audience(NamedTuple):
    """Users, in the order of partition and name. `next`: the cursor behind the last one; None: there are no more."""

    users: list[UserId]
    next: str | None


class Reader:
    """Reads what the owners of all partitions wrote. Each method raises ReadModelDownError where Redis is down.

    All is as of the last half second. A tag's value that is a number, empty or longer than 64 characters cannot be
    asked for, only the tag.
    """

    def __init__(self, redis: Connection, app_id: str, partitions: int) -> None:
        self._redis = redis
        self._keys = [Keys(app_id, number) for number in range(partitions)]

    async def row(self, user_id: UserId) -> Row | None:
        """A user's row; None: nobody knows this user, or they were erased."""
        keys = self._home(user_id)
        with _answering():
            stage = Pointer.of(await self._redis.get(keys.pointer)).stage
            encoded = None if stage is None else await self._redis.hget(keys.stage(stage).rows, user_id)
        return None if encoded is None else codec.decode(encoded)

    async def rows(self, users: Sequence[UserId]) -> list[bytes | None]:
        """The rows of some users, encoded, in their order; None as `row` has it."""
        found: dict[UserId, bytes | None] = {}
        homes: dict[int, list[UserId]] = {}
        for user_id in users:
            homes.setdefault(self._home(user_id).partition, []).append(user_id)
        with _answering():
            for number, stage in await self._stages():
                if there := homes.get(number):
                    found.update(zip(there, await self._redis.hmget(stage.rows, there), strict=True))
        return [found.get(user_id) for user_id in users]

    async def trail(self, user_id: UserId) -> list[Wire]:
        """What was said of a user lately, oldest first, each with its `kind` and when it was committed (`said_at`)."""
        with _answering():
            said = await self._redis.lrange(self._home(user_id).trail(user_id), 0, -1)
        return [msgspec.json.decode(each) for each in dict.fromkeys(said)]

    async def tags(self) -> dict[TagName, dict[str, int]]:
        """How many users have each value of each tag; under ANY, how many have the tag at all."""
        total: Counter[Label] = Counter()
        with _answering():
            for _, stage in await self._stages():
                labels = [each.decode() for each in await self._redis.smembers(stage.index)]
                async with self._redis.pipeline(transaction=False) as pipe:
                    for each in labels:
                        pipe.scard(stage.users(each))
                    total.update(dict(zip(labels, await pipe.execute(), strict=True)))
        return _by_tag(total)

    async def audience(
        self, wanted: Sequence[Wanted], unwanted: Sequence[Wanted], after: str | None, limit: int
    ) -> Audience:
        """At most `limit` users with all wanted tags and no unwanted one, behind a cursor.

        Raises ValueError for what is no cursor, and for values that cannot be asked for.
        """
        query, first, behind = Query.of(wanted, unwanted), *_read(after)
        found: list[tuple[int, UserId]] = []
        with _answering():
            for number, stage in await self._stages():
                if first <= number and len(found) <= limit:
                    question = partial(query.page, after=behind if number == first else None, limit=limit + 1)
                    found += [(number, user.decode()) for user in await self._ask(stage, question)]
        users = [user for _, user in found[:limit]]
        return Audience(users, _cursor(found[limit - 1]) if len(found) > limit else None)

    async def count(self, wanted: Sequence[Wanted], unwanted: Sequence[Wanted]) -> int:
        """How many users have all wanted tags and no unwanted one; raises ValueError as `audience` does."""
        query = Query.of(wanted, unwanted)
        with _answering():
            stages = await self._stages()
            return sum([await self._ask(stage, query.size) for _, stage in stages])

    async def is_whole(self) -> bool:
        """Whether what is read is all there is: else owners have yet to write it, or write it anew."""
        with _answering():
            return all(each.is_whole for each in await self._pointers())

    def _home(self, user_id: UserId) -> Keys:
        return self._keys[partition_of(user_id.encode(), len(self._keys))]

    async def _pointers(self) -> list[Pointer]:
        return [Pointer.of(each) for each in await self._redis.mget([keys.pointer for keys in self._keys])]

    async def _stages(self) -> list[tuple[int, StageKeys]]:
        """Of each partition that can be read: its number, and the copy that is read."""
        found = zip(self._keys, await self._pointers(), strict=True)
        return [(keys.partition, keys.stage(where.stage)) for keys, where in found if where.stage is not None]

    async def _ask(self, stage: StageKeys, question: Callable[[Any, StageKeys, str], None]) -> Any:
        """What the last command of a question gives; it has a key of its own, gone before anybody sees it."""
        key = stage.users(f"/{uuid4().hex}")
        async with self._redis.pipeline(transaction=True) as pipe:
            question(pipe, stage, key)
            pipe.unlink(key)
            *_, answer, _ = await pipe.execute()
        return answer


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except DOWN as error:
        raise ReadModelDownError(reason(error)) from error


def _by_tag(users: Counter[Label]) -> dict[TagName, dict[str, int]]:
    found: dict[TagName, dict[str, int]] = {}
    for label in sorted(users):
        name, _, value = label.partition("/")
        if label != EVERYBODY and users[label]:
            found.setdefault(name, {})[value] = users[label]
    return found


_PLACE: Final = msgspec.json.Decoder(tuple[int, str])


def _cursor(place: tuple[int, UserId]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _read(cursor: str | None) -> tuple[int, UserId | None]:
    """The partition to begin with, and the user behind whom; raises ValueError for what is no cursor."""
    if cursor is None:
        return 0, None
    try:
        return _PLACE.decode(urlsafe_b64decode(cursor))
    except (Error, msgspec.MsgspecError, ValueError) as error:
        raise ValueError("no cursor of ours") from error
