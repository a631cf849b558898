"""Purchases: what the orders of one user that were not cancelled come to."""

from msgspec import Struct

from schemas.money import Minor
from schemas.times import DAY_MS, Millis


class Purchases(Struct, array_like=True, frozen=True, gc=False):
    """How many, the first and the last, on how many UTC days, and the greatest amount (minor units)."""

    number: int
    first: Millis | None
    last: Millis | None
    days: int
    greatest: Minor

    @property
    def mean_gap_days(self) -> float | None:
        """Between those that follow each other; None before the second one."""
        if self.number < 2 or self.first is None or self.last is None:  # noqa: PLR2004  a gap has two ends
            return None
        return (self.last - self.first) / (self.number - 1) / DAY_MS

    def cycles(self, days: int) -> float | None:
        """So many days in mean gaps, rounded once: so 3 days are 0.9 of a mean gap of 10 days by 3, not a bit less."""
        if self.number < 2 or self.first is None or self.last is None or self.last == self.first:  # noqa: PLR2004
            return None
        return days * DAY_MS * (self.number - 1) / (self.last - self.first)
