"""The kinds of values in expressions, and the closed lists of names that functions take."""

from enum import StrEnum
from typing import Final, get_args

from agents.rules.inputs import Input
from schemas.events import ReachChannel


class Kind(StrEnum):
    """What an expression gives; the value is how people call it."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "true or false"
    ANY = "any"
    """An attribute or a tag: known only when it is looked at."""


INSTANTS: Final[dict[str, Input]] = {
    "first_activity": Input.FIRST,
    "last_activity": Input.ACTIVITY,
    "first_order": Input.ORDERS,
    "last_order": Input.ORDERS,
    "last_cart": Input.CARTS,
    "registered": Input.PROFILE,
}
"""Instants, and what changes them."""

ACTIONS: Final = (
    *("search", "favorite", "share", "compare", "review", "coupon_claim", "campaign_join"),
    *("remove", "checkout", "coupon_used"),
)
"""What `done` counts: clicks, then cart events, then orders."""

CHANNELS: Final[tuple[str, ...]] = get_args(ReachChannel)


def a(kind: Kind) -> str:
    """A value of a kind, in a sentence.

    >>> a(Kind.NUMBER), a(Kind.BOOLEAN)
    ('a number', 'true or false')
    """
    return f"a {kind}" if kind in {Kind.NUMBER, Kind.TEXT} else str(kind)
