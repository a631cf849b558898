"""Cycles: which category a user, by their own habit, should have bought again by now."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from tables.portrait import Bought

MIN_PURCHASES: Final = 3


class Cycle(NamedTuple):
    """Purchases in a category: on average every `span` / `gaps` days, the last one on UTC day `last`."""

    category: str
    gaps: int
    span: int
    last: int

    def is_due(self, day: int) -> bool:
        """Whether as many days have passed since the last purchase as lie between two."""
        return (day - self.last) * self.gaps >= self.span

    def due_day(self) -> int:
        """The first day on which it is due."""
        return self.last - (-self.span // self.gaps)

    def overtakes(self, other: "Cycle") -> int | None:
        """The first day on which it is at least as overdue as another that is more so now; None: it never is."""
        pace = self.gaps * other.span - other.gaps * self.span
        ahead = self.last * self.gaps * other.span - other.last * other.gaps * self.span
        return None if pace <= 0 else -(-ahead // pace)


def cycles(bought: Iterable[tuple[str, Bought]]) -> list[Cycle]:
    """Those of the categories with enough purchases, on more than one day."""
    return [
        Cycle(category, each.count - 1, each.last - each.first, each.last)
        for category, each in bought
        if each.count >= MIN_PURCHASES and each.last > each.first
    ]


def most_overdue(known: list[Cycle], day: int) -> tuple[str | None, int | None]:
    """The category that is the most cycles overdue on a UTC day (of several the least), and when that may change."""
    due = [each for each in known if each.is_due(day)]
    if not due:
        return None, min((each.due_day() for each in known), default=None)
    first = min(due, key=lambda each: (-(day - each.last) * each.gaps / each.span, each.category))
    later = [each.overtakes(first) for each in known if each is not first]
    return first.category, min((max(each, day + 1) for each in later if each is not None), default=None)
