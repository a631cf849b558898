"""Rules to compare: a rulebook together with what stands in its file."""

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from agents.recall.campaigns import NO_CAMPAIGNS, Campaigns
from agents.rules.inputs import Input
from agents.rules.rule import Rule
from agents.rules.rulebook import Rulebook
from app.rules_file import MAX_BYTES, builtin_rules, read_rules
from schemas.campaigns import CampaignTable
from schemas.changes import TagName
from schemas.rules import Population, RulesFile, TagKind, TagRule


class Rules(NamedTuple):
    """A rulebook, and the definition of each of its rules and campaigns. `name`: of the file."""

    name: str
    book: Rulebook
    definitions: Mapping[TagName, TagRule]
    population: Population
    campaigns: Mapping[str, CampaignTable]


def rules_to_compare(path: Path) -> Rules:
    """The rules of a file, and the built-in ones that it does not replace.

    Raises RulesFileError with all mistakes, OSError where the file cannot be read.
    """
    with path.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    book = read_rules(content, str(path))
    file = msgspec.convert(tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n")), RulesFile)
    rules = {rule.name: rule for rule in (*builtin_rules().tag, *file.tag) if rule.name in book.names}
    campaigns = {campaign.name: campaign for campaign in (*builtin_rules().campaign, *file.campaign)}
    return Rules(path.name, book, rules, file.population, campaigns)


def differing(old: Rules, new: Rules) -> frozenset[TagName]:
    """The tags that may differ: those whose rule is another one, or reads what may differ."""
    names = {
        name
        for name in old.book.names | new.book.names
        if _meaning(old.definitions.get(name)) != _meaning(new.definitions.get(name))
    }
    rules = (*old.book.rules, *new.book.rules)
    if old.population != new.population:
        names |= {rule.name for rule in rules if rule.reads & (Input.INTERESTS | Input.PREFERENCES)}
    while more := {rule.name for rule in rules if _depends(rule, names, rules)} - names:
        names |= more
    return frozenset(names)


def only(book: Rulebook, names: frozenset[TagName], campaigns: Campaigns = NO_CAMPAIGNS) -> Rulebook:
    """The rules of these tags, and those on which they depend: for these tags it says the same as the whole.

    The campaigns are to read no other tags; what goes along with their triggers is left out.
    """
    needed = set(names)
    while more := {name for rule in book.rules if rule.name in needed for name in _dependencies(rule, book)} - needed:
        needed |= more
    rules = (rule for rule in book.rules if rule.name in needed)
    return Rulebook(rules, book.version, book.fingerprint, dataclasses.replace(campaigns, profile=()))


def _meaning(rule: TagRule | None) -> TagRule | None:
    """What decides the values: no words, and no version."""
    return rule and msgspec.structs.replace(rule, doc="", kind=TagKind(), version=1)


def _depends(rule: Rule, names: set[TagName], rules: tuple[Rule, ...]) -> bool:
    """Whether a rule reads one of these tags, or shares a group with one."""
    is_rival = rule.group is not None and any(each.group == rule.group for each in rules if each.name in names)
    return is_rival or bool(rule.tags_read & names)


def _dependencies(rule: Rule, book: Rulebook) -> frozenset[TagName]:
    """The tags that a rule reads, and those with which it shares a group."""
    rivals = {each.name for each in book.rules if rule.group is not None and each.group == rule.group}
    return rule.tags_read | rivals
