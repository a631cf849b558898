"""Money: decimal numbers on the wire, integer minor units (hundredths) inside."""

from typing import Final, TypeAlias

Minor: TypeAlias = int

CENTS: Final = 100
"""So many minor units are one of the currency."""
MAX_AMOUNT: Final = 1e10
"""The largest amount on the wire, so that a user's sums stay within 64 bits."""


def to_minor(amount: float) -> Minor:
    """An amount in minor units, to the nearest hundredth.

    >>> to_minor(19.99), to_minor(0.1 + 0.2)
    (1999, 30)
    """
    return round(amount * CENTS)
