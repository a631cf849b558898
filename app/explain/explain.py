"""From what is known of a user to an explanation."""

from collections.abc import Mapping
from typing import NamedTuple

from agents import lifecycle
from agents.churn.snapshot import Snapshot
from agents.limits import Limits, Span
from agents.rules.rulebook import Rulebook
from agents.rules.view import View
from agents.rules.watched import Seen, look_again
from agents.sameness import same
from app.explain import explanation as told
from app.explain.known import Known
from app.explain.standing import newest_standing
from app.explain.tag import Subject, explain_tag
from app.explain.written import Written
from schemas.changes import LIFECYCLE, PURCHASE, TagChange, TagName
from schemas.money import CENTS
from schemas.times import NEVER, Millis
from tables.lifecycle import Lifecycle
from tables.row import Row


class Basis(NamedTuple):
    """The rules, as they run and as they are written, and the limits of the lifecycles."""

    book: Rulebook
    written: Written
    limits: Limits


def explain(known: Known, basis: Basis, *, with_all: bool = False) -> told.Explanation:
    """Every tag with a value (`with_all`: also those without one), and why it is so."""
    row, as_of = known.row, known.as_of
    seen: Mapping[TagName, Seen] = {} if row.is_blank else look_again(row, as_of, basis.book, basis.limits)
    newest = newest_standing(known.changes)
    subject = Subject(known, View(row, as_of), seen, newest, basis.written)
    in_file = [name for name in basis.written.rules if name in seen]
    names = [*in_file, *sorted((row.rule_tags.keys() | row.tags.keys()) - seen.keys())]
    tags = [explain_tag(subject, name) for name in names]
    return told.Explanation(
        user_id=known.user_id,
        as_of=as_of,
        where=known.where,
        rules_version=basis.book.version,
        notes=list(_notes(known, basis.book)),
        profile=_profile(known, newest, basis.limits),
        tags=[tag for tag in tags if with_all or tag.value is not None],
        valueless=[told.Valueless(name=tag.name, ended=tag.ended) for tag in tags if tag.value is None],
        outlook=None if known.models is None else _outlook(row, as_of, known.models),
    )


def _outlook(row: Row, as_of: Millis, models: Snapshot) -> told.Outlook | None:
    """The models' libraries take a second and 100 MB: only who needs them loads them."""
    from app.explain.outlook import outlook  # noqa: PLC0415  see above

    return outlook(row, as_of, models)


def _notes(known: Known, book: Rulebook) -> list[str]:
    mark = known.row.rules_mark
    if known.row.is_blank or not book.mark or mark == book.mark:
        return []
    if not mark:
        return ["No rule has looked at this user yet: nothing came that rules read, or they are new."]
    other = "The rules read here are not those that looked at this user last"
    return [f"{other}: values are as they were said, and reasons as these rules see them."]


def _profile(known: Known, newest: Mapping[TagName, TagChange], limits: Limits) -> told.Profile:
    row = known.row
    totals = row.totals
    lives = ((LIFECYCLE, row.lifecycle, limits.lifecycle), (PURCHASE, row.purchase, limits.purchase))
    return told.Profile(
        first_activity=None if row.first is None else row.first.ts,
        last_activity=None if row.lifecycle.first is None else row.lifecycle.last,
        clicks=totals.clicks,
        carts=totals.carts,
        orders=totals.orders,
        returns=totals.returns,
        spend=totals.spend / CENTS,
        max_order=row.max_order / CENTS,
        erased_at=row.erased_at,
        lifecycles=[_lifecycle(name, life, span, newest.get(name)) for name, life, span in lives],
    )


def _lifecycle(name: TagName, life: Lifecycle, span: Span, change: TagChange | None) -> told.Lifecycle:
    since: Millis | None = life.said[-1].at if life.said else None
    if change is not None and same(change.to, life.state):
        since = change.at
    due = lifecycle.next_due(life, span)
    changes_at = None if due == NEVER else due
    return told.Lifecycle(name=name, value=life.state, since=since if life.state else None, changes_at=changes_at)
