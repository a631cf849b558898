"""One step: what an event, or the passing of time, does to one row. Pure but for the row, which the step owns."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

from agents import lifecycle
from agents.cart import cart
from agents.click import click
from agents.journal import Journal
from agents.limits import Limits
from agents.message import message
from agents.order import order
from agents.profile import profile
from agents.tag import end_tags, next_end, tag
from schemas.changes import BY_TIME, LIFECYCLE, PURCHASE, TagChange
from schemas.events import TYPE_OF, AnyEvent, Cart, Click, Message, Order, Profile, Tag, UserId
from schemas.times import NEVER, Millis
from tables.arrivals import fingerprint, remember
from tables.row import Row

Step: TypeAlias = Callable[[Row, Any, Millis, Limits], Sequence[TagChange]]
Verdict: TypeAlias = Literal["fresh", "duplicate", "erased"]

STEPS: Final[dict[type, Step]] = {
    Click: click,
    Cart: cart,
    Order: order,
    Profile: profile,
    Message: message,
    Tag: tag,
}
"""(row, event, now, limits) -> changes. `now` is the event's merge key: how far time had come when it was applied."""

MAY_HASTEN: Final = frozenset({Profile, Tag})
"""Events that may bring a due time nearer although they change nothing; any other that changes nothing puts it off."""


def admit(row: Row, event: AnyEvent) -> Verdict:
    """Whether an event is to be applied; if so, its arrival is remembered."""
    if row.erased_at is not None and event.ts <= row.erased_at:
        return "erased"
    key = fingerprint(TYPE_OF[type(event)], event.event_id)
    if key in row.arrivals:
        return "duplicate"
    remember(row.arrivals, key, event.ts, is_activity=event.is_activity, is_order=type(event) is Order)
    return "fresh"


def next_due(row: Row, limits: Limits) -> Millis:
    """When time alone changes something about this row."""
    if row.is_blank:
        return NEVER if row.erased_at is None else row.erased_at + limits.allowed_lateness_ms
    return min(
        lifecycle.next_due(row.lifecycle, limits.lifecycle),
        lifecycle.next_due(row.purchase, limits.purchase),
        next_end(row) if row.packed_tags else NEVER,
        row.rules_due,
        row.rules_day_end,
        row.recall_due,
    )


def is_over(row: Row, now: Millis, limits: Limits) -> bool:
    """Whether a row is a stub whose time is up, although its timer has not come yet."""
    return row.is_blank and next_due(row, limits) < now


def pass_time(row: Row, user_id: UserId, bound: Millis, limits: Limits) -> Sequence[TagChange]:
    """What becomes true before the bound if nothing happens."""
    journal = Journal(row, user_id, BY_TIME)
    lifecycle.pass_time(LIFECYCLE, row.lifecycle, limits.lifecycle, bound, journal)
    lifecycle.pass_time(PURCHASE, row.purchase, limits.purchase, bound, journal)
    end_tags(row, bound, journal)
    return journal.changes
