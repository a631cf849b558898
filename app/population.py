"""How many users have which tag, day by day, from nothing but the changes that were said."""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from app.tag_moves import TagMoves, dates, key_of, value_of
from schemas.changes import LIFECYCLE, PURCHASE, TagChange, TagName
from schemas.events import Scalar
from schemas.times import Millis

State: TypeAlias = Literal["unactivated", "active", "silent", "lost"]
Move: TypeAlias = tuple[State | None, State | None]
"""From and to; None: not known before, or erased after."""

STATES: Final[tuple[State, ...]] = ("unactivated", "active", "silent", "lost")
"""In the order in which they are shown."""
LIFECYCLES: Final[tuple[TagName, ...]] = (LIFECYCLE, PURCHASE)
MAX_TAGS_BY_HAND: Final = 100
"""Of tags that no rule gives, the first so many are counted: their names come with the events."""

_VALUES: Final[dict[Scalar, State | None]] = {value: value for value in (*STATES, None)}
_FROM_ORDER: Final[tuple[State | None, ...]] = (None, *STATES)
_TO_ORDER: Final[tuple[State | None, ...]] = (*STATES, None)


class Population:
    """Counts the moves of every tag by UTC day; it never holds a user. `rules`: the tags that rules give."""

    def __init__(self, rules: Iterable[TagName] = ()) -> None:
        self._lifecycles = {tag: TagMoves() for tag in LIFECYCLES}
        self._tags = {tag: TagMoves() for tag in sorted(rules)}
        self._room = MAX_TAGS_BY_HAND

    def add(self, change: TagChange) -> None:
        """Count a change.

        Raises ValueError for the value of a lifecycle that is no state.
        """
        moves = self._lifecycles.get(change.tag)
        if moves is not None:
            _check(change)
            moves.add(change)
        elif (moves := self._moves_of(change.tag)) is not None:
            moves.add(change)

    def _moves_of(self, tag: TagName) -> TagMoves | None:
        moves = self._tags.get(tag)
        if moves is None and self._room:
            self._room -= 1
            moves = self._tags[tag] = TagMoves()
        return moves

    @property
    def tags(self) -> Mapping[TagName, TagMoves]:
        """The moves of all tags but the lifecycles: first those that rules give, then those set by hand."""
        return MappingProxyType(self._tags)

    def withdrawn(self, tag: TagName) -> int:
        """How many changes of a lifecycle were withdrawn."""
        return self._lifecycles[tag].withdrawn

    def flows(self, tag: TagName) -> dict[Move, int]:
        """How often users moved from one state to another, in display order; a user who moved twice is counted twice.

        Where a user comes from, None is first; where one goes to, None is last. Moves never made are left out.
        """
        flows = self._lifecycles[tag].flows().items()
        return in_order({(_VALUES[value_of(before)], _VALUES[value_of(after)]): n for (before, after), n in flows})

    def states(self, tag: TagName) -> dict[State, int]:
        """Users in each state after everything that was said; who was erased is in none."""
        users = self._lifecycles[tag].users()
        return {state: users.get(key_of(state), 0) for state in STATES}

    def by_day(self, tag: TagName, until: Millis) -> tuple[list[date], dict[State, list[int]]]:
        """The UTC days from the first move to the one of `until`, and the users in each state at the end of each."""
        moves = self._lifecycles[tag]
        days = moves.days(until)
        return dates(days), dict(zip(STATES, moves.by_day(map(key_of, STATES), days), strict=True))


def in_order(flows: Mapping[Move, int]) -> dict[Move, int]:
    """Flows as they are shown: where a user comes from, None is first; where one goes to, None is last; none is 0."""
    return {move: flows[move] for move in sorted(flows, key=_place) if flows[move]}


def _check(change: TagChange) -> None:
    for value in (change.from_, change.to):
        if value not in _VALUES:
            raise ValueError(f"change {change.id}: {value!r} is no state of {change.tag}")


def _place(move: Move) -> tuple[int, int]:
    return _FROM_ORDER.index(move[0]), _TO_ORDER.index(move[1])
