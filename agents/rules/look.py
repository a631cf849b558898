"""A look: the rules whose inputs changed, worked out for one user at one instant, and what is said of it.

```
events       e1    e2,e3          midnight          e4
looks        |     |  (one)       | (time alone)    |
```

The value of a tag at an instant is a function of the user's events up to it, and of its value at the end of the day
before (bands with hysteresis read that); so it makes no difference how many looks there were since.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from agents.journal import Journal
from agents.limits import Limits
from agents.rules.effective import EffectiveTags, next_move, set_by_hand
from agents.rules.inputs import ALL_INPUTS, PREFERENCES, TAGS, TIME
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
from tables.rule_tags import UNSAID

ELSEWHERE: Final = ""
"""Under this name is noted when a tag changes next that no rule gives: a lifecycle, or one set by hand."""


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
    while (at := min(event_at, row.rules_due, row.rules_day_end)) < bound:
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
    is_other = row.rules_mark != book.mark
    is_end = row.rules_mark != 0 if is_other else at >= row.rules_day_end
    named: tuple[str, ...] = ()
    changed = row.rules_daily
    if is_other:
        inputs = changed = ALL_INPUTS
        row.rules_dues, row.calm_for = {}, {}
    elif at >= row.rules_due:
        named = _come_due(row, at)
        inputs |= TAGS if ELSEWHERE in named else 0
    unsure = _unsure(row, at, book) if is_end and changed & PREFERENCES else ()
    daily = (changed & ~PREFERENCES | inputs) if is_end else None
    reading = book.reading(inputs, daily, named + unsure)
    rule_tags = row.rule_tags
    if row.packed_tags is not None:
        end_tags(row, at + 1, journal)
    hand = set_by_hand(row, at)
    tags = EffectiveTags(row, rule_tags, hand, at, limits) if reading.reads_tags else None
    view = View(row, at, tags=tags, portrait=row.portraits.count() if unsure else None)
    view.dues, view.calm = row.rules_dues, row.calm_for
    turns = turns_at(view, reading.rules, rule_tags, hand)
    if is_other:
        turns = [*gone(rule_tags, book.names), *turns]
    for turn in turns:
        tell(turn, at, journal, is_hidden=turn.name in hand)
        turn.tag.forget_settled(at - limits.allowed_lateness_ms - DAY_MS)
        rule_tags[turn.name] = turn.tag
    row.rules_at, row.rules_mark = at, book.mark
    row.rules_since = min(row.rules_since, at)
    if is_end:
        row.rules_daily, row.rules_day_end = 0, NEVER
    else:
        note(row, at, inputs | (TIME if book.daily.intersection(named) else 0), book)
    learn(view, rules)
    return journal.changes


def _come_due(row: Row, at: Millis) -> tuple[str, ...]:
    """The rules whose answer time alone may have changed; their times are forgotten."""
    dues = row.rules_dues
    named = tuple([name for name, due in dues.items() if due <= at])
    for name in named:
        del dues[name]
    return named


def _unsure(row: Row, at: Millis, book: Rulebook) -> tuple[str, ...]:
    """The preferences that may have changed: so many actions have come since they were worked out."""
    if at >= row.calm_until:
        row.calm_for, row.calm_until = {}, (at // BLOCK_MS + 1) * BLOCK_MS
    calm_for, added = row.calm_for, row.portraits.added
    return tuple([name for name in book.preferences if calm_for.get(name, 0) <= added])


def learn(view: View, rules: Rules) -> None:
    """Note when time alone may change an answer next, and what the orders come to: few looks follow an order."""
    row, now = view.row, view.now
    row.purchases = row.purchases or view.purchases
    elsewhere = next_move(row, now, rules.limits) if rules.book.reads_lifecycles else NEVER
    if row.packed_tags is not None and (end := next_end(row)) > now:
        elsewhere = min(elsewhere, end)
    if elsewhere != NEVER:
        row.rules_dues[ELSEWHERE] = elsewhere
    row.rules_due = min(row.rules_dues.values(), default=NEVER)


def note(row: Row, at: Millis, inputs: int, book: Rulebook) -> None:
    """What changed at an instant is looked at by the daily rules that read it at the end of its day."""
    if daily := inputs & book.daily_inputs:
        row.rules_daily |= daily
        row.rules_day_end = end_of_day(at)


def tell(turn: Turn, at: Millis, journal: Journal, *, is_hidden: bool) -> None:
    """Say a turn, if it shows and no tag set by hand hides it, and note it in the tag."""
    tag = turn.tag
    tag.version, tag.answers = turn.version, list(turn.answers)
    if not same(tag.value, turn.value):
        sequence = UNSAID if is_hidden else journal.say(turn.name, tag.value, turn.value, at, version=turn.version)
        tag.turn(at, turn.value, sequence)
