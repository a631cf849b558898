"""All that is known of one user at a moment, wherever it was read."""

from collections.abc import Sequence
from typing import NamedTuple

from agents.churn.snapshot import Snapshot
from app.explain.trail import Trail
from schemas.changes import TagChange
from schemas.events import UserId
from schemas.times import Millis
from tables.row import Row


class UnknownUserError(Exception):
    """Nothing is known of a user; the text is one line for people."""


class Known(NamedTuple):
    """The user's row as of a moment, the changes that were said, and the events.

    `where`: what was read, in words. `models`: of churn, if there are any.
    """

    user_id: UserId
    row: Row
    as_of: Millis
    changes: Sequence[TagChange]
    trail: Trail
    where: str
    models: Snapshot | None = None


def moment_of(row: Row, watermark: Millis) -> Millis:
    """As of when a live row is known: all that is due before the watermark has been said; some may be known beyond."""
    by_hand = (tag.ts for tag in row.tags.values())
    return max(watermark - 1, row.rules_at, row.lifecycle.last, row.purchase.last, *by_hand)
