"""What thresholds are made from: some numbers of each user who ordered, and what all did by dimension."""

from collections.abc import Iterator
from typing import NamedTuple

from agents.partition import Partition
from agents.rules.view import View
from schemas.times import DAY_MS, Millis
from tables.codec import decode

_ORDERS, _SPEND = 2, 3


class Buyer(NamedTuple):
    """A user who ordered: days since the last order, and orders, spend and days with a purchase, ever."""

    recency: int
    frequency: float
    monetary: float
    purchase_days: int


def views(partition: Partition, now: Millis) -> Iterator[View]:
    """Every user of a partition, as of an instant."""
    table = partition.table
    table.collect()
    return (View(decode(row), now) for row in table.encoded_rows().values())


def buyer(view: View) -> Buyer | None:
    """What is known of a user; None of one who never ordered."""
    recency, frequency = view.since("last_order", DAY_MS), view.total(_ORDERS)
    if not frequency or recency is None:
        return None
    return Buyer(recency, frequency, view.total(_SPEND), view.purchase_days())
