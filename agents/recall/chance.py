"""Stable chance: the same user meets the same fate in a campaign, on every worker and after every restart."""

from collections.abc import Sequence
from typing import Final

from xxhash import xxh3_64_intdigest

from agents.recall.campaign import Variant
from schemas.events import UserId

_VALUES: Final = 2**64


def chance(purpose: str, name: str, user_id: UserId) -> float:
    """A number from 0 up to 1, exclusive, evenly spread over users, and independent between purposes and names.

    >>> chance("hold_out", "silent", "u1") == chance("hold_out", "silent", "u1")
    True
    """
    return xxh3_64_intdigest(f"{purpose}\0{name}\0{user_id}".encode()) / _VALUES


def variant_of(variants: Sequence[Variant], campaign: str, user_id: UserId) -> Variant | None:
    """The variant of a user, by weight; None where there are none."""
    left = chance("variant", campaign, user_id) * sum(variant.weight for variant in variants)
    for variant in variants:
        left -= variant.weight
        if left < 0:
            return variant
    return variants[-1] if variants else None
