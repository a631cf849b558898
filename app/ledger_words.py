"""The numbers of the ledger as people read them; the live page's script writes them in the same way."""

from collections.abc import Mapping
from typing import Final

from app.ledger import Lift, money
from app.wording import number

TOP_REASONS: Final = 2
"""So many reasons are told where there is little room."""


def reasons_text(reasons: Mapping[str, int], most: int = TOP_REASONS) -> str:
    """The first of some reasons, with how often each was.

    >>> reasons_text({"no_consent": 1200, "budget": 3, "expired": 1})
    'no_consent 1,200, budget 3'
    """
    shown = list(reasons.items())[:most]
    return ", ".join(f"{reason} {number(count)}" for reason, count in shown) or "-"


def percent(share: float | None) -> str:
    """A share with one place.

    >>> percent(0.1234), percent(None)
    ('12.3%', '-')
    """
    return "-" if share is None else f"{share:.1%}"


def money_text(minor: float | None) -> str:
    """Money, where there is something to divide by."""
    return "-" if minor is None else money(minor)


def lift_text(lift: Lift | None, *, with_limits: bool = True) -> str:
    """A difference of shares in percentage points, with its interval.

    >>> lift_text(Lift(0.012, -0.03, 0.05)), lift_text(None)
    ('+1.2 (-3.0 to +5.0)', '-')
    """
    if lift is None:
        return "-"
    value, low, high = (f"{100 * each:+.1f}" for each in lift)
    return f"{value} ({low} to {high})" if with_limits else value
