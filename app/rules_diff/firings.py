"""What one campaign decided under one file, by UTC day: decisions as counts, triggers one by one."""

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from typing import TypeAlias

from msgspec import Struct

from schemas.events import RecallChannel, UserId
from schemas.recall import Outcome, Reason, RecallDecision
from schemas.times import DAY_MS, Millis

Verdict: TypeAlias = tuple[Outcome, Reason | None]
"""None: whatever the reason."""


class Fired(Struct, frozen=True, gc=False):
    """A trigger that would have gone out."""

    user_id: UserId
    at: Millis
    channel: RecallChannel
    variant: str | None

    @property
    def day(self) -> int:
        """Its UTC day, as the number since 1970-01-01."""
        return self.at // DAY_MS

    def is_like(self, other: "Fired") -> bool:
        """Whether it says the same on the same channel."""
        return (self.channel, self.variant) == (other.channel, other.variant)


Match: TypeAlias = tuple[Fired | None, Fired | None]
"""A trigger under the old file, and that of the same user and UTC day under the new one."""


class Firings:
    """Takes the decisions of one campaign. It holds the triggers of the days that it is not told to forget."""

    def __init__(self) -> None:
        self._fired: dict[int, list[Fired]] = {}
        self._counts: dict[int, Counter[Verdict]] = {}

    def add(self, decision: RecallDecision) -> None:
        """Take a decision; it is also counted under each of its reasons."""
        day = decision.at // DAY_MS
        counts = self._counts.setdefault(day, Counter())
        counts[decision.outcome, None] += 1
        counts.update((decision.outcome, reason) for reason in decision.reasons)
        if decision.outcome == "triggered" and decision.recall_channel is not None:
            fired = Fired(decision.user_id, decision.at, decision.recall_channel, decision.variant)
            self._fired.setdefault(day, []).append(fired)

    def forget(self, before_day: int) -> None:
        """Forget all days before one."""
        for by_day in (self._fired, self._counts):
            for day in [day for day in by_day if day < before_day]:
                del by_day[day]

    @property
    def all(self) -> list[Fired]:
        """The triggers of all days."""
        return [fired for of_day in self._fired.values() for fired in of_day]

    @property
    def counts(self) -> Counter[Verdict]:
        """How often each was decided."""
        return sum(self._counts.values(), Counter())


def matches(old: Firings, new: Firings) -> Iterator[Match]:
    """Every trigger of both sides once, by user and day."""
    sides = _by_user_and_day(old), _by_user_and_day(new)
    for key in sorted({*sides[0], *sides[1]}):
        yield from zip_longest(sides[0].get(key, ()), sides[1].get(key, ()))


def _by_user_and_day(side: Firings) -> dict[tuple[UserId, int], list[Fired]]:
    found: dict[tuple[UserId, int], list[Fired]] = {}
    for fired in side.all:
        found.setdefault((fired.user_id, fired.day), []).append(fired)
    return found
