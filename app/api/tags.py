"""GET /api/tags: which tags there are, what they mean, and how many users have which value."""

from collections.abc import Mapping

from msgspec import Struct

from app.api.route import Asked
from app.explain.written import lines_of
from app.read_model.reader import ANY
from schemas.changes import TagName
from schemas.rules import TagKind, TagRule


class TagShown(Struct, kw_only=True, frozen=True):
    """A tag: how many `users` have it, and how many of them each of its values.

    `doc`, `kind`, `rule`: what its rule says, null where there is none; values that are numbers or longer than 64
    characters are not counted one by one.
    """

    name: TagName
    doc: str | None
    kind: TagKind | None
    rule: list[str] | None
    users: int
    values: Mapping[str, int]


class Tags(Struct, kw_only=True, frozen=True):
    """All tags that have a rule, or that anybody has. `whole`: whether Redis has all users yet."""

    tags: list[TagShown]
    whole: bool


async def get_tags(asked: Asked) -> Tags:
    """By name."""
    reader, written = asked.sources.reader, asked.sources.basis.written
    known, is_whole = await reader.tags(), await reader.is_whole()
    rules = {name: rule for name, rule in written.rules.items() if name in asked.sources.rulebook.names}
    names = sorted(rules.keys() | known.keys())
    return Tags(tags=[_tag(name, rules.get(name), known.get(name, {})) for name in names], whole=is_whole)


def _tag(name: TagName, rule: TagRule | None, counts: Mapping[str, int]) -> TagShown:
    return TagShown(
        name=name,
        doc=None if rule is None else rule.doc,
        kind=None if rule is None else rule.kind,
        rule=None if rule is None else lines_of(rule),
        users=counts.get(ANY, 0),
        values={value: users for value, users in counts.items() if value != ANY},
    )
