"""Rules looked at once more, with an eye on what each of them reads: for explanations, at the pace of people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from agents.limits import Limits
from agents.rules.effective import EffectiveTags, next_move, set_by_hand
from agents.rules.rulebook import Rule, Rulebook
from agents.rules.turns import Turn, answers_of, end_of_life, turns_at
from agents.rules.view import View
from schemas.changes import LIFECYCLE, PURCHASE
from schemas.events import Scalar
from schemas.times import NEVER, Millis
from tables.row import Row
from tables.rule_tags import Answer, RuleTag


class Call(NamedTuple):
    """Something that a rule asked of a view, and what it was told."""

    method: str
    arguments: tuple[Any, ...]
    named: Mapping[str, Any]
    result: Any


_TOLD_AS: Final = {"acted": (), "holds_for": (), "unit": (), "lead": ("top", "top_share"), "weight": ("share",)}
"""What is asked for speed alone, or of several things at once: the questions that stand for it."""


class Watched:
    """A view that notes what is asked of it, each question once, in their order."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Any:
        read = getattr(self._view, name)
        if not callable(read):
            return read

        def noted(*arguments: Any, **named: Any) -> Any:
            result = read(*arguments, **named)
            for told in _TOLD_AS.get(name, (name,)):
                call = Call(told, arguments, named, getattr(self._view, told)(*arguments, **named))
                if call not in self.calls:
                    self.calls.append(call)
            return result

        return noted


class Seen(NamedTuple):
    """What one rule saw and said.

    `found`: its own answer; `says`: what its time to live and its group leave of that, and `ended`: the value whose
    time to live is over; `changes_at`: when time alone may change it next; `stands`: the tag of its group that stands
    instead.
    """

    rule: Rule
    calls: Sequence[Call]
    found: Scalar
    says: Scalar
    ended: Scalar
    changes_at: Millis
    stands: str | None


class _Look(NamedTuple):
    """What one rule read and found, and when time alone may change that."""

    calls: Sequence[Call] = ()
    found: Scalar = None
    changes_at: Millis = NEVER


_NO_LOOK: Final = _Look()
"""Of a rule that reads nothing."""


def look_again(row: Row, at: Millis, book: Rulebook, limits: Limits) -> dict[str, Seen]:
    """What each rule sees and says at an instant not before the last look; the row stays as it is.

    A daily rule says what it said at the end of the last day, and sees what it will go by at the end of this one.
    """
    hand, rule_tags = set_by_hand(row, at), row.rule_tags
    view = View(row, at, tags=EffectiveTags(row, rule_tags, hand, at, limits))
    looks: dict[str, _Look] = {}
    move = next_move(row, at, limits)
    rules = [_watched(rule, looks, {LIFECYCLE: move, PURCHASE: move}) for rule in book.rules]
    turns = {turn.name: turn for turn in turns_at(view, rules, rule_tags, hand)}
    standing: dict[str, str] = {}
    for rule in book.rules:
        if rule.group is not None and looks.get(rule.name, _NO_LOOK).found is not None:
            standing.setdefault(rule.group, rule.name)
    seen = {}
    for rule in book.rules:
        turn = None if rule.daily else turns.get(rule.name)
        says = _says(rule_tags.get(rule.name), turn)
        seen[rule.name] = _seen(rule, looks.get(rule.name, _NO_LOOK), says, standing)
    return seen


def _watched(rule: Rule, looks: dict[str, _Look], moves: Mapping[str, Millis]) -> Rule:
    """The rule, which notes what it does. Its view is its own: what another one has read may have been kept there."""

    def evaluate(view: View, current: Scalar) -> Scalar:
        own = View(view.row, view.now, view.before, view.tags)
        watched = Watched(own)
        value = rule.evaluate(cast("View", watched), current)
        read = (looks[tag].changes_at if tag in looks else moves.get(tag, NEVER) for tag in rule.tags_read)
        looks[rule.name] = _Look(watched.calls, value, min(own.changes_at, *read, NEVER))
        return value

    return rule._replace(evaluate=evaluate)


class _Says(NamedTuple):
    value: Scalar
    answers: Sequence[Answer]

    @property
    def ended(self) -> Scalar:
        return self.answers[-1].value if self.answers and self.value is None else None


def _says(tag: RuleTag | None, turn: Turn | None) -> _Says:
    """What a rule says: what it said before, unless the look makes it turn."""
    if turn is not None:
        return _Says(turn.value, turn.answers)
    return _Says(None, ()) if tag is None else _Says(tag.value, answers_of(tag))


def _seen(rule: Rule, look: _Look, says: _Says, standing: Mapping[str, str]) -> Seen:
    calls, found, changes_at = look
    if rule.ttl_ms is not None and says.value is not None:
        changes_at = min(changes_at, end_of_life(says.answers[-1], rule.ttl_ms))
    first = standing.get(rule.group) if rule.group is not None and found is not None else None
    stands = None if first == rule.name else first
    return Seen(rule, calls, found, says.value, says.ended, changes_at, stands)
