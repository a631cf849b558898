"""One lifecycle: what an activity and the passing of time make true, and what a late activity proves wrong.

```
in order    x---------|S      |L            x          silent at x+S, lost at x+L, active at the next activity
late        x---------|S  o   |L            x          o withdraws lost and the return, and says: active at o
```
"""

from typing import NamedTuple

from agents.journal import Journal
from agents.limits import Span
from schemas.changes import BY_TIME, TagName
from schemas.times import NEVER, Millis
from tables.lifecycle import ACTIVE, LOST, SILENT, Lifecycle, State
from tables.said import Said


class Move(NamedTuple):
    """A change of one lifecycle, said or not."""

    at: Millis
    from_: State | None
    to: State | None


def next_due(life: Lifecycle, span: Span) -> Millis:
    """When time alone moves this lifecycle next.

    >>> next_due(Lifecycle(state=ACTIVE, last=5), Span(silent_ms=10, lost_ms=20))
    15
    """
    if life.state == ACTIVE:
        return life.last + span.silent_ms
    return life.last + span.lost_ms if life.state == SILENT else NEVER


def pass_time(tag: TagName, life: Lifecycle, span: Span, bound: Millis, journal: Journal) -> None:
    """Say what became due before the bound, in order."""
    while (due := next_due(life, span)) < bound:
        after = SILENT if life.state == ACTIVE else LOST
        _revise(tag, life, [], [Move(due, life.state, after)], journal)
        life.state = after


def state_at(life: Lifecycle, moment: Millis, span: Span) -> State | None:
    """The state at a moment from the first activity on; None before it. Exact for the last gap and the newest long one.

    >>> state_at(Lifecycle(first=0, last=5), 15, Span(silent_ms=10, lost_ms=20))
    'silent'
    """
    if life.first is None or moment < life.first:
        return None
    start = life.last
    if moment < start:
        if life.gap_start is None or not life.gap_start <= moment < life.gap_end:
            return ACTIVE
        start = life.gap_start
    if moment < start + span.silent_ms:
        return ACTIVE
    return SILENT if moment < start + span.lost_ms else LOST


def is_routine(life: Lifecycle, ts: Millis, span: Span) -> bool:
    """Whether an activity only moves the newest instant: no change to say, none to take back."""
    return (
        life.state == ACTIVE
        and life.last <= ts <= life.last + span.silent_ms
        and life.first is not None
        and life.first < ts
    )


def insert(tag: TagName, life: Lifecycle, ts: Millis, span: Span, journal: Journal) -> None:
    """Put a later than first activity in its place among the others, and say what follows."""
    if ts > life.last:
        before, after = life.last, None
        true = moves_between(before, ts, span)
        life.last, life.state = ts, ACTIVE
        if true:
            life.gap_start, life.gap_end = before, ts
    elif life.gap_start is not None and life.gap_start < ts < life.gap_end:
        before, after = life.gap_start, life.gap_end
        true = moves_between(before, ts, span) + moves_between(ts, after, span)
        life.gap_start, life.gap_end = (before, ts) if ts - before > span.silent_ms else (None, 0)
    else:
        return
    there = [said for said in life.said if before < said.at and (after is None or said.at <= after)]
    known = [_move(said) for said in there]
    wrong = [said for said in there if _move(said) not in true]
    _revise(tag, life, wrong, [move for move in true if move not in known], journal)


def moves_between(activity: Millis, following: Millis, span: Span) -> list[Move]:
    """What is said between two consecutive activities.

    >>> [tuple(move) for move in moves_between(0, 11, Span(silent_ms=10, lost_ms=20))]
    [(10, 'active', 'silent'), (11, 'silent', 'active')]
    >>> moves_between(0, 10, Span(silent_ms=10, lost_ms=20))
    []
    """
    if following <= activity + span.silent_ms:
        return []
    moves = [Move(activity + span.silent_ms, ACTIVE, SILENT)]
    if following > activity + span.lost_ms:
        moves.append(Move(activity + span.lost_ms, SILENT, LOST))
    return [*moves, Move(following, moves[-1].to, ACTIVE)]


def rewrite(tag: TagName, life: Lifecycle, old: list[Move], new: list[Move], journal: Journal) -> None:
    """Take back those of the old moves that are not among the new, and say the new ones that are not among the old."""
    gone = [move for move in old if move not in new]
    wrong = [said for said in life.said if _move(said) in gone] if gone else []
    _revise(tag, life, wrong, [move for move in new if move not in old], journal)


def end(tag: TagName, life: Lifecycle, at: Millis, journal: Journal) -> None:
    """The lifecycle goes to null: what was said of later times is taken back. The caller resets it."""
    wrong = [said for said in life.said if said.at > at or (said.at == at and said.to in (SILENT, LOST))]
    value = wrong[0].from_ if wrong else life.state
    _revise(tag, life, wrong, [] if value is None else [Move(at, value, None)], journal)


def forget_settled(life: Lifecycle, horizon: Millis) -> None:
    """Drop the changes that no late event can prove wrong any more: before the horizon and the newest long gap."""
    if len(life.said) <= 1:
        return
    settled = life.last if life.gap_start is None else life.gap_start
    life.said = [said for said in life.said if said.at >= horizon or said.at > settled]


def _revise(tag: TagName, life: Lifecycle, wrong: list[Said[State]], fresh: list[Move], journal: Journal) -> None:
    """Take back what is wrong, and say what is true instead.

    All that was said after the first wrong change is withdrawn with it, newest first, and said again: so a consumer who
    only follows from -> to is never led astray.
    """
    if wrong:
        first = life.said.index(wrong[0])
        kept = [_move(said) for said in life.said[first:] if said not in wrong]
        for said in reversed(life.said[first:]):
            journal.withdraw(tag, said.from_, said.to, said.at, said.sequence)
        del life.said[first:]
        fresh = sorted([*fresh, *kept], key=lambda move: move.at)
    for move in fresh:
        cause = BY_TIME if move.to in (SILENT, LOST) else None
        sequence = journal.say(tag, move.from_, move.to, move.at, cause)
        life.said.append(Said(move.at, move.from_, move.to, sequence))


def _move(said: Said[State]) -> Move:
    return Move(said.at, said.from_, said.to)
