"""Two rulebooks over the same history in one pass."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from operator import itemgetter
from typing import Final, NamedTuple

from agents.limits import Limits
from agents.partition import Partition
from agents.recall.campaigns import NO_CAMPAIGNS
from agents.rules.rulebook import Rulebook
from app.fold import fold, partition_of_all
from app.history.history import History
from app.report_data import History as HistoryData
from app.rules_diff.campaign_data import CampaignDiff
from app.rules_diff.campaigns import changed, compared, names_of, tags_of
from app.rules_diff.data import Book, Diff, TagDiff
from app.rules_diff.firings import Firings
from app.rules_diff.pairs import Side, TagPairs
from app.rules_diff.rules import Rules, differing, only
from app.tag_moves import Days, dates
from schemas.changes import TagChange, TagName
from schemas.times import DAY_MS

LAST_DAYS: Final = 30
"""Campaigns are compared over so many days, unless another number is asked for."""


class Comparison(NamedTuple):
    """What was found, every user's values of the tags that were compared, and every trigger of campaigns."""

    diff: Diff
    users: Mapping[TagName, TagPairs]
    firings: Mapping[str, tuple[Firings, Firings]]


def compare(
    both: tuple[Rules, Rules], history: History, file_format: str, limits: Limits, last_days: int = LAST_DAYS
) -> Comparison:
    """Apply a history under the old and the new rules; memory is bounded by the users, not by the events.

    Campaigns are compared over the last so many UTC days. Raises HistoryError for files that cannot be read.
    """
    old, new = both
    names = differing(old, new)
    campaigns = compared(old, new, names)
    pairs = {name: TagPairs() for name in sorted(names)}
    firings = {name: (Firings(), Firings()) for name in sorted(campaigns)}
    partitions = [partition_of_all(limits, _to_run(rules.book, names, bool(campaigns))) for rules in both]
    events: Counter[str] = Counter()
    for said in fold(history, partitions, events):
        for side, change in _in_order(said, names):
            pairs[change.tag].add(side, change)
        _hear(partitions, firings, _days(history, last_days).start)
    until = history.until or 0
    days = _days(history, last_days)
    diff = Diff(
        version=version("rekindle"),
        history=HistoryData.of(history, file_format, events),
        users=len(partitions[0].table),
        old=Book.of(old),
        new=Book.of(new),
        same=sorted((old.book.names | new.book.names) - names),
        tags={
            name: TagDiff.of(each, until, is_old=name in old.book.names, is_new=name in new.book.names)
            for name, each in pairs.items()
        },
        days=dates(days),
        same_campaigns=sorted(names_of(old, new) - campaigns),
        campaigns=dict(_campaigns(old, new, firings, days)),
    )
    return Comparison(diff, pairs, firings)


def _to_run(book: Rulebook, names: frozenset[TagName], with_campaigns: bool) -> Rulebook:  # noqa: FBT001  either way
    campaigns = book.campaigns if with_campaigns else NO_CAMPAIGNS
    return only(book, names | tags_of(campaigns), campaigns)


def _days(history: History, last_days: int) -> Days:
    """The UTC days over which campaigns are compared, as far as the history has been read."""
    if history.until is None or history.first_ts is None:
        return range(0)
    end = history.until // DAY_MS + 1
    return range(max(end - last_days, history.first_ts // DAY_MS), end)


def _hear(partitions: Sequence[Partition], firings: Mapping[str, tuple[Firings, Firings]], first_day: int) -> None:
    """Take the decisions of both sides, and forget those of days that are too long ago."""
    for side, partition in zip(Side, partitions, strict=True):
        _, decisions = partition.desk.said.take()
        for decision in decisions:
            firings[decision.campaign][side].add(decision)
    for of_both in firings.values():
        for each in of_both:
            each.forget(first_day)


def _campaigns(
    old: Rules, new: Rules, firings: Mapping[str, tuple[Firings, Firings]], days: Days
) -> Iterator[tuple[str, CampaignDiff]]:
    other = changed(old, new)
    for name, each in firings.items():
        campaigns = old.book.campaigns.by_name.get(name), new.book.campaigns.by_name.get(name)
        yield name, CampaignDiff.of(each, campaigns, days, is_changed=name in other)


def _in_order(said: Sequence[Iterable[TagChange]], names: frozenset[TagName]) -> Iterator[tuple[Side, TagChange]]:
    """The changes of both sides by time, those of each user and side as they were said."""
    of_both = [(change.at, side, change) for side in Side for change in said[side] if change.tag in names]
    of_both.sort(key=itemgetter(0))
    return ((side, change) for _, side, change in of_both)
