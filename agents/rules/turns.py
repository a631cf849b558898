"""What a look finds: the tags that take another value. Pure but for the view, which learns when to look next."""

from collections.abc import Container, Iterable, Mapping
from typing import Final, NamedTuple

from agents.rules.rulebook import Rule
from agents.rules.view import View
from agents.sameness import same
from schemas.events import Scalar
from schemas.times import DAY_MS, Millis, end_of_day
from tables.rule_tags import RuleTag, RuleTags
from tables.said import Said

_NOTHING: Final = RuleTag()
_NEVER_SAID: Final = Said[Scalar](0, None, None, 0)


class Turn(NamedTuple):
    """A tag takes another value; `ended`: the value whose time to live is over."""

    name: str
    version: int
    tag: RuleTag
    value: Scalar
    ended: Scalar = None


def turns_at(view: View, rules: Iterable[Rule], rule_tags: RuleTags, hand: Mapping[str, Scalar]) -> list[Turn]:
    """Work out the rules, each after those whose tags it reads. A turn's tag may be a new one.

    A rule that goes by its current value (hysteresis) is told that of the end of the day before.
    """
    turns = []
    yesterday = view.now // DAY_MS * DAY_MS - 1
    taken: set[str] = set()
    for rule in rules:
        name = rule.name
        tag = rule_tags.get(name, _NOTHING)
        last = tag.said[-1] if tag.said else _NEVER_SAID
        value = rule.evaluate(view, tag.value_at(yesterday) if rule.is_sticky and tag.said else None)
        if value is not None and rule.group is not None:
            value = None if rule.group in taken else value
            taken.add(rule.group)
        if rule.ttl_ms is not None:
            turn = _lived(Turn(name, rule.version, tag, value), rule.ttl_ms, view)
            value = turn.value
            if not (same(value, last.to) and same(turn.ended, tag.ended)):
                turns.append(turn if tag is not _NOTHING else turn._replace(tag=RuleTag()))
        elif (value is not last.to and not same(value, last.to)) or last.sequence < 0:
            turns.append(Turn(name, rule.version, tag if tag is not _NOTHING else RuleTag(), value))
        if name not in hand:
            view.tags[name] = value
    return turns


def gone(rule_tags: RuleTags, names: Container[str]) -> list[Turn]:
    """Tags of rules that there are no longer."""
    return [
        Turn(name, 0, tag, None)
        for name, tag in rule_tags.items()
        if name not in names and (tag.value is not None or tag.ended is not None)
    ]


def end_of_life(since: Millis, ttl_ms: Millis) -> Millis:
    """When the time to live is over of a value that was set then: it is counted from the end of that UTC day.

    So it ends at the same time where a late event tells that it was set earlier or later on that day.
    """
    return end_of_day(since) + ttl_ms


def _lived(turn: Turn, ttl_ms: Millis, view: View) -> Turn:
    """The turn as the time to live leaves it: a value that is over shows nothing until the rule says another one."""
    tag, value = turn.tag, turn.value
    if value is None:
        return turn
    if same(value, tag.ended):
        return turn._replace(value=None, ended=value)
    ends_at = end_of_life(tag.said[-1].at if same(value, tag.value) else view.now, ttl_ms)
    if ends_at <= view.now:
        return turn._replace(value=None, ended=value)
    view.changes_at = min(view.changes_at, ends_at)
    return turn
