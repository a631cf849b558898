"""Thresholds that so many reach: round where that costs little."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

TOLERANCE: Final = 0.01
"""For a rounder threshold, a share may be so far from the best one."""
_DIGITS: Final = 6


class Distribution:
    """The numbers of many users."""

    def __init__(self, numbers: Iterable[float]) -> None:
        self._sorted = sorted(numbers)

    def share_at_least(self, threshold: float) -> float:
        """The share of users who reach a threshold.

        >>> Distribution([1, 2, 2, 5]).share_at_least(2)
        0.75
        """
        found = self._sorted
        return (len(found) - bisect_left(found, threshold)) / len(found) if found else 0.0

    def threshold(self, share: float) -> float:
        """The roundest number that about this share of users reach; where many have the same, the nearest there is.

        >>> Distribution(range(1000)).threshold(0.2), Distribution([1, 1, 1, 7]).threshold(0.2)
        (800, 7)
        """
        exact = min(self._near(share), key=lambda each: (self._error(each, share), each))
        allowed = self._error(exact, share) + TOLERANCE
        for digits in range(1, _DIGITS):
            rounded = [each for each in _rounded(exact, digits) if self._error(each, share) <= allowed]
            if rounded:
                return min(rounded, key=lambda each: self._error(each, share))
        return exact

    def _near(self, share: float) -> Sequence[float]:
        """The numbers that the users about this place have."""
        found = self._sorted
        place = min(max(len(found) - round(share * len(found)), 0), len(found) - 1)
        after = bisect_left(found, found[place] + 1e-9)
        before = bisect_left(found, found[place])
        return [found[place], found[min(after, len(found) - 1)], found[max(before - 1, 0)]]

    def _error(self, threshold: float, share: float) -> float:
        return abs(self.share_at_least(threshold) - share)


def _rounded(number: float, digits: int) -> list[float]:
    """A number rounded down and up to so many significant digits; of numbers without a fraction, none has one."""
    exact = Decimal(repr(number))
    if exact <= 0:
        return []
    exponent = exact.adjusted() - digits + 1
    if number == int(number):
        exponent = max(exponent, 0)
    unit = Decimal(1).scaleb(exponent)
    both = ((exact / unit).to_integral_value(how) * unit for how in (ROUND_FLOOR, ROUND_CEILING))
    return [int(each) if each == int(each) else float(each) for each in both]
