"""How users move between the values of one tag, day by day; it never holds a user, so that its size does not grow."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import Final, TypeAlias

import msgspec
from msgspec import UNSET

from schemas.changes import TagChange
from schemas.events import Scalar
from schemas.times import DAY_MS, Millis

MAX_VALUES: Final = 12
"""Of a tag with more values than that, only the users who have any are counted."""

Days: TypeAlias = range
"""UTC days, each as its number since 1970-01-01."""
Key: TypeAlias = bytes
"""A value as JSON: so 1 and true are two, 1 and 1.0 are one."""

NONE: Final[Key] = b"null"
ANY: Final[Key] = b""
"""Any value, where there are too many to tell them apart."""

_encode: Final = msgspec.json.Encoder().encode


def key_of(value: Scalar) -> Key:
    """The key of a value.

    >>> key_of("vip"), key_of(True), key_of(1.0), key_of(None)
    (b'"vip"', b'true', b'1', b'null')
    """
    return _encode(int(value) if isinstance(value, float) and value.is_integer() else value)


def value_of(key: Key) -> Scalar:
    """The value of a key; None also for any.

    >>> value_of(b'"vip"'), value_of(ANY)
    ('vip', None)
    """
    value: Scalar = msgspec.json.decode(key) if key else None
    return value


def in_order(users: Mapping[Key, int]) -> list[Key]:
    """Keys as they are shown: numbers by size, then all else, what most users have first.

    >>> in_order({b'"core"': 5, b"10": 1, b"9": 3, b'"vip"': 7})
    [b'9', b'10', b'"vip"', b'"core"']
    """

    def place(key: Key) -> tuple[bool, float, Key]:
        value = value_of(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return False, value, key
        return True, -users[key], key

    return sorted(users, key=place)


def dates(days: Days) -> list[date]:
    """The days as dates.

    >>> dates(range(1, 2))
    [datetime.date(1970, 1, 2)]
    """
    return [datetime.fromtimestamp(day * DAY_MS // 1000, tz=UTC).date() for day in days]


class TagMoves:
    """Counts the moves of one tag by UTC day: between values while they are few, else between any and none.

    A withdrawal takes off the move that it withdraws, on the day of that move. What remains is the sum over all users'
    effective histories, and how many users have a value at a moment is the sum of the moves that led there.
    """

    def __init__(self) -> None:
        self._moves: Counter[tuple[int, Key, Key]] = Counter()
        self._known: set[Key] = {NONE}
        self.has_many_values = False
        self.withdrawn = 0

    def add(self, change: TagChange) -> None:
        """Count a change of the tag."""
        before, after = key_of(change.from_), key_of(change.to)
        if change.corrects is UNSET:
            self.move(change.at, before, after)
        else:
            self.move(change.at, after, before, -1)
            self.withdrawn += 1

    def move(self, at: Millis, before: Key, after: Key, count: int = 1) -> None:
        """Count users who went from one value to another at a time."""
        if not self.has_many_values:
            self._known |= {before, after}
            if len(self._known) > MAX_VALUES + 1:
                self.count_any()
        if self.has_many_values:
            before, after = _folded(before), _folded(after)
        self._moves[at // DAY_MS, before, after] += count

    def count_any(self) -> None:
        """Tell values apart no more, neither those counted so far nor those to come."""
        self.has_many_values, self._known = True, {NONE, ANY}
        moves, self._moves = self._moves, Counter()
        for (day, before, after), count in moves.items():
            self._moves[day, _folded(before), _folded(after)] += count

    @property
    def changes(self) -> int:
        """How many moves stand."""
        return self._moves.total()

    def flows(self) -> dict[tuple[Key, Key], int]:
        """How often users moved from one value to another; moves that were never made are left out."""
        totals: Counter[tuple[Key, Key]] = Counter()
        for (_, before, after), count in self._moves.items():
            totals[before, after] += count
        return {move: count for move, count in totals.items() if count}

    def users(self) -> dict[Key, int]:
        """Users by value after everything that was said; values that users once had are there with 0."""
        users: Counter[Key] = Counter()
        for (before, after), count in self.flows().items():
            users[before] -= count
            users[after] += count
        del users[NONE]
        return dict(users)

    def days(self, until: Millis) -> Days:
        """The UTC days from the first move to the one of `until`."""
        # a day on which everything was withdrawn never happened
        first = min((day for (day, *_), count in self._moves.items() if count), default=None)
        return range(0) if first is None else range(first, until // DAY_MS + 1)

    def by_day(self, keys: Iterable[Key], days: Days) -> list[list[int]]:
        """For each value, the users who have it at the end of each of the days, of which none is missing."""
        deltas: dict[Key, Counter[int]] = {}
        for (day, before, after), count in self._moves.items():
            deltas.setdefault(before, Counter())[max(day, days.start)] -= count
            deltas.setdefault(after, Counter())[max(day, days.start)] += count
        nothing: Counter[int] = Counter()
        return [list(accumulate(deltas.get(key, nothing)[day] for day in days)) for key in keys]


def _folded(key: Key) -> Key:
    return NONE if key == NONE else ANY
