"""One tag explained: its value, since when, why, and by which events."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agents.rules.effective import set_by_hand
from agents.rules.turns import answers_of, end_of_life
from agents.rules.view import View
from agents.rules.watched import Seen
from agents.sameness import same
from app.explain import causes, event_words, number_words
from app.explain import explanation as told
from app.explain.known import Known
from app.explain.phrases import minute, plain, span, value
from app.explain.standing import because
from app.explain.trail import Found
from app.explain.written import Written, lines_of
from schemas.changes import TagChange, TagName
from schemas.events import TYPE_OF, AnyEvent, Scalar
from schemas.times import NEVER, Millis
from tables.row import ManualTag
from tables.rule_tags import RuleTag


class Subject(NamedTuple):
    """Whose tags are explained: what is known, what the rules see, and the newest change of each tag."""

    known: Known
    view: View
    seen: Mapping[TagName, Seen]
    newest: Mapping[TagName, TagChange]
    written: Written


class _Case(NamedTuple):
    """A tag of a user: what the row has of it (`over`: set by hand, but no longer), and what its rule sees."""

    name: TagName
    rule_tag: RuleTag
    hand: ManualTag | None
    over: ManualTag | None
    seen: Seen | None

    @property
    def value(self) -> Scalar:
        return self.rule_tag.value if self.hand is None else self.hand.value


def explain_tag(subject: Subject, name: TagName) -> told.Tag:
    """Everything about one tag."""
    row, as_of = subject.known.row, subject.known.as_of
    word, seen = row.tags.get(name), subject.seen.get(name)
    hand = word if name in set_by_hand(row, as_of) else None
    over = word if word is not None and word.value is not None and word.expires_at <= as_of else None
    case = _Case(name, row.rule_tags.get(name) or RuleTag(), hand, over, seen)
    change = subject.newest.get(name)
    if change is not None and (case.value is None or not same(change.to, case.value)):
        change = None
    found = _events(subject, case)
    numbers = number_words.in_words(seen.calls, subject.view, subject.written.population) if seen else []
    return told.Tag(
        name=name,
        value=case.value,
        by_hand=hand is not None,
        since=_since(case, change),
        because=because(change) if change else None,
        cause=change.cause if change else None,
        ends_at=_ends_at(case),
        ended=_ended(case),
        rule=_rule(subject.written, seen),
        rule_says=case.rule_tag.value if seen is None else seen.says,
        saw=[told.Number(value=number.value, words=number.words) for number in numbers],
        looks_again_at=None if seen is None or seen.changes_at == NEVER else seen.changes_at,
        events=[_event(event) for event in found.events],
        more_events=found.more,
        notes=list(_notes(subject, case)),
    )


def _events(subject: Subject, case: _Case) -> Found:
    hand = [causes.behind_hand(case.name)]
    return subject.known.trail.behind(hand if case.hand else causes.behind(case.name, subject.seen))


def _since(case: _Case, change: TagChange | None) -> Millis | None:
    if case.value is None:
        return None
    if change is not None:
        return change.at
    return case.hand.ts if case.hand else case.rule_tag.said[-1].at


def _ends_at(case: _Case) -> Millis | None:
    if case.hand is not None:
        return None if case.hand.expires_at == NEVER else case.hand.expires_at
    ttl_ms = case.seen.rule.ttl_ms if case.seen else None
    return None if case.value is None or ttl_ms is None else end_of_life(answers_of(case.rule_tag)[-1], ttl_ms)


def _ended(case: _Case) -> Scalar:
    if case.value is not None:
        return None
    return case.rule_tag.ended if case.over is None else case.over.value


def _rule(written: Written, seen: Seen | None) -> told.RuleText | None:
    if seen is None:
        return None
    rule = seen.rule
    return told.RuleText(
        version=rule.version, doc=plain(rule.doc), kind=rule.kind, text=lines_of(written.rules[rule.name])
    )


def _event(event: AnyEvent) -> told.Event:
    kind = TYPE_OF[type(event)]
    return told.Event(at=event.ts, type=kind, event_id=event.event_id, words=event_words.in_words(event))


def _notes(subject: Subject, case: _Case) -> Iterator[str]:
    """What has to be said beside the value and the reasons."""
    tag, seen, hand = case.rule_tag, case.seen, case.hand
    says = tag.value if seen is None else seen.says
    if hand is not None:
        ends = "" if hand.expires_at == NEVER else f" until {minute(hand.expires_at)} UTC"
        yield f"Set by hand{ends}, which hides what the rule says: {value(says)}." if seen else f"Set by hand{ends}."
    elif seen is None and tag.said:
        yield "There is no rule of this name here."
    elif seen is not None and subject.known.row.rules_mark and not same(says, tag.value):
        yield f"Looked at now, the rule says: {value(says)}."
    if case.over is not None:
        yield f"Set by hand to {value(case.over.value)} until {minute(case.over.expires_at)} UTC."
    if tag.ended is not None and seen is not None and seen.rule.ttl_ms is not None:
        yield f"The time to live of {value(tag.ended)} is over: it lasts {span(seen.rule.ttl_ms)}."
    if seen is not None and seen.stands is not None:
        yield f"Only one tag of the group {plain(seen.rule.group)} stands: {plain(seen.stands)}."
    if seen is not None and tag.value is not None and tag.version != seen.rule.version:
        yield f"Version {tag.version} of the rule said so; it is now at version {seen.rule.version}."
