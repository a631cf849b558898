"""A look: the rules whose inputs changed, worked out for one user at one instant, and what is said of it.

```
events       e1    e2,e3          midnight          e4
looks        |     |  (one)       | (time alone)    |
```

The value of a tag at an instant is a function of the user's events up to it, and of its value at the end of the day
before (bands with hysteresis read that); so it makes no difference how many looks there were since.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agents.journal import Journal
from agents.limits import Limits
from agents.rules.effective import EffectiveTags, next_move, set_by_hand
from agents.rules.inputs import ALL_INPUTS, PREFERENCES, TIME, WAITING
from agents.rules.rulebook import Rulebook
from agents.rules.turns import Turn, gone, turns_at
from agents.rules.view import View
from agents.sameness import same
from agents.tag import end_tags, next_end
from schemas.changes import BY_TIME, TagChange
from schemas.events import AnyEvent, UserId, cause_of
from schemas.times import DAY_MS, NEVER, Millis, end_of_day
from tables.portrait import BLOCK_MS
from tables.row import Row
from tables.rule_tags import UNSAID, RuleTags


class Rules(NamedTuple):
    """The rules in force, and the limits of time that they share with the lifecycles."""

    book: Rulebook
    limits: Limits


class Pending(NamedTuple):
    """An instant that waits for a look until all its events have come: what changed, and the last event of it."""

    at: Millis
    inputs: int
    event: AnyEvent


def catch_up(row: Row, user_id: UserId, pending: Pending | None, bound: Millis, rules: Rules) -> Sequence[TagChange]:
    """Look at every instant before the bound at which something changed, or time alone may change an answer."""
    changes: list[TagChange] = []
    event_at = NEVER if pending is None else pending.at
    while (at := min(event_at, row.rules_next)) < bound:
        if pending is not None and at == event_at:
            changes += look(row, user_id, at, pending.inputs, cause_of(pending.event), rules)
            event_at = NEVER
        else:
            changes += look(row, user_id, at, 0, BY_TIME, rules)
    return changes


def look(row: Row, user_id: UserId, at: Millis, inputs: int, cause: str, rules: Rules) -> Sequence[TagChange]:
    """Work out what may have changed at an instant, not before the last look, and say what did."""
    book, limits = rules
    journal = Journal(row, user_id, cause)
    if at >= row.rules_due:
        inputs |= WAITING
    is_other = row.rules_mark != book.mark
    is_end = row.rules_mark != 0 if is_other else at >= row.rules_day_end
    if is_other:
        inputs = ALL_INPUTS
    daily = _not_calm(row, at) | inputs if is_end else 0
    reading = book.reading(inputs, daily)
    rule_tags = row.rule_tags
    if row.packed_tags is not None:
        end_tags(row, at + 1, journal)
    hand = set_by_hand(row, at)
    portrait = row.portraits.count() if daily & PREFERENCES else None
    view = View(row, at, tags=EffectiveTags(row, rule_tags, hand, at, limits), portrait=portrait)
    turns = turns_at(view, reading, rule_tags, hand)
    if is_other:
        turns = [*gone(rule_tags, book.names), *turns]
    for turn in turns:
        tell(turn, at, rule_tags, journal, is_hidden=turn.name in hand)
        turn.tag.forget_settled(at - limits.allowed_lateness_ms - DAY_MS)
    row.rules_at, row.rules_mark = at, book.mark
    row.rules_since = min(row.rules_since, at)
    if is_end:
        row.rules_daily, row.rules_day_end = 0, NEVER
        _calm(row, view, is_known=bool(daily & PREFERENCES))
    else:
        note(row, at, inputs, book)
    row.rules_due = next_look(view, rules, NEVER if inputs & TIME else row.rules_due)
    return journal.changes


def _not_calm(row: Row, at: Millis) -> int:
    """What has changed on a day of which the daily rules have to know."""
    is_calm = row.portraits.added < row.calm_for and at < row.calm_until
    return row.rules_daily & ~PREFERENCES if is_calm else row.rules_daily


def _calm(row: Row, view: View, *, is_known: bool) -> None:
    """For how many actions no preference can change, all of which were worked out just now, or only some of them."""
    until = (view.now // BLOCK_MS + 1) * BLOCK_MS
    calm_for = row.portraits.added + view.calm_for
    row.calm_for, row.calm_until = (calm_for, until) if is_known else (min(calm_for, row.calm_for), row.calm_until)


def note(row: Row, at: Millis, inputs: int, book: Rulebook) -> None:
    """What changed at an instant is looked at by the daily rules that read it at the end of its day."""
    if daily := inputs & book.daily_inputs:
        row.rules_daily |= daily
        row.rules_day_end = end_of_day(at)


def next_look(view: View, rules: Rules, known: Millis) -> Millis:
    """When time alone may change an answer next."""
    row = view.row
    due = min(view.changes_at, known)
    if rules.book.reads_lifecycles:
        due = min(due, next_move(row, view.now, rules.limits))
    end = next_end(row) if row.packed_tags is not None else NEVER
    return min(due, end) if end > view.now else due


def tell(turn: Turn, at: Millis, rule_tags: RuleTags, journal: Journal, *, is_hidden: bool) -> None:
    """Say a turn, if it shows and no tag set by hand hides it, and remember it."""
    tag = rule_tags[turn.name] = turn.tag
    tag.version, tag.answers = turn.version, list(turn.answers)
    if not same(tag.value, turn.value):
        sequence = UNSAID if is_hidden else journal.say(turn.name, tag.value, turn.value, at, version=turn.version)
        tag.turn(at, turn.value, sequence)
