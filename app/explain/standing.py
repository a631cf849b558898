"""The changes that stand: all that were said, without those that were taken back, and what took them back."""

from collections.abc import Iterable
from typing import Final

from msgspec import UNSET

from schemas.changes import BY_RULES, BY_TIME, TagChange, TagName
from schemas.times import Millis


def newest_standing(changes: Iterable[TagChange]) -> dict[TagName, TagChange]:
    """Of each tag of one user the newest change that stands; copies do no harm."""
    said = {change.id: change for change in changes}
    taken_back = {change.corrects for change in said.values()}
    newest: dict[TagName, TagChange] = {}
    for change in said.values():
        if change.corrects is UNSET and change.id not in taken_back:
            known = newest.get(change.tag)
            if known is None or _place(change) >= _place(known):
                newest[change.tag] = change
    return newest


def sequence_of(change: TagChange) -> int:
    """The number by which the user's changes are counted.

    >>> change = TagChange(id="u/t/5/7", user_id="u", tag="t", from_=None, to=1, at=5, cause="timer", rule_version=1)
    >>> sequence_of(change)
    7
    """
    return int(change.id.rpartition("/")[2])


def _place(change: TagChange) -> tuple[Millis, int]:
    return change.at, sequence_of(change)


def because(change: TagChange) -> str:
    """What made a change, in words.

    >>> change = TagChange(id="u/t/5/1", user_id="u", tag="t", from_=None, to=1, at=5, cause="order:A", rule_version=1)
    >>> because(change)
    'by an order'
    """
    return _WORDS.get(change.cause.partition(":")[0], "")


_WORDS: Final = {
    "click": "by a click",
    "cart": "by a cart event",
    "order": "by an order",
    "profile": "by a change of the profile",
    "message": "by a message",
    "tag": "by hand",
    BY_TIME: "as time passed",
    BY_RULES: "by new rules",
    "churn": "by a new score of the churn model",
    "gender": "by a new guess of the gender model",
}
