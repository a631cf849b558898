"""An activity: the one thing that keeps a user from falling silent. Both lifecycles learn of it here."""

from collections.abc import Sequence

from agents import lifecycle
from agents.churn.returns import note_activity
from agents.habits import count_habits
from agents.journal import Journal
from agents.lifecycle import Move
from agents.limits import Limits
from schemas.changes import LIFECYCLE, PURCHASE, TagChange
from schemas.events import TYPE_OF, AnyEvent, Order, OrderKey, cause_of, order_key
from schemas.times import Millis
from tables.lifecycle import ACTIVE, UNACTIVATED
from tables.row import FirstActivity, Row

ORDER_TYPE = TYPE_OF[Order]


def active(row: Row, event: AnyEvent, now: Millis, limits: Limits) -> Sequence[TagChange]:
    """The changes that an activity makes; none if it comes later than the allowed lateness."""
    ts = event.ts
    if now - ts > limits.allowed_lateness_ms:
        return ()
    count_habits(row, event)
    if limits.churn is not None:
        note_activity(row, ts, limits.churn)
    is_order = type(event) is Order
    if lifecycle.is_routine(row.lifecycle, ts, limits.lifecycle):
        if not is_order:
            row.lifecycle.last = ts
            return ()
        if lifecycle.is_routine(row.purchase, ts, limits.purchase):
            row.lifecycle.last = row.purchase.last = ts
            return ()
    journal = Journal(row, event.user_id, cause_of(event))
    note(row, order_key(event), limits, journal, is_order=is_order)
    for life in (row.lifecycle, row.purchase):
        lifecycle.forget_settled(life, now - limits.allowed_lateness_ms)
    return journal.changes


def note(row: Row, key: OrderKey, limits: Limits, journal: Journal, *, is_order: bool) -> None:
    """Put an activity in its place in both lifecycles."""
    first, first_order, ts = row.first, row.purchase.first, key[0]
    is_first = first is None or key < (first.ts, first.event_id, first.type)
    is_first_order = is_order and (first_order is None or ts < first_order)
    head = _purchase_head(row) if is_first or is_first_order else []
    if is_first:
        row.first = FirstActivity(*key)
    _note_any(row, ts, limits, journal)
    if is_order:
        _note_order(row, ts, limits, journal)
    elif row.purchase.state is None:
        row.purchase.state = UNACTIVATED
    if is_first or is_first_order:
        lifecycle.rewrite(PURCHASE, row.purchase, head, _purchase_head(row), journal)


def _note_any(row: Row, ts: Millis, limits: Limits, journal: Journal) -> None:
    life = row.lifecycle
    if life.first is None:
        lifecycle.rewrite(LIFECYCLE, life, [], [Move(ts, None, ACTIVE)], journal)
        life.first, life.last, life.state = ts, ts, ACTIVE
    elif ts < life.first:
        lifecycle.rewrite(LIFECYCLE, life, [Move(life.first, None, ACTIVE)], [Move(ts, None, ACTIVE)], journal)
        life.first = ts
    else:
        lifecycle.insert(LIFECYCLE, life, ts, limits.lifecycle, journal)


def _note_order(row: Row, ts: Millis, limits: Limits, journal: Journal) -> None:
    life = row.purchase
    if life.first is None:
        life.first, life.last, life.state = ts, ts, ACTIVE
    elif ts < life.first:
        life.first = ts
    else:
        lifecycle.insert(PURCHASE, life, ts, limits.purchase, journal)


def _purchase_head(row: Row) -> list[Move]:
    """How the purchase lifecycle begins: unactivated until the first order, or active at once."""
    if row.first is None:
        return []
    if row.first.type == ORDER_TYPE:
        return [Move(row.first.ts, None, ACTIVE)]
    head = [Move(row.first.ts, None, UNACTIVATED)]
    return head if row.purchase.first is None else [*head, Move(row.purchase.first, UNACTIVATED, ACTIVE)]
