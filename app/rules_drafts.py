"""All parts of a file of rules that can be used, together with the built-in ones."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct

from agents.recall.drafts import CampaignDraft, CampaignDrafts
from agents.rules.build import Draft, Drafts
from agents.rules.mistake import KeyPath
from app.checked_structs import Checker
from schemas.campaigns import MAX_CAMPAIGNS, CampaignTable
from schemas.rules import MAX_TAGS, RulesFile, TagRule

Table = TypeVar("Table", bound=Struct)


@cache
def builtin_rules() -> RulesFile:
    """The tags that Rekindle gives by itself, and its own campaigns."""
    content = files("agents.rules").joinpath("default.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(content), RulesFile)


def builtin_drafts() -> Drafts:
    """The built-in ones alone."""
    builtin = builtin_rules()
    campaigns = CampaignDrafts(builtin=builtin.campaign, recall=builtin.recall)
    return Drafts(own=(), builtin=builtin.tag, version=builtin.version, campaigns=campaigns)


def drafts_of(document: dict[str, Any], checker: Checker) -> Drafts:
    """All parts of a document that can be used; the checker is told what is wrong with the others."""
    builtin = builtin_rules()
    tags = [Draft(rule, path) for rule, path in _tables(document, "tag", TagRule, MAX_TAGS, checker)]
    tables = _tables(document, "campaign", CampaignTable, MAX_CAMPAIGNS, checker)
    rest = checker.checked(RulesFile, {**document, "tag": [], "campaign": []}, ())
    file = RulesFile() if rest is UNSET else rest
    return Drafts(
        tags,
        builtin.tag,
        {*file.manual, *_names(document)},
        file.population,
        file.version,
        frozenset(file.manual),
        CampaignDrafts([CampaignDraft(table, path) for table, path in tables], builtin.campaign, file.recall),
    )


def _tables(
    document: dict[str, Any], key: str, kind: type[Table], most: int, checker: Checker
) -> list[tuple[Table, KeyPath]]:
    """The tables of a list that can be used, each with its path."""
    tables = document.get(key, [])
    if not isinstance(tables, list) or len(tables) > most:
        checker.checked(RulesFile, {key: tables}, ())
        return []
    checked = [(checker.checked(kind, each, (key, place)), (key, place)) for place, each in enumerate(tables)]
    return [(table, path) for table, path in checked if table is not UNSET]


def _names(document: dict[str, Any]) -> set[str]:
    """The names of all tags, also of those that cannot be used: what refers to them is not wrong."""
    tags = document.get("tag", [])
    named = tags if isinstance(tags, list) else []
    return {each["name"] for each in named if isinstance(each, dict) and isinstance(each.get("name"), str)}
