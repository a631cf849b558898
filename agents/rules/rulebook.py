"""A rulebook: all rules in force, in the order of evaluation."""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Final, NamedTuple

from agents.rules.inputs import ALL_INPUTS, PREFERENCES, Input
from agents.rules.rule import Rule
from schemas.changes import LIFECYCLE, PURCHASE

__all__ = ["NO_RULES", "Rule", "Rulebook"]

_READINGS: Final = 4_096
"""So many ways of what may change together are remembered: a few dozen come up again and again."""


class Reading(NamedTuple):
    """The rules to work out together, in the order of evaluation, and whether one of them reads tags."""

    rules: tuple[Rule, ...]
    reads_tags: bool


class Rulebook:
    """Rules in the order of evaluation; `fingerprint` is a hash of all that they mean.

    `mark` is a short form of the fingerprint, by which a row knows who looked at it last: 0 without rules.
    """

    def __init__(self, rules: Iterable[Rule], version: int = 0, fingerprint: str = "") -> None:
        self.rules = tuple(rules)
        self.version = version
        self.fingerprint = fingerprint
        self.mark = int(fingerprint[:8], 16) if fingerprint else 0
        self.names = frozenset(rule.name for rule in self.rules)
        self.reads_lifecycles = any({LIFECYCLE, PURCHASE} & rule.tags_read for rule in self.rules)
        self.daily = frozenset(rule.name for rule in self.rules if rule.daily)
        self.daily_inputs = int(reduce(or_, (rule.reads for rule in self.rules if rule.daily), Input(0)))
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
        names |= {rule.name for rule in rules if _is_touched(rule, (daily or 0) if rule.daily else inputs)}
        while more := _touched(rules, names) - names:
            names |= more
        chosen = tuple(rule for rule in rules if rule.name in names)
        return Reading(chosen, any(rule.tags_read for rule in chosen))


def _is_touched(rule: Rule, inputs: int) -> bool:
    """Whether the rule reads one of the inputs; who reads a lifecycle reads what may move it."""
    if inputs == ALL_INPUTS or rule.reads & inputs:
        return True
    return bool(inputs & (Input.ACTIVITY | Input.ORDERS)) and bool({LIFECYCLE, PURCHASE} & rule.tags_read)


def _touched(rules: Sequence[Rule], names: set[str]) -> set[str]:
    """The rules that read one of these tags, or share a group with one."""
    groups = {rule.group for rule in rules if rule.name in names and rule.group is not None}
    return {rule.name for rule in rules if rule.tags_read & names or rule.group in groups}


NO_RULES = Rulebook(())
"""Lifecycles only."""
