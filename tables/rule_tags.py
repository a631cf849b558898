"""The tags that rules give a user, and what was said of them lately."""

from bisect import bisect_right
from operator import attrgetter
from typing import Final, TypeAlias

from msgspec import Struct

from schemas.events import Scalar
from schemas.times import DAY_MS, Millis
from tables.said import Said

UNSAID: Final = 0
_AT: Final = attrgetter("at")
_DAY: Final = attrgetter("day")


class Answer(Struct, array_like=True, frozen=True, gc=False):
    """What a rule finds, its time to live left aside, since a UTC day (days since the epoch) at the end of each."""

    day: int
    value: Scalar


class RuleTag(Struct, array_like=True, gc=False):
    """One rule's tag: what was said of it, oldest first, and by which version of the rule.

    The last entry tells the value and since when it holds; the entries before it are kept while a late event may prove
    them wrong, and one more, which tells the value before them. `answers`: of a rule with a time to live, the days on
    which its answer changed, as far back; the last one is as of the last look.
    """

    said: list[Said[Scalar]] = []
    version: int = 0
    answers: list[Answer] = []

    @property
    def value(self) -> Scalar:
        """What the rule says now."""
        return self.said[-1].to if self.said else None

    @property
    def ended(self) -> Scalar:
        """The value whose time to live is over, as long as the rule says no other."""
        return self.answers[-1].value if self.answers and self.value is None else None

    def turn(self, at: Millis, value: Scalar, sequence: int) -> None:
        """Take another value."""
        self.said.append(Said(at, self.value, value, sequence))

    def value_at(self, moment: Millis) -> Scalar:
        """What the rule said at a moment.

        >>> RuleTag([Said(5, None, "new", 1), Said(9, "new", "core", 2)]).value_at(8)
        'new'
        """
        place = bisect_right(self.said, moment, key=_AT)
        if place:
            return self.said[place - 1].to
        return self.said[0].from_ if self.said else None

    def forget_settled(self, horizon: Millis) -> None:
        """Drop what no late event can prove wrong any more: all before the last entry at or before the horizon."""
        place = bisect_right(self.said, horizon, key=_AT)
        del self.said[: max(place - 1, 0)]
        place = bisect_right(self.answers, horizon // DAY_MS, key=_DAY)
        del self.answers[: max(place - 1, 0)]


RuleTags: TypeAlias = dict[str, RuleTag]
"""By the rule's name; a rule that never said anything is not here."""
