"""Clicks."""

from collections.abc import Sequence

from agents.activity import active
from agents.counting import panes_of
from agents.limits import Limits
from schemas.changes import TagChange
from schemas.events import Click
from schemas.times import Millis
from tables.row import Row


def click(row: Row, event: Click, now: Millis, limits: Limits) -> Sequence[TagChange]:
    """A click counts, and is activity."""
    row.totals.clicks += 1
    for pane in panes_of(row, event.ts):
        pane.clicks += 1
    return active(row, event, now, limits)
