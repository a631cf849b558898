"""A rulebook: all rules in force, in the order of evaluation."""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Final, NamedTuple

from agents.recall.campaigns import NO_CAMPAIGNS, Campaigns
from agents.rules.inputs import ALL_INPUTS, PREFERENCES, Input
from agents.rules.rule import Rule
from schemas.changes import LIFECYCLE, PURCHASE

__all__ = ["NO_RULES", "Rule", "Rulebook"]

_READINGS: Final = 4_096
"""So many ways of what may change together are remembered: a few dozen come up again and again."""


_MOVERS: Final = int(Input.ACTIVITY | Input.ORDERS)
"""What may move a lifecycle."""


class Reading(NamedTuple):
    """The rules to work out together, in the order of evaluation, and whether one of them reads tags."""

    rules: tuple[Rule, ...]
    reads_tags: bool


class Rulebook:
    """Rules in the order of evaluation; `fingerprint` is a hash of all that they mean.

    `mark` is a short form of the fingerprint, by which a row knows who looked at it last: 0 without rules. The
    campaigns of the same file are no part of either: with others, no tag changes.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        version: int = 0,
        fingerprint: str = "",
        campaigns: Campaigns = NO_CAMPAIGNS,
    ) -> None:
        self.rules = tuple(rules)
        self.version = version
        self.fingerprint = fingerprint
        self.campaigns = campaigns
        self.mark = int(fingerprint[:8], 16) if fingerprint else 0
        self.names = frozenset(rule.name for rule in self.rules)
        self.reads_lifecycles = any({LIFECYCLE, PURCHASE} & rule.tags_read for rule in self.rules)
        self._reads = _all_reads(self.rules)
        daily = [rule for rule in self.rules if rule.daily]
        self.daily = frozenset(rule.name for rule in daily).union(*(_all_tags(rule, self.rules) for rule in daily))
        """The rules that are worked out at the end of a day, and those whose tags they read."""
        self.daily_inputs = reduce(or_, (self._reads[rule.name] for rule in daily), 0)
        """What the rules read that are worked out at the end of a day."""
        self.preferences = frozenset(rule.name for rule in self.rules if rule.daily and rule.reads & PREFERENCES)
        """Those of them that are only worked out where they are named: they know how long they hold."""
        self.reading = lru_cache(_READINGS)(self._reading)

    def _reading(self, inputs: int, daily: int | None = None, named: Collection[str] = ()) -> Reading:
        """The rules whose answer may change with any of these inputs, and those named.

        Those are the rules that read them, those that read tags of such rules, and the others of their groups. Daily
        rules are among them only at the end of a day, where `daily` tells what has changed on it.
        """
        rules = self.rules if daily is not None else [rule for rule in self.rules if not rule.daily]
        names = {rule.name for rule in rules if rule.name in named}
        changed = (daily or 0, inputs)
        names |= {rule.name for rule in rules if self._is_touched(rule, changed[not rule.daily])}
        while more := _touched(rules, names) - names:
            names |= more
        chosen = tuple(rule for rule in rules if rule.name in names)
        return Reading(chosen, any(rule.tags_read for rule in chosen))

    def _is_touched(self, rule: Rule, inputs: int) -> bool:
        """Whether the rule reads one of the inputs: who reads a lifecycle reads what may move it.

        A daily one also reads what the rules read whose tags it reads: that they changed was on another look.
        """
        if inputs == ALL_INPUTS or rule.reads & inputs:
            return True
        if rule.daily:
            return bool(self._reads[rule.name] & inputs)
        return bool(inputs & _MOVERS) and bool({LIFECYCLE, PURCHASE} & rule.tags_read)


def _all_reads(rules: Sequence[Rule]) -> dict[str, int]:
    """What each rule reads, with what those read whose tags it reads: they come before it."""
    known = {LIFECYCLE: _MOVERS, PURCHASE: _MOVERS}
    for rule in rules:
        known[rule.name] = reduce(or_, (known.get(name, 0) for name in rule.tags_read), int(rule.reads))
    return known


def _all_tags(rule: Rule, rules: Sequence[Rule]) -> set[str]:
    """The tags that a rule reads, and those that their rules read, and so on."""
    found = set(rule.tags_read)
    for each in reversed(rules):
        found |= each.tags_read if each.name in found else set()
    return found


def _touched(rules: Sequence[Rule], names: set[str]) -> set[str]:
    """The rules that read one of these tags, or share a group with one."""
    groups = {rule.group for rule in rules if rule.name in names and rule.group is not None}
    return {rule.name for rule in rules if rule.tags_read & names or rule.group in groups}


NO_RULES = Rulebook(())
"""Lifecycles only."""
