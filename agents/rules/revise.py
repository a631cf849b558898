"""A late event: what rules said of later instants is worked out again, and taken back where it proves wrong.

```
said         new         core                |          last look
late             e   |           |           |          |   looked at again: each end of day, and the last look
```

Within a day nothing is worked out again: so after a late event each tag has the right value at the end of every UTC day
and now, and each change is said within a day of its true time.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from agents.journal import Journal
from agents.rules.effective import EffectiveTags, set_by_hand
from agents.rules.inputs import ALL_INPUTS
from agents.rules.look import Rules, learn, note
from agents.rules.rulebook import Rule
from agents.rules.turns import turns_at
from agents.rules.view import View
from agents.sameness import same
from schemas.changes import TagChange
from schemas.events import AnyEvent, UserId, cause_of
from schemas.times import DAY_MS, NEVER, Millis, end_of_day, is_end_of_day
from tables.row import Row
from tables.rule_tags import UNSAID, RuleTag, RuleTags


def revise(row: Row, user_id: UserId, event: AnyEvent, inputs: int, rules: Rules) -> Sequence[TagChange]:
    """The changes that follow from an event that came after its instant had been looked at.

    An event before all others is of interest to every rule: the user is known for longer.
    """
    if event.ts < row.rules_since:
        row.rules_since, inputs = event.ts, ALL_INPUTS
    known, before = row.rule_tags, event.ts - 1
    instants = [*range(end_of_day(event.ts), row.rules_at, DAY_MS), row.rules_at]
    reading = rules.book.reading(inputs, inputs if is_end_of_day(instants[0]) else None).rules
    true = dict(known) | {rule.name: _as_of(known[rule.name], before) for rule in reading if rule.name in known}
    for at in instants:
        view = _look_again(row, at, inputs, true, rules, is_last=at == instants[-1])
    if not is_end_of_day(row.rules_at):
        note(row, row.rules_at, inputs, rules.book)
    learn(view, rules)
    row.calm_for = {}
    journal = Journal(row, user_id, cause_of(event))
    hand = set_by_hand(row, row.rules_at)
    for rule in reading:
        _mend(rule, known, true, [before, *instants], journal, is_hidden=rule.name in hand)
    return journal.changes


def _as_of(tag: RuleTag, moment: Millis) -> RuleTag:
    """A copy that knows nothing of later."""
    return RuleTag([each for each in tag.said if each.at <= moment], answers=tag.answers)


def _look_again(row: Row, at: Millis, inputs: int, tags: dict[str, RuleTag], rules: Rules, *, is_last: bool) -> View:
    hand = set_by_hand(row, at)
    before = NEVER if is_last else at + 1
    view = View(row, at, before, EffectiveTags(row, tags, hand, at, rules.limits))
    if is_last:
        view.dues = row.rules_dues
    reading = rules.book.reading(inputs, inputs if is_end_of_day(at) else None)
    for turn in turns_at(view, reading.rules, tags, hand):
        tag = tags[turn.name] = turn.tag
        tag.answers = list(turn.answers)
        if not same(tag.value, turn.value):
            tag.turn(at, turn.value, UNSAID)
    return view


def _mend(
    rule: Rule,
    known: RuleTags,
    true: Mapping[str, RuleTag],
    instants: list[Millis],
    journal: Journal,
    *,
    is_hidden: bool,
) -> None:
    """From the first instant on at which they differ, take back what was said and say what is true."""
    tag, right = known.get(rule.name) or RuleTag(), true.get(rule.name) or RuleTag()
    if tag.answers or right.answers:
        tag.answers = right.answers
        known[rule.name] = tag
    since = next((a for a, b in pairwise(instants) if not same(tag.value_at(b), right.value_at(b))), None)
    if since is None:
        return
    while tag.said and tag.said[-1].at > since:
        wrong = tag.said.pop()
        if wrong.sequence != UNSAID and not is_hidden:
            journal.withdraw(rule.name, wrong.from_, wrong.to, wrong.at, wrong.sequence, version=rule.version)
    for each in (each for each in right.said if each.at > since):
        sequence = UNSAID if is_hidden else journal.say(rule.name, tag.value, each.to, each.at, version=rule.version)
        tag.turn(each.at, each.to, sequence)
    tag.version = rule.version
    known[rule.name] = tag


def erase_rule_tags(row: Row, at: Millis, hidden: Collection[str], journal: Journal) -> None:
    """Every tag of a rule goes to null that none set by hand hides; what was said of later times is taken back."""
    for name, tag in sorted(row.rule_tags.items()):
        if name in hidden:
            continue
        for wrong in reversed(tag.said):
            if wrong.at > at and wrong.sequence != UNSAID:
                journal.withdraw(name, wrong.from_, wrong.to, wrong.at, wrong.sequence, tag.version)
        if (value := tag.value_at(at)) is not None:
            journal.say(name, value, None, at, version=tag.version)
