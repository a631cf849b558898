"""How many users have which value of a lifecycle tag, kept up to date by the changes alone."""

from collections.abc import Iterable
from typing import TypeAlias

from schemas.changes import LIFECYCLE, PURCHASE, TagChange, TagName

Census: TypeAlias = dict[TagName, dict[str, int]]


def empty() -> Census:
    """Nobody yet."""
    return {LIFECYCLE: {}, PURCHASE: {}}


def count(census: Census, changes: Iterable[TagChange]) -> None:
    """Move each user of a change from one value to the other; a withdrawal is a move back.

    >>> census = empty()
    >>> known = {"user_id": "u", "tag": LIFECYCLE, "at": 5, "cause": "click:c", "rule_version": 1}
    >>> count(census, [TagChange(id="u/lifecycle/5/1", from_=None, to="active", **known)])
    >>> census
    {'lifecycle': {'active': 1}, 'lifecycle.purchase': {}}
    """
    for change in changes:
        users = census.get(change.tag)
        if users is None:
            continue
        for value, moved in ((change.from_, -1), (change.to, 1)):
            if isinstance(value, str):
                users[value] = users.get(value, 0) + moved
