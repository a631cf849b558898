"""What a look finds: the tags that take another value. Pure but for the view, which learns when to look next."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from agents.rules.rulebook import Rule
from agents.rules.view import ANY_NUMBER, View
from agents.sameness import same
from schemas.events import Scalar
from schemas.times import DAY_MS, NEVER, Millis
from tables.rule_tags import Answer, RuleTag

_NOTHING: Final = RuleTag()


class Turn(NamedTuple):
    """A tag takes another value, or its rule another answer, which shows only while its time to live lasts."""

    name: str
    version: int
    tag: RuleTag
    value: Scalar
    answers: Sequence[Answer] = ()


def turns_at(
    view: View, rules: Iterable[Rule], rule_tags: Mapping[str, RuleTag], hand: Mapping[str, Scalar]
) -> list[Turn]:
    """Work out the rules, each after those whose tags it reads. A turn's tag may be a new one.

    A rule that goes by its current value (hysteresis) is told that of the end of the day before.
    """
    turns = []
    yesterday = view.now // DAY_MS * DAY_MS - 1
    taken: set[str] = set()
    for rule in rules:
        name = rule.name
        tag = rule_tags.get(name, _NOTHING)
        said = tag.said
        known = said[-1].to if said else None
        value = rule.evaluate(view, tag.value_at(yesterday) if said and rule.is_sticky else None)
        if rule.group is not None and value is not None:
            value = None if rule.group in taken else value
            taken.add(rule.group)
        if rule.ttl_ms is not None:
            turn = _lived(Turn(name, rule.version, tag, value), rule.ttl_ms, view)
            value = turn.value
            if not same(value, known) or _differ(turn.answers, tag.answers):
                turns.append(turn if tag is not _NOTHING else turn._replace(tag=RuleTag()))
        elif (value is not known and not same(value, known)) or tag.answers:
            turns.append(Turn(name, rule.version, tag if tag is not _NOTHING else RuleTag(), value))
        if view.tags is not None and name not in hand:
            view.tags[name] = value
        _learn(view, name)
    return turns


def _learn(view: View, name: str) -> None:
    """Note for a rule that was worked out for how long its answer holds; the next one starts anew."""
    if view.changes_at != NEVER:
        view.dues[name], view.changes_at = view.changes_at, NEVER
    elif name in view.dues:
        del view.dues[name]
    if view.calm_for != ANY_NUMBER:
        view.calm[name], view.calm_for = view.row.portraits.added + view.calm_for, ANY_NUMBER


def gone(rule_tags: Mapping[str, RuleTag], names: Container[str]) -> list[Turn]:
    """Tags of rules that there are no longer."""
    return [
        Turn(name, 0, tag, None)
        for name, tag in rule_tags.items()
        if name not in names and (tag.value is not None or tag.answers)
    ]


def answers_of(tag: RuleTag) -> Sequence[Answer]:
    """The days on which a rule's answer changed; where it had no time to live so far, what was said is the answer."""
    return tag.answers or [Answer(each.at // DAY_MS, each.to) for each in tag.said[-1:]]


def end_of_life(answer: Answer, ttl_ms: Millis) -> Millis:
    """When the time to live of an answer is over: it is counted from the end of the first day of the answer.

    Ends of days are what late events do not change: so what a rule answers between two of them neither ends the life of
    an answer nor starts it anew.
    """
    return (answer.day + 1) * DAY_MS - 1 + ttl_ms


def _lived(turn: Turn, ttl_ms: Millis, view: View) -> Turn:
    """The turn as the time to live leaves it: an answer whose life is over shows nothing."""
    value, today = turn.value, view.now // DAY_MS
    answers = [each for each in answers_of(turn.tag) if each.day < today]
    if not same(value, answers[-1].value if answers else None):
        answers.append(Answer(today, value))
    if value is None:
        return turn._replace(answers=answers)
    ends_at = end_of_life(answers[-1], ttl_ms)
    if ends_at <= view.now:
        if turn.tag.value_at(today * DAY_MS - 1) is not None:
            view.changes_at = min(view.changes_at, (today + 1) * DAY_MS)  # a rule that goes by its value has none then
        return turn._replace(value=None, answers=answers)
    view.changes_at = min(view.changes_at, ends_at)
    return turn._replace(answers=answers)


def _differ(some: Sequence[Answer], others: Sequence[Answer]) -> bool:
    """Whether one look found another answer than the other: they may only differ in the last one."""
    if not some or not others:
        return len(some) != len(others)
    return some[-1].day != others[-1].day or not same(some[-1].value, others[-1].value)
