"""What was said of each user lately: changes, decisions, scores, and triggers that were taken back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

import msgspec

from agents.partition import Epoch
from app.read_model.connection import Connection
from app.read_model.keys import Keys
from schemas.changes import TagChange
from schemas.events import UserId
from schemas.recall import RecallDecision, RecallTrigger
from schemas.scores import ChurnScore
from schemas.times import Millis

MOST: Final = 50
"""So much is kept of one user."""
EXPIRES_S: Final = 90 * 24 * 60 * 60
"""Where nothing is said of a user for so long, all of it goes."""
_AT_ONCE: Final = 500
"""Users whose trails one command writes."""

# one command for many users: three for each of them would take ten times as long, here and there
_PUSH: Final = """
local most, expires_s, place = ARGV[1], ARGV[2], 3
for _, key in ipairs(KEYS) do
  local last = place + ARGV[place]
  redis.call('RPUSH', key, unpack(ARGV, place + 1, last))
  redis.call('LTRIM', key, -most, -1)
  redis.call('EXPIRE', key, expires_s)
  place = last + 1
end
"""

_ENCODE: Final = msgspec.json.Encoder().encode

Told: TypeAlias = TagChange | RecallDecision | RecallTrigger | ChurnScore
KINDS: Final[Mapping[type[Told], str]] = {
    TagChange: "change", RecallDecision: "decision", RecallTrigger: "trigger", ChurnScore: "score"
}  # fmt: skip


class Entry(NamedTuple):
    """Something that was said, and when it was committed, by the clock on the wall."""

    said_at: Millis
    told: Told

    @property
    def stored(self) -> bytes:
        """JSON: what was told as its topic has it, with `kind` and `said_at` before it."""
        head = b'{"kind":"%s","said_at":%d,' % (KINDS[type(self.told)].encode(), self.said_at)
        return head + _ENCODE(self.told)[1:]


def told_by(epoch: Epoch) -> Iterator[Told]:
    """What an epoch says of users; a trigger is told by its decision, unless it takes one back."""
    yield from epoch.changes
    yield from epoch.scores
    yield from epoch.decisions
    yield from (trigger for trigger in epoch.triggers if trigger.rev)


class Trails:
    """The trails of one partition's users."""

    def __init__(self, redis: Connection, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._push = redis.register_script(_PUSH)

    async def add(self, said: Mapping[UserId, Sequence[Entry]]) -> None:
        """Add what was said of some users; what is too old leaves."""
        for some in _slices(said):
            args: list[int | bytes] = [MOST, EXPIRES_S]
            for user_id in some:
                args += [len(said[user_id]), *(entry.stored for entry in said[user_id])]
            await self._push(keys=[self._keys.trail(user_id) for user_id in some], args=args)

    async def forget(self, users: Collection[UserId]) -> None:
        """Of these users nothing was ever said."""
        for some in _slices(users):
            await self._redis.unlink(*map(self._keys.trail, some))


def _slices(users: Collection[UserId]) -> Iterator[list[UserId]]:
    left = iter(users)
    while some := list(islice(left, _AT_ONCE)):
        yield some
