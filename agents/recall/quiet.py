"""Quiet hours, on the user's own clock."""

from datetime import UTC, timedelta
from typing import Final

from agents.recall.campaign import Quiet
from agents.rules.zones import zone
from schemas.times import Millis, to_datetime

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_DAY_MINUTES: Final = 24 * 60


def end_of_quiet(quiet: Quiet, moment: Millis, time_zone: str) -> Millis | None:
    """When the quiet hours end in which a moment lies; None where it lies in none.

    Where the clock is put back, and shows their end twice, it is the first time that is still to come; where it is put
    on, and never shows their end, it is so long after the clock was put on as their end would have been.

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
    end = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + quiet.end_minute * _MINUTE
    if minute >= quiet.end_minute:
        end += _DAY
    instants = [int(each.timestamp() * 1000) for each in (end, end.replace(fold=1))]
    return next(each for each in instants if each > moment)
