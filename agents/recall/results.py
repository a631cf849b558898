"""What came of triggers: reports of messaging systems, activity within the window, and whether users stayed.

An activity or a purchase is put down to the last trigger before it (or to what would have been one, of a user who is
held out), if it lies within that one's window: whatever was reported of the message. So who got a message and who was
held out are compared as they were chosen.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.changes import change_id
from schemas.events import Message, MessageKind, Order
from schemas.money import Minor, to_minor
from schemas.times import DAY_MS, NEVER, Millis
from tables.ledger import Ledger, key_of
from tables.orders import order_fingerprint
from tables.recalls import (
    BACK,
    CLICKED,
    DELIVERED,
    FAILED,
    FIRST,
    GONE,
    HELD,
    OPENED,
    RECALLED,
    SENT,
    UNSUBSCRIBED,
    Recalls,
    Sent,
)
from tables.row import Row

STAY_MS: Final = 30 * DAY_MS
"""Who was recalled, and does nothing for so long after the window, is lost again."""
_MARKS: Final[dict[MessageKind, int]] = {
    "sent": SENT,
    "delivered": DELIVERED,
    "opened": OPENED,
    "clicked": CLICKED,
    "failed": FAILED,
    "unsubscribed": UNSUBSCRIBED,
}


class Purchase(NamedTuple):
    """When an order was placed or paid first, and what it came to."""

    ts: Millis
    amount: Minor


def purchase_of(row: Row, event: Order) -> Purchase | None:
    """What the row takes the order of an event for, if it was bought."""
    state = row.orders.get(order_fingerprint(event.order_id))
    return Purchase(state.ts, state.amount) if state is not None and state.is_purchased else None


class Results:
    """Counts what comes of triggers into the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def report(self, recalls: Recalls, event: Message) -> Sent | None:
        """Count a report of a kind that was not reported of its trigger before; the trigger, if there was one."""
        mark = _MARKS[event.kind]
        sent = next((each for each in recalls.sent if _id(event.user_id, each) == event.trigger_id), None)
        if sent is None or sent.marks & (mark | HELD):
            return None
        sent.marks |= mark
        self._count(sent, event.kind)
        if event.kind == "sent":
            self._count(sent, "cost", sent.cost if event.cost is None else to_minor(event.cost))
        return sent

    def first(self, sent: Sent) -> None:
        """Count that it is the first of its campaign for its user."""
        sent.marks |= FIRST
        self._count(sent, "first")

    def activity(self, recalls: Recalls, ts: Millis) -> None:
        """Put an activity down to the last trigger before it; one after a window shows that the user stayed."""
        sent = _last_before(recalls.sent, ts)
        if sent is not None and ts <= sent.until and not sent.marks & RECALLED:
            sent.marks |= RECALLED
            self._count(sent, "recalled")
            if sent.marks & FIRST:
                self._count(sent, "first_recalled")
        for each in recalls.sent:
            if each.until < ts <= each.until + STAY_MS and not each.marks & BACK:
                each.marks |= BACK
                if each.marks & GONE:
                    each.marks &= ~GONE
                    self._count(each, "lost_again", -1)

    def purchase(self, recalls: Recalls, ts: Millis, amount: Minor) -> None:
        """Put a purchase down to the last trigger before it; what a late record corrects is taken off."""
        sent = _last_before(recalls.sent, ts)
        if sent is not None and ts <= sent.until:
            self._count(sent, "revenue", amount)
            if sent.bet is not None:
                sent.bet.revenue += amount

    def settle(self, recalls: Recalls, bound: Millis) -> None:
        """Count who was recalled and has done nothing for so long."""
        for sent in recalls.sent:
            if _is_open(sent) and sent.until + STAY_MS < bound:
                sent.marks |= GONE
                self._count(sent, "lost_again")

    def _count(self, sent: Sent, name: str, by: int = 1) -> None:
        """What is held out for comparison is counted apart."""
        key = key_of(sent.campaign, sent.variant, sent.channel)
        self._ledger.count(sent.at, key, by, f"held_{name}" if sent.marks & HELD else name)


def keep(row: Row, recalls: Recalls) -> None:
    """Write back a user's triggers, when they are to be looked at, and up to when activity says something of them."""
    if recalls.due or recalls.sent or recalls.met:
        row.recalls = recalls
    else:
        row.packed_recalls = None
    settled = (sent.until + STAY_MS for sent in recalls.sent if _is_open(sent))
    learnt = (sent.bet.known_at for sent in recalls.sent if sent.bet is not None)
    row.recall_due = min([*(due.at for due in recalls.due), *settled, *learnt], default=NEVER)
    row.recall_until = max(
        (sent.until if sent.marks & BACK else sent.until + STAY_MS for sent in recalls.sent), default=0
    )


def _is_open(sent: Sent) -> bool:
    """Whether it is yet to be seen whether a user who was recalled stays."""
    return bool(sent.marks & RECALLED) and not sent.marks & (BACK | GONE)


def _last_before(sent: Sequence[Sent], ts: Millis) -> Sent | None:
    return next((each for each in reversed(sent) if each.at < ts), None)


def _id(user_id: str, sent: Sent) -> str:
    return change_id(user_id, sent.campaign, sent.at, sent.sequence)
