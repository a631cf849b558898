"""A rulebook: all rules in force, in the order of evaluation."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from agents.rules.inputs import ALL_INPUTS, Input
from agents.rules.rule import Rule
from schemas.changes import LIFECYCLE, PURCHASE

__all__ = ["NO_RULES", "Rule", "Rulebook"]


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
        self.daily_inputs = int(reduce(or_, (rule.reads for rule in self.rules if rule.daily), Input(0)))
        """What the rules read that are worked out at the end of a day."""
        self._reading: dict[tuple[int, int], tuple[Rule, ...]] = {}

    def reading(self, inputs: int, daily: int = 0) -> tuple[Rule, ...]:
        """The rules whose answer may change with any of these inputs, in the order of evaluation.

        Those are the rules that read them, those that read tags of such rules, and the others of their groups. Daily
        rules are among them only at the end of a day, where `daily` tells what has changed on it.
        """
        key = (inputs, daily)
        found = self._reading.get(key)
        if found is None:
            found = self._reading[key] = self._find(inputs, daily)
        return found

    def _find(self, inputs: int, daily: int) -> tuple[Rule, ...]:
        rules = [rule for rule in self.rules if daily or not rule.daily]
        names = {rule.name for rule in rules if _is_touched(rule, daily if rule.daily else inputs)}
        while more := _touched(rules, names) - names:
            names |= more
        return tuple(rule for rule in rules if rule.name in names)


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
