"""Clicks."""

from collections.abc import Sequence

from agents.activity import active
from agents.counting import count_look
from agents.limits import Limits
from agents.portrait import count_click
from schemas.changes import TagChange
from schemas.events import Click
from schemas.times import Millis
from tables.row import Row


def click(row: Row, event: Click, now: Millis, limits: Limits) -> Sequence[TagChange]:
    """A click counts, and is activity."""
    count_look(row, event.ts, clicks=1)
    if limits.portraits:
        count_click(row, event)
    return active(row, event, now, limits)
