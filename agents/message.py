"""What messaging systems report. Nothing of it is activity: that a message went out says nothing of the user."""

from collections.abc import Sequence
from typing import Final, get_args

from agents.limits import Limits
from agents.registers import put
from schemas.changes import TagChange
from schemas.events import Message, ReachChannel
from schemas.times import Millis
from tables.row import Register, Row

_REACH_CHANNELS: Final[tuple[str, ...]] = get_args(ReachChannel)


def message(row: Row, event: Message, _now: Millis, _limits: Limits) -> Sequence[TagChange]:
    """A report counts; `unsubscribed` withdraws consent, for every channel if it names none."""
    row.messages[event.kind] = row.messages.get(event.kind, 0) + 1
    if event.kind == "unsubscribed":
        for channel in (event.recall_channel,) if event.recall_channel else _REACH_CHANNELS:
            put(row.consent, channel, Register(value=False, ts=event.ts, event_id=event.event_id))
    return ()
