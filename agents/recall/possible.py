"""Which values a tag can have, where its rule tells them all."""

from typing import Final

from msgspec import UNSET

from schemas.changes import LIFECYCLE, PURCHASE, TagName
from schemas.events import Scalar
from schemas.rules import TagRule
from tables.lifecycle import ACTIVE, LOST, SILENT, UNACTIVATED

OF_LIFECYCLES: Final[dict[TagName, tuple[Scalar, ...]]] = {
    LIFECYCLE: (ACTIVE, SILENT, LOST),
    PURCHASE: (ACTIVE, SILENT, LOST, UNACTIVATED),
}


def possible_values(rule: TagRule) -> tuple[Scalar, ...] | None:
    """All values but null that a rule can give; None if they are not known beforehand.

    >>> possible_values(TagRule(name="new", when="clicks() < 3", else_=5))
    (True, 5)
    """
    found: list[Scalar] = []
    if rule.when is not UNSET:
        found = [True]
    elif rule.values is not UNSET:
        found = [choice.value for choice in rule.values]
    elif rule.bands is not UNSET:
        found = [band.value for band in rule.bands if band.value is not UNSET]
    otherwise = [] if rule.else_ is UNSET else [rule.else_]
    return (*found, *otherwise) if found else None
