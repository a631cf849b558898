"""What a comparison of rules found, as it stands in diff.json: a function of rules, history and settings alone."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct, field

from app.report_data import History
from app.report_types import Count
from app.rules_diff.campaign_data import CampaignDiff
from app.rules_diff.pairs import TagPairs
from app.rules_diff.rules import Rules
from app.tag_moves import NONE, Days, Key, TagMoves, dates, in_order, value_of
from schemas.changes import TagName
from schemas.events import Scalar
from schemas.times import Millis

_ByDay = Annotated[list[Count], Meta(description="users at the end of each of the tag's days")]


class Book(Struct, kw_only=True, frozen=True):
    """A rulebook."""

    name: Annotated[str, Meta(description="of its file, without the folder")]
    version: int
    fingerprint: str
    rules: Count
    campaigns: Count

    @classmethod
    def of(cls, rules: Rules) -> "Book":
        """What tells a rulebook from another."""
        book = rules.book
        return cls(
            name=rules.name,
            version=book.version,
            fingerprint=book.fingerprint,
            rules=len(book.rules),
            campaigns=len(book.campaigns.all),
        )


class ValueDiff(Struct, kw_only=True, frozen=True):
    """Users who have a value of a tag at the end, and how often it was said that one has it."""

    value: Annotated[Scalar, Meta(description="null: any value, where there are too many to tell them apart")]
    old: Count
    new: Count
    both: Annotated[Count, Meta(description="users who have it under both")]
    gained: Annotated[Count, Meta(description="only under the new rules")]
    lost: Annotated[Count, Meta(description="only under the old rules")]
    old_changes: Count
    new_changes: Count
    old_by_day: _ByDay
    new_by_day: _ByDay
    both_by_day: _ByDay


class Flow(Struct, kw_only=True, frozen=True):
    """Users who have one value under the old rules, and another under the new ones; null: none."""

    from_: Scalar = field(name="from")
    to: Scalar
    users: Count


class TagDiff(Struct, kw_only=True, frozen=True):
    """One tag under both rulebooks, at the end and by day."""

    is_old: Annotated[bool, Meta(description="whether the old rules have it")]
    is_new: Annotated[bool, Meta(description="whether the new rules have it")]
    old: Annotated[Count, Meta(description="users with any value, at the end")]
    new: Count
    both: Annotated[Count, Meta(description="users who have the same value under both")]
    gained: Annotated[Count, Meta(description="users who have a value only under the new rules")]
    lost: Annotated[Count, Meta(description="users who have a value only under the old rules")]
    moved: Annotated[Count, Meta(description="users who have another value")]
    old_changes: Annotated[Count, Meta(description="said in all that time")]
    new_changes: Count
    first_day: Annotated[date | None, Meta(description="at whose end some user's value differs; null: there is none")]
    days: Annotated[list[date], Meta(description="UTC, without a gap, from the first change on")]
    values: list[ValueDiff]
    flows: Annotated[list[Flow], Meta(description="by value, of users whose values differ; none of many values")]

    @property
    def differs(self) -> bool:
        """Whether it makes any difference for the users of this history."""
        return self.first_day is not None or self.old_changes != self.new_changes

    @classmethod
    def of(cls, pairs: TagPairs, until: Millis, *, is_old: bool, is_new: bool) -> "TagDiff":
        """One tag, by day up to the UTC day of `until`."""
        pairs.level()
        days = _days(pairs, until)
        values = list(_values(pairs, days))
        differing = {move: count for move, count in pairs.flows().items() if move[0] != move[1]}
        gained = sum(count for (old, _), count in differing.items() if old == NONE)
        lost = sum(count for (_, new), count in differing.items() if new == NONE)
        return cls(
            is_old=is_old,
            is_new=is_new,
            old=sum(each.old for each in values),
            new=sum(each.new for each in values),
            both=sum(each.both for each in values),
            gained=gained,
            lost=lost,
            moved=sum(differing.values()) - gained - lost,
            old_changes=pairs.old.changes,
            new_changes=pairs.new.changes,
            first_day=_first_day(values, dates(days)),
            days=dates(days),
            values=values,
            flows=[] if pairs.both.has_many_values else _flows(differing),
        )


class Diff(Struct, kw_only=True, frozen=True):
    """Everything that diff.json and diff.html tell."""

    version: Annotated[str, Meta(description="of Rekindle")]
    history: History
    users: Annotated[Count, Meta(description="users known at the end; erased ones are not")]
    old: Book
    new: Book
    same: Annotated[list[TagName], Meta(description="tags whose rules are the same, and were not compared")]
    tags: Annotated[dict[TagName, TagDiff], Meta(description="all others")]
    days: Annotated[list[date], Meta(description="UTC, over which campaigns are compared")]
    same_campaigns: Annotated[list[str], Meta(description="campaigns that were not compared: nothing can differ")]
    campaigns: Annotated[dict[str, CampaignDiff], Meta(description="all others")]


def _days(pairs: TagPairs, until: Millis) -> Days:
    sides = [days for side in (pairs.old, pairs.new) if (days := side.days(until))]
    return range(min(days.start for days in sides), sides[0].stop) if sides else range(0)


def _values(pairs: TagPairs, days: Days) -> list[ValueDiff]:
    sides = (pairs.old, pairs.new, pairs.both)
    users = [side.users() for side in sides]
    keys = in_order({key: max(users[0].get(key, 0), users[1].get(key, 0)) for key in {*users[0], *users[1]}})
    by_day = [side.by_day(keys, days) for side in sides]
    changes = [_changes_to(side) for side in sides[:2]]
    return [
        ValueDiff(
            value=value_of(key),
            old=users[0].get(key, 0),
            new=users[1].get(key, 0),
            both=users[2].get(key, 0),
            gained=users[1].get(key, 0) - users[2].get(key, 0),
            lost=users[0].get(key, 0) - users[2].get(key, 0),
            old_changes=changes[0][key],
            new_changes=changes[1][key],
            old_by_day=by_day[0][place],
            new_by_day=by_day[1][place],
            both_by_day=by_day[2][place],
        )
        for place, key in enumerate(keys)
    ]


def _changes_to(side: TagMoves) -> Counter[Key]:
    changes: Counter[Key] = Counter()
    for (_, after), count in side.flows().items():
        changes[after] += count
    return changes


def _first_day(values: list[ValueDiff], days: list[date]) -> date | None:
    for place, day in enumerate(days):
        if any(len({each.old_by_day[place], each.new_by_day[place], each.both_by_day[place]}) > 1 for each in values):
            return day
    return None


def _flows(differing: Mapping[tuple[Key, Key], int]) -> list[Flow]:
    ordered = sorted(differing.items(), key=lambda each: (-each[1], each[0]))
    return [Flow(from_=value_of(old), to=value_of(new), users=count) for (old, new), count in ordered]
