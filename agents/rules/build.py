"""From checked structs to a rulebook, or to all that is wrong with them."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import NamedTuple

import msgspec

from agents.recall.build import build_campaigns
from agents.recall.campaigns import Campaigns
from agents.recall.drafts import CampaignDrafts, KnownTags
from agents.recall.possible import OF_LIFECYCLES, possible_values
from agents.rules.forms import Maker
from agents.rules.mistake import KeyPath, Mistake
from agents.rules.order import cycles, ordered
from agents.rules.rule import Rule
from agents.rules.rulebook import Rulebook
from agents.rules.scope import Scope
from schemas.changes import LIFECYCLE, PURCHASE, TagName
from schemas.rules import Population, TagRule

LANGUAGE = 1
"""To be raised when the same rules mean something else than before."""


class Draft(NamedTuple):
    """A tag of a file, and where it stands there."""

    rule: TagRule
    path: KeyPath


class RulesError(Exception):
    """Rules that cannot be used: all that is wrong with them."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(mistake.text for mistake in mistakes))
        self.mistakes = list(mistakes)


class Drafts(NamedTuple):
    """All that a rulebook is made of: the tags of a file, those that are built in, what they refer to, and campaigns.

    `manual`: tags to which rules may refer, though none gives them. `by_hand`: those of them that the file lists.
    """

    own: Sequence[Draft]
    builtin: Sequence[TagRule] = ()
    manual: AbstractSet[TagName] = frozenset()
    population: Population = Population()
    version: int = 1
    by_hand: AbstractSet[TagName] = frozenset()
    campaigns: CampaignDrafts = CampaignDrafts()


def build(drafts: Drafts) -> Rulebook:
    """The rulebook. A tag of the file stands instead of a built-in one of the same name.

    Raises RulesError with all mistakes at once.
    """
    rules, mistakes = compile_all(drafts)
    campaigns, more = compile_campaigns(drafts)
    if mistakes or more:
        raise RulesError([*mistakes, *more])
    return Rulebook(ordered(rules), drafts.version, fingerprint(drafts), campaigns)


def compile_all(drafts: Drafts) -> tuple[list[Rule], list[Mistake]]:
    """The rules that can be used, and all that is wrong with the others."""
    copies = _copies(drafts.own)
    mistakes = [Mistake((*path, "name"), f"there is a tag {rule.name!r} already in this file") for rule, path in copies]
    merged = _merged(drafts)
    scope = _scope(drafts)
    makers = [Maker(draft.rule, draft.path, scope) for draft in [*merged, *copies] if draft.rule.enabled]
    made = [maker.make() for maker in makers]
    rules = list({rule.name: rule for rule in made if rule is not None}.values())
    for maker in makers:
        mistakes += maker.mistakes
    paths = {draft.rule.name: draft.path for draft in merged}
    return rules, [*mistakes, *_circles(rules, paths)]


def compile_campaigns(drafts: Drafts) -> tuple[Campaigns, list[Mistake]]:
    """The campaigns, and all that is wrong with them."""
    given = {draft.rule.name: draft.rule for draft in _merged(drafts) if draft.rule.name not in drafts.by_hand}
    possible = {name: values for name, rule in given.items() if (values := possible_values(rule)) is not None}
    switched_off = {name for name, rule in given.items() if not rule.enabled}
    tags = KnownTags(_scope(drafts), {**possible, **OF_LIFECYCLES}, switched_off)
    return build_campaigns(drafts.campaigns, tags)


def _scope(drafts: Drafts) -> Scope:
    """What expressions may name."""
    known = {*drafts.manual, LIFECYCLE, PURCHASE, *(draft.rule.name for draft in _merged(drafts))}
    return Scope(known, {name: shares for name, shares in msgspec.structs.asdict(drafts.population).items() if shares})


def fingerprint(drafts: Drafts) -> str:
    """A hash of what the rules mean: of everything but their documentation and their order."""
    tags = [msgspec.structs.replace(draft.rule, doc="") for draft in _merged(drafts) if draft.rule.enabled]
    meaning = (LANGUAGE, sorted(tags, key=lambda tag: tag.name), drafts.population)
    return sha256(msgspec.json.encode(meaning, order="deterministic")).hexdigest()


def _merged(drafts: Drafts) -> list[Draft]:
    """The tags of the file first: what goes wrong between tags is told there."""
    own = {draft.rule.name: draft for draft in reversed(drafts.own)}
    return [*reversed(own.values()), *(Draft(rule, ()) for rule in drafts.builtin if rule.name not in own)]


def _copies(drafts: Iterable[Draft]) -> list[Draft]:
    """Those whose name another one has before them."""
    seen: set[TagName] = set()
    copies = []
    for draft in drafts:
        if draft.rule.name in seen:
            copies.append(draft)
        seen.add(draft.rule.name)
    return copies


def _circles(rules: Sequence[Rule], paths: dict[TagName, KeyPath]) -> Iterator[Mistake]:
    for cycle in cycles(rules):
        told = " reads ".join([*cycle, cycle[0]])
        yield Mistake((*paths[cycle[0]], "name"), f"tags read each other in a circle: {told}")
