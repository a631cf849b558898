"""Orders: each order_id counts once, whichever of its records comes first."""

from collections.abc import Sequence

from agents.activity import active
from agents.counting import count_purchase
from agents.limits import Limits
from agents.portrait import count_order
from schemas.changes import TagChange
from schemas.events import Order
from schemas.times import Millis
from tables.orders import CAPACITY, Orders, OrderState, forget, oldest, order_fingerprint
from tables.row import Row


def order(row: Row, event: Order, now: Millis, limits: Limits) -> Sequence[TagChange]:
    """A placed or paid record is activity, and may be the purchase; the others take off."""
    key = order_fingerprint(event.order_id)
    orders = row.orders
    state = orders.get(key) or OrderState(event.ts)
    before = state.entries()
    if event.is_activity:
        _purchase(state, event)
    elif event.status == "cancelled":
        state.cancel(event.ts)
    else:
        _return(row, state, event)
    _recount(row, before, state)
    if limits.portraits:
        count_order(row, event)
    orders[key] = state
    _forget(row, orders, now - limits.allowed_lateness_ms)
    row.orders, row.purchases = orders, None
    return active(row, event, now, limits) if event.is_activity else ()


def _purchase(state: OrderState, event: Order) -> None:
    """The least placed or paid record by (ts, event_id) is the purchase."""
    if not state.is_purchased or (event.ts, event.event_id) < (state.ts, state.event_id):
        state.ts, state.event_id = event.ts, event.event_id
        state.is_purchased, state.amount = True, event.amount or 0


def _return(row: Row, state: OrderState, event: Order) -> None:
    row.totals.returns += 1
    if event.amount is not None:
        count_purchase(row, event.ts, 0, -event.amount)
    elif state.whole_return_ts is None or event.ts < state.whole_return_ts:
        state.whole_return_ts = event.ts


def _recount(row: Row, before: list[tuple[Millis, int, int]], state: OrderState) -> None:
    after = state.entries()
    if before != after:
        for ts, orders, spend in before:
            count_purchase(row, ts, -orders, -spend)
        for ts, orders, spend in after:
            count_purchase(row, ts, orders, spend)


def _forget(row: Row, orders: Orders, horizon: Millis) -> None:
    """Remember the newest orders; event ids only while a late record can still contest the purchase."""
    for known in orders.values():
        if known.ts < horizon:
            known.event_id = ""
    if len(orders) > CAPACITY:
        gone = orders.pop(oldest(orders))
        if gone.is_purchased and not gone.is_cancelled:
            row.totals.max_old_order = max(row.totals.max_old_order, gone.amount)
            row.forgotten = forget(row.forgotten, gone.ts)
