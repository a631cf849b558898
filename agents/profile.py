"""Profiles: attributes, reachability and consent by the newest word on each; logins and registrations are activity."""

from collections.abc import Sequence

from agents.activity import active
from agents.erasure import erase
from agents.limits import Limits
from agents.portrait import count_visit
from agents.registers import newest, put
from schemas.changes import TagChange
from schemas.events import Profile
from schemas.times import Millis
from tables.row import MAX_ATTRIBUTES, Register, Row


def profile(row: Row, event: Profile, now: Millis, limits: Limits) -> Sequence[TagChange]:
    """Take over what the event says; `erased` ends it all."""
    if event.kind == "erased":
        return erase(row, event, now, limits)
    _update(row, event)
    if event.kind == "registered":
        row.registered_at = min(row.registered_at or event.ts, event.ts)
    if event.is_activity and limits.portraits:
        count_visit(row, event.ts)
    return active(row, event, now, limits) if event.is_activity else ()


def _update(row: Row, event: Profile) -> None:
    if event.attributes:
        attributes = row.attributes
        for name, value in event.attributes.items():
            put(attributes, name, Register(value, event.ts, event.event_id), MAX_ATTRIBUTES)
        row.attributes = attributes
    for channel, agreed in (event.consent or {}).items():
        put(row.consent, channel, Register(agreed, event.ts, event.event_id))
    if event.reachable is not None:
        reachable: list[str] = sorted(set(event.reachable))
        row.reachable = newest(row.reachable, Register(reachable, event.ts, event.event_id))
