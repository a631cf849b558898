"""Two rulebooks over the same history in one pass."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from operator import itemgetter
from typing import NamedTuple

from agents.limits import Limits
from app.fold import fold, partition_of_all
from app.history.history import History
from app.report_data import History as HistoryData
from app.rules_diff.data import Book, Diff, TagDiff
from app.rules_diff.pairs import Side, TagPairs
from app.rules_diff.rules import Rules, differing, only
from schemas.changes import TagChange, TagName


class Comparison(NamedTuple):
    """What was found, and every user's values of the tags that were compared."""

    diff: Diff
    users: Mapping[TagName, TagPairs]


def compare(both: tuple[Rules, Rules], history: History, file_format: str, limits: Limits) -> Comparison:
    """Apply a history under the old and the new rules; memory is bounded by the users, not by the events.

    Raises HistoryError for files that cannot be read.
    """
    old, new = both
    names = differing(old, new)
    pairs = {name: TagPairs() for name in sorted(names)}
    partitions = [partition_of_all(limits, only(rules.book, names)) for rules in both]
    events: Counter[str] = Counter()
    for said in fold(history, partitions, events):
        for side, change in _in_order(said, names):
            pairs[change.tag].add(side, change)
    until = history.until or 0
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
    )
    return Comparison(diff, pairs)


def _in_order(said: Sequence[Iterable[TagChange]], names: frozenset[TagName]) -> Iterator[tuple[Side, TagChange]]:
    """The changes of both sides by time, those of each user and side as they were said."""
    of_both = [(change.at, side, change) for side in Side for change in said[side] if change.tag in names]
    of_both.sort(key=itemgetter(0))
    return ((side, change) for _, side, change in of_both)
