"""Habits: in which part of the day, and by which channel, a user is active."""

from typing import Final

from schemas.events import AnyEvent
from schemas.times import HOUR_MS
from tables.dimensions import MAX_LABEL
from tables.row import MAX_CHANNELS, Row

_PART_MS: Final = 6 * HOUR_MS
_PARTS: Final = 4
_AFTERNOON: Final = 2


def count_habits(row: Row, event: AnyEvent) -> None:
    """Count an activity in its part of the day, and in its channel if that is told.

    Of more channels than a row holds, the first by name stay, and their counts are whole: so the order of arrival makes
    no difference.
    """
    part = event.ts // _PART_MS % _PARTS
    if part == 0:
        row.nights += 1
    elif part == 1:
        row.mornings += 1
    elif part == _AFTERNOON:
        row.afternoons += 1
    else:
        row.evenings += 1
    channels, channel = row.channels, event.channel
    if channel in channels:
        channels[channel] += 1
    elif channel:
        name = channel[:MAX_LABEL]
        channels[name] = channels.get(name, 0) + 1
        if len(channels) > MAX_CHANNELS:
            del channels[max(channels)]
