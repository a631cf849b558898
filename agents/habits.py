"""Habits: in which part of the day, and by which channel, a user is active."""

from typing import Final

from schemas.events import AnyEvent
from schemas.times import DAY_MS
from tables.dimensions import MAX_LABEL
from tables.row import DAY_PARTS, MAX_CHANNELS, Row

_PART_MS: Final = DAY_MS // DAY_PARTS


def count_habits(row: Row, event: AnyEvent) -> None:
    """Count an activity in its part of the day, and in its channel if that is told.

    Of more channels than a row holds, the first by name stay, and their counts are whole: so the order of arrival makes
    no difference.
    """
    row.day_parts[event.ts // _PART_MS % DAY_PARTS] += 1
    channels, channel = row.channels, event.channel
    if channel in channels:
        channels[channel] += 1
    elif channel:
        name = channel[:MAX_LABEL]
        channels[name] = channels.get(name, 0) + 1
        if len(channels) > MAX_CHANNELS:
            del channels[max(channels)]
