"""One copy of a partition's rows in Redis, with the sets of users by label that belong to them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from app.read_model.connection import Connection
from app.read_model.keys import StageKeys
from schemas.events import UserId
from tables.labels import Label, glance, labels_of

EXPIRES_S: Final = 24 * 60 * 60
"""What nobody cares for any more is gone after that."""

_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(list[Label]).decode


class Stage:
    """A copy; written by one owner, a slice at a time, each whole or not at all.

    Labels are kept by user too: so what a user had before is taken out of its sets, whatever was said in between.
    """

    def __init__(self, redis: Connection, keys: StageKeys) -> None:
        self._redis = redis
        self.keys = keys

    async def put(self, rows: Mapping[UserId, bytes | None], relabelled: Collection[UserId]) -> Collection[UserId]:
        """Write some rows (None: nobody is known by that name); gives those users who were ever erased.

        `relabelled`: users whose labels may have changed; a row with tags by hand, or of who was erased, may always.
        """
        found = Slice()
        for user_id, encoded in rows.items():
            found.add(user_id, encoded, is_relabelled=user_id in relabelled)
        if not rows:
            return ()
        if found.labels:
            users = list(found.labels)
            known = await self._redis.hmget(self.keys.labels, users)
            found.compare({user: _DECODE(each) if each else [] for user, each in zip(users, known, strict=True)})
        async with self._redis.pipeline(transaction=True) as pipe:
            found.write(pipe, self.keys)
            for label in found.leaves:
                pipe.scard(self.keys.users(label))
            left = (await pipe.execute())[-len(found.leaves) :] if found.leaves else await pipe.execute()
        if empty := [label for label, users in zip(found.leaves, left, strict=False) if not users]:
            await self._redis.srem(self.keys.index, *empty)  # a value may be somebody's name
        return found.erased

    async def keep(self) -> None:
        """Put off the end of all keys."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in await self._names():
                pipe.expire(key, EXPIRES_S)
            await pipe.execute()

    async def remove(self) -> None:
        """Forget all of it."""
        await self._redis.unlink(*await self._names())

    async def _names(self) -> list[str]:
        labels = [each.decode() for each in await self._redis.smembers(self.keys.index)]
        return [self.keys.rows, self.keys.labels, self.keys.index, *map(self.keys.users, labels)]


class Slice:
    """What is to be written of some users."""

    def __init__(self) -> None:
        self.rows: dict[UserId, bytes] = {}
        self.gone: list[UserId] = []
        self.erased: list[UserId] = []
        self.labels: dict[UserId, Sequence[Label]] = {}
        self.joins: dict[Label, list[UserId]] = {}
        self.leaves: dict[Label, list[UserId]] = {}

    def add(self, user_id: UserId, encoded: bytes | None, *, is_relabelled: bool) -> None:
        """Take in a row; one that is blank is nobody's."""
        row = None if encoded is None else glance(encoded)
        if row is not None and row.erased_at is not None:
            self.erased.append(user_id)
        if encoded is None or row is None or row.is_blank:
            self.gone.append(user_id)
            self.labels[user_id] = ()
            return
        self.rows[user_id] = encoded
        if is_relabelled or row.packed_tags is not None or row.erased_at is not None:
            self.labels[user_id] = labels_of(row)

    def compare(self, known: Mapping[UserId, Collection[Label]]) -> None:
        """Find who joins which set, and who leaves it."""
        for user_id, labels in self.labels.items():
            before = known[user_id]
            for label in labels:
                if label not in before:
                    self.joins.setdefault(label, []).append(user_id)
            for label in before:
                if label not in labels:
                    self.leaves.setdefault(label, []).append(user_id)

    def write(self, pipe: Any, keys: StageKeys) -> None:
        """Add the commands that write it all."""
        kept = {user: _ENCODE(labels) for user, labels in self.labels.items() if labels}
        _set(pipe, keys.rows, self.rows, self.gone)
        _set(pipe, keys.labels, kept, self.gone)
        for label, users in self.joins.items():
            pipe.sadd(keys.users(label), *users)
        for label, users in self.leaves.items():
            pipe.srem(keys.users(label), *users)
        if self.joins:
            pipe.sadd(keys.index, *self.joins)
        for key in (keys.rows, keys.labels, keys.index, *map(keys.users, self.joins)):
            pipe.expire(key, EXPIRES_S)


def _set(pipe: Any, key: str, fields: Mapping[UserId, bytes], gone: Iterable[UserId]) -> None:
    if fields:
        pipe.hset(key, mapping=fields)
    if gone := list(gone):
        pipe.hdel(key, *gone)
