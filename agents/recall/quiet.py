"""Quiet hours, on the user's own clock."""

from datetime import UTC, timedelta
from typing import Final

from agents.recall.campaign import Quiet
from agents.rules.zones import zone
from schemas.times import Millis, to_datetime

_MINUTE: Final = timedelta(minutes=1)
_DAY_MINUTES: Final = 24 * 60


def end_of_quiet(quiet: Quiet, moment: Millis, time_zone: str) -> Millis | None:
    """When the quiet hours end in which a moment lies; None where it lies in none.

    >>> nine_to_nine = Quiet(21 * 60, 9 * 60)
    >>> end_of_quiet(nine_to_nine, 22 * 3_600_000, "UTC") == 33 * 3_600_000
    True
    >>> end_of_quiet(nine_to_nine, 9 * 3_600_000, "UTC") is None
    True
    """
    local = to_datetime(moment).astimezone(zone(time_zone) or UTC)
    minute = local.hour * 60 + local.minute
    length = (quiet.end_minute - quiet.start_minute) % _DAY_MINUTES
    if (minute - quiet.start_minute) % _DAY_MINUTES >= length:
        return None
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if minute >= quiet.end_minute:
        midnight += timedelta(days=1)
    end = (
        midnight + quiet.end_minute * _MINUTE
    )  # on the clock: a datetime of one zone counts no hours that were left out
    return max(int(end.timestamp() * 1000), moment + 1)
