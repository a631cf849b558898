"""Erasure: the user is forgotten; a stub that knows when keeps older events dead that come late."""

from collections.abc import Sequence

from agents import lifecycle
from agents.activity import ORDER_TYPE, note
from agents.journal import Journal
from agents.limits import Limits
from agents.rules.revise import erase_rule_tags
from agents.tag import erase_tags
from schemas.changes import LIFECYCLE, PURCHASE, TagChange
from schemas.events import Profile, cause_of
from schemas.times import Millis
from tables.arrivals import activities, after
from tables.row import Row

_UNKNOWN_TYPE = "other"
"""Sorts behind ORDER_TYPE: of activities whose ids are forgotten, an order counts as the first of its millisecond."""


def erase(row: Row, event: Profile, now: Millis, limits: Limits) -> Sequence[TagChange]:
    """Every tag goes to null, and the row starts anew from what has already come of later times."""
    at = max(event.ts, now - limits.allowed_lateness_ms)
    journal = Journal(row, event.user_id, cause_of(event))
    for tag, life, span in (
        (LIFECYCLE, row.lifecycle, limits.lifecycle),
        (PURCHASE, row.purchase, limits.purchase),
    ):
        lifecycle.pass_time(tag, life, span, at, journal)
        lifecycle.end(tag, life, at, journal)
    erase_rule_tags(row, at, erase_tags(row, at, journal), journal)
    _start_anew(row, at)
    for ts, is_order in activities(row.arrivals):
        note(row, (ts, "", ORDER_TYPE if is_order else _UNKNOWN_TYPE), limits, journal, is_order=is_order)
    return journal.changes


def _start_anew(row: Row, at: Millis) -> None:
    """Forget all but the sequence, the timer, and the arrivals and tags of later times."""
    fresh = Row(
        due=row.due, sequence=row.sequence, erased_at=at, arrivals=after(row.arrivals, at), packed_tags=row.packed_tags
    )
    for name in Row.__struct_fields__:
        setattr(row, name, getattr(fresh, name))
