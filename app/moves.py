"""Users by state at the end of each day, and who went from where to where: from the moves that partitions have kept.

```
census of now            active 7, silent 3
moves of today           active -> silent 2
so, yesterday evening    active 9, silent 1
```

It is counted backwards: so it needs nothing but the days that are known.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple, TypeVar

from msgspec import Struct

from app.population import LIFECYCLES, STATES, Move, in_order
from app.tag_moves import dates
from schemas.changes import TagName
from schemas.times import DAY_MS
from tables.census import Census
from tables.changelog import State
from tables.lifecycle import State as UserState
from tables.moves import ALWAYS, Day

DAYS_SHOWN: Final = 400
"""So many days are told of a partition, up to the one that it has reached; its changelog keeps all."""

K = TypeVar("K")

_EPOCH: Final = date(1970, 1, 1).toordinal()


class KnownMoves(Struct, array_like=True, frozen=True):
    """What one partition tells of moves, or all of them added up; days are numbers since 1970.

    `last`: the day that time has reached. `first`: the first day of which all moves are known, so that the day before
    it ends with numbers that are right; None: there never was another.
    """

    last: int
    first: int | None
    census: Census
    days: Mapping[int, Day]

    @classmethod
    def of(cls, state: State, days: Mapping[int, Day]) -> "KnownMoves":
        """Of a partition that stands so, and its days; what is in it changes with them."""
        last = max((state.watermark - 1) // DAY_MS, max(days, default=0))
        oldest = last - DAYS_SHOWN + 1
        since = state.reached if state.moves_since is None else state.moves_since
        first = None if since == ALWAYS else since // DAY_MS + 1
        if any(number < oldest for number in days):
            first = max(first or 0, oldest)
        return cls(last, first, state.census, {number: days[number] for number in days if number >= oldest})


class StatesByDay(NamedTuple):
    """UTC days, of which none is missing, and the users in each state at the end of each."""

    days: Sequence[date]
    users: Mapping[UserState, Sequence[int]]


def added(partitions: Iterable[KnownMoves]) -> KnownMoves:
    """Several partitions as one. Where one is behind, its users stand where they stood."""
    known = list(partitions)
    census: Census = {}
    days: dict[int, Day] = {}
    for each in known:
        _add(census, each.census)
        for number, day in each.days.items():
            _add(days.setdefault(number, {}), day)
    firsts = [each.first for each in known if each.first is not None]
    last = max((each.last for each in known), default=0)
    return KnownMoves(last, max(firsts, default=None), census, days)


def _add(total: dict[TagName, dict[K, int]], counts: Mapping[TagName, Mapping[K, int]]) -> None:
    for tag, numbers in counts.items():
        known = total.setdefault(tag, {})
        for key, number in numbers.items():
            known[key] = known.get(key, 0) + number


def population(known: KnownMoves) -> dict[TagName, StatesByDay]:
    """Users by state at the end of each day, by lifecycle, from the first day that can be told."""
    return {tag: _by_day(known, tag) for tag in LIFECYCLES}


def _by_day(known: KnownMoves, tag: TagName) -> StatesByDay:
    moved = [number for number, day in known.days.items() if day.get(tag)]
    earliest = min(moved, default=known.last + 1) if known.first is None else known.first - 1
    days = range(earliest, known.last + 1)
    users = Counter(known.census.get(tag, {}))
    ends: list[list[int]] = []
    for number in reversed(days):
        ends.append([users[state] for state in STATES])
        _undo(users, known.days.get(number, {}).get(tag, {}))
    counts = zip(*reversed(ends), strict=True) if ends else ((),) * len(STATES)
    return StatesByDay(dates(days), dict(zip(STATES, map(list, counts), strict=True)))


def _undo(users: Counter[str], flows: Mapping[Move, int]) -> None:
    for (before, after), count in flows.items():
        if before is not None:
            users[before] += count
        if after is not None:
            users[after] -= count


def flows(known: KnownMoves, tag: TagName, since: date, until: date) -> dict[Move, int]:
    """How often users moved from one state of a lifecycle to another in some days, both included, as they are shown.

    Days of which not all moves are known are left out.
    """
    total: Counter[Move] = Counter()
    first = max(since.toordinal() - _EPOCH, known.first or 0)
    for number, day in known.days.items():
        if first <= number <= until.toordinal() - _EPOCH:
            total.update(day.get(tag, {}))
    return in_order(total)
