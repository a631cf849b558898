"""How many users are in each state, day by day, from nothing but the changes that were said."""

from collections import Counter
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import Final, Literal, TypeAlias

from msgspec import UNSET

from schemas.changes import LIFECYCLE, PURCHASE, TagChange, TagName
from schemas.events import Scalar
from schemas.times import DAY_MS, Millis

State: TypeAlias = Literal["unactivated", "active", "silent", "lost"]
Days: TypeAlias = range
"""UTC days, each as its number since 1970-01-01."""
Move: TypeAlias = tuple[State | None, State | None]
"""From and to; None: not known before, or erased after."""

STATES: Final[tuple[State, ...]] = ("unactivated", "active", "silent", "lost")
"""In the order in which they are shown."""
LIFECYCLES: Final[tuple[TagName, ...]] = (LIFECYCLE, PURCHASE)

_VALUES: Final[dict[Scalar, State | None]] = {value: value for value in (*STATES, None)}
_FROM_ORDER: Final[tuple[State | None, ...]] = (None, *STATES)
_TO_ORDER: Final[tuple[State | None, ...]] = (*STATES, None)


class Population:
    """Counts the moves of both lifecycles by UTC day; it never holds a user, so that its size does not grow with them.

    A withdrawal takes off the move that it withdraws, on the day of that move. What remains is the sum over all users'
    effective histories, and a user's state at a moment is the sum of the moves that led there.
    """

    def __init__(self) -> None:
        self._moves: dict[TagName, Counter[tuple[int, Move]]] = {tag: Counter() for tag in LIFECYCLES}
        self._withdrawn: Counter[TagName] = Counter()

    def add(self, change: TagChange) -> None:
        """Count a change of a lifecycle; those of other tags are ignored.

        Raises ValueError for a value that is no state.
        """
        moves = self._moves.get(change.tag)
        if moves is None:
            return
        before, after = _state(change, change.from_), _state(change, change.to)
        day = change.at // DAY_MS
        if change.corrects is UNSET:
            moves[day, (before, after)] += 1
        else:
            moves[day, (after, before)] -= 1
            self._withdrawn[change.tag] += 1

    def withdrawn(self, tag: TagName) -> int:
        """How many changes were withdrawn."""
        return self._withdrawn[tag]

    def flows(self, tag: TagName) -> dict[Move, int]:
        """How often users moved from one state to another, in display order; a user who moved twice is counted twice.

        Where a user comes from, None is first; where one goes to, None is last. Moves never made are left out.
        """
        totals: Counter[Move] = Counter()
        for (_, move), count in self._moves[tag].items():
            totals[move] += count
        return {move: totals[move] for move in sorted(totals, key=_place) if totals[move]}

    def states(self, tag: TagName) -> dict[State, int]:
        """Users in each state after everything that was said; who was erased is in none."""
        now = dict.fromkeys(STATES, 0)
        for (before, after), count in self.flows(tag).items():
            if before is not None:
                now[before] -= count
            if after is not None:
                now[after] += count
        return now

    def by_day(self, tag: TagName, until: Millis) -> tuple[list[date], dict[State, list[int]]]:
        """The UTC days from the first move to the one of `until`, and the users in each state at the end of each."""
        deltas = self._deltas(tag)
        days = self._days(tag, until)
        counts = {state: list(accumulate(deltas[state][day] for day in days)) for state in STATES}
        return [_date(day) for day in days], counts

    def _deltas(self, tag: TagName) -> dict[State | None, Counter[int]]:
        """For each state the users that came less those that left, by day."""
        deltas: dict[State | None, Counter[int]] = {state: Counter() for state in (*STATES, None)}
        for (day, (before, after)), count in self._moves[tag].items():
            deltas[before][day] -= count
            deltas[after][day] += count
        return deltas

    def _days(self, tag: TagName, until: Millis) -> Days:
        # a day on which everything was withdrawn never happened
        first = min((day for (day, _), count in self._moves[tag].items() if count), default=None)
        return range(0) if first is None else range(first, until // DAY_MS + 1)


def _state(change: TagChange, value: Scalar) -> State | None:
    try:
        return _VALUES[value]
    except KeyError:
        raise ValueError(f"change {change.id}: {value!r} is no state of {change.tag}") from None


def _place(move: Move) -> tuple[int, int]:
    return _FROM_ORDER.index(move[0]), _TO_ORDER.index(move[1])


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY_MS // 1000, tz=UTC).date()
