"""The text of a rule, as its author wrote it, in a few short lines."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from agents.rules.preference import MIN_ACTIONS, MIN_SHARE
from app.explain.phrases import number, percent, plain, value
from app.rules_file import builtin_rules
from schemas.changes import TagName
from schemas.rules import Band, Population, RulesFile, TagRule


class Written(NamedTuple):
    """The rules as they are written, by name, and the shares of the population."""

    rules: Mapping[TagName, TagRule]
    population: Population


def written(path: Path | None) -> Written:
    """The built-in rules and those of a file, which has been found right."""
    builtin = builtin_rules()
    file = RulesFile()
    if path is not None:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), RulesFile)
    return Written({rule.name: rule for rule in (*builtin.tag, *file.tag)}, file.population)


def lines_of(rule: TagRule) -> list[str]:
    """What a rule says, condition by condition.

    >>> lines_of(TagRule(name="new", when="days_since(first_activity) < 30", ttl="90d"))
    ['yes when days_since(first_activity) < 30', 'ends after 90d']
    """
    return [plain(line) for line in (*_only(rule), *_form(rule), *_limits(rule))]


def _only(rule: TagRule) -> Iterator[str]:
    if rule.only is not UNSET:
        yield f"only if {rule.only}"


def _form(rule: TagRule) -> Iterator[str]:
    if rule.when is not UNSET:
        yield f"yes when {rule.when}"
    if rule.value is not UNSET:
        yield f"the value of {rule.value}"
    if rule.values is not UNSET:
        yield from (f"{value(choice.value)} when {choice.when}" for choice in rule.values)
    if rule.score is not UNSET and rule.bands is not UNSET:
        yield f"by the score {rule.score}: {', '.join(map(_band, rule.bands))}"
    if rule.prefer is not UNSET:
        yield _preference(rule)
    if rule.else_ is not UNSET:
        yield f"else {value(rule.else_)}"


def _band(band: Band) -> str:
    said = "nothing" if band.value is UNSET else value(band.value)
    return said if band.below is UNSET else f"{said} below {number(band.below)}"


def _preference(rule: TagRule) -> str:
    actions = MIN_ACTIONS if rule.min_actions is UNSET else rule.min_actions
    share = percent(MIN_SHARE if rule.min_share is UNSET else rule.min_share)
    lift = "" if rule.min_lift is UNSET else f" and {number(rule.min_lift)} times that of the population, if known"
    dimension = plain(rule.prefer).replace("_", " ")
    return f"the {dimension} with the greatest share of {actions:,} actions or more, if that is {share} or more{lift}"


def _limits(rule: TagRule) -> Iterator[str]:
    if rule.hysteresis is not UNSET:
        edge, another = number(rule.hysteresis), percent(rule.hysteresis)
        yield f"left only {edge} past an edge" if rule.prefer is UNSET else f"left only when another is {another} ahead"
    if rule.ttl is not UNSET:
        yield f"ends after {rule.ttl}"
    if rule.group is not UNSET:
        priority = 0 if rule.priority is UNSET else rule.priority
        yield f"one of the group {rule.group}, priority {priority}"
