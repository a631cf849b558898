"""The order of evaluation: each rule after those whose tags it reads, and after the greater ones of its group."""

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from agents.rules.rule import Rule
from schemas.changes import TagName

Graph: TypeAlias = dict[TagName, list[TagName]]


def ordered(rules: Sequence[Rule]) -> list[Rule]:
    """The rules in the order of evaluation. There must be no cycles among them."""
    by_name = {rule.name: rule for rule in rules}
    return [by_name[name] for name in TopologicalSorter(_graph(rules)).static_order()]


def cycles(rules: Sequence[Rule]) -> list[list[TagName]]:
    """Tags that read each other in a circle: each reads the next one, the last one the first.

    Circles that share a tag may be told as one.
    """
    graph, found = _graph(rules), []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            cycle = _from_the_first(error.args[1][:0:-1], graph)
            found.append(cycle)
            graph[cycle[0]] = []
        else:
            return found


def _from_the_first(cycle: list[TagName], graph: Graph) -> list[TagName]:
    """The same circle, beginning with the rule that comes first."""
    start = cycle.index(next(name for name in graph if name in cycle))
    return [*cycle[start:], *cycle[:start]]


def _graph(rules: Sequence[Rule]) -> Graph:
    """Before each rule: those that must be worked out earlier."""
    names = {rule.name for rule in rules}
    graph = {rule.name: sorted(rule.tags_read & names) for rule in rules}
    for group in {rule.group for rule in rules if rule.group is not None}:
        _chain(sorted((rule for rule in rules if rule.group == group), key=_rank), graph)
    return graph


def _chain(rules: Iterable[Rule], graph: Graph) -> None:
    before: list[TagName] = []
    for rule in rules:
        graph[rule.name] += before
        before = [rule.name]


def _rank(rule: Rule) -> tuple[int, TagName]:
    return -rule.priority, rule.name
