"""One tag under two rulebooks: what each user has under both, and how many users had what, day by day."""

from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from msgspec import Struct

from app.tag_moves import NONE, Key, TagMoves, key_of
from schemas.changes import TagChange
from schemas.events import UserId
from schemas.times import Millis


class Side(IntEnum):
    """Which of the two rulebooks."""

    OLD = 0
    NEW = 1


class Pair(Struct, gc=False):
    """A user's value under each rulebook, and since when."""

    old: Key = NONE
    new: Key = NONE
    old_since: Millis = 0
    new_since: Millis = 0

    @property
    def agreed(self) -> Key:
        """The value that the user has under both."""
        return self.old if self.old == self.new else NONE

    def put(self, side: Side, value: Key, since: Millis) -> None:
        """Take the value of one side."""
        if side is Side.OLD:
            self.old, self.old_since = value, since
        else:
            self.new, self.new_since = value, since


class TagPairs:
    """Takes the changes of both sides in the order of time, as a sorted history gives them; none is ever taken back.

    It holds the users who have the tag under one of the rulebooks, or under both.
    """

    def __init__(self) -> None:
        self._users: dict[UserId, Pair] = {}
        self.old, self.new, self.both = TagMoves(), TagMoves(), TagMoves()

    def add(self, side: Side, change: TagChange) -> None:
        """Take a change that one side says."""
        (self.old if side is Side.OLD else self.new).add(change)
        pair = self._users.get(change.user_id) or self._users.setdefault(change.user_id, Pair())
        before = pair.agreed
        pair.put(side, key_of(change.to), change.at)
        if pair.agreed != before:
            self.both.move(change.at, before, pair.agreed)
        if pair.old == pair.new == NONE:
            del self._users[change.user_id]

    def level(self) -> None:
        """Tell values apart everywhere, or nowhere."""
        sides: Final = (self.old, self.new, self.both)
        if any(side.has_many_values for side in sides):
            for side in sides:
                side.count_any()

    def flows(self) -> Counter[tuple[Key, Key]]:
        """How many users have which value under the old rulebook, and which under the new one, at the end."""
        return Counter((pair.old, pair.new) for pair in self._users.values())

    def differing(self) -> Iterator[tuple[UserId, Pair]]:
        """The users whose values differ at the end, by their ids."""
        return (
            (user, self._users[user]) for user in sorted(self._users) if self._users[user].old != self._users[user].new
        )
