"""Time zones: how many hours a user's clock is ahead of UTC."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from schemas.times import HOUR_MS, Millis, to_datetime

_ZONES: Final = 1_000


def hours_ahead(name: object, moment: Millis) -> int:
    """Whole hours by which a zone was ahead of UTC at a time, rounded down; 0 for what is no zone.

    A zone is a name of the IANA's, such as "Europe/Berlin", or an offset, such as "+05:30".

    >>> [hours_ahead(name, 1_719_792_000_000) for name in ("Europe/Berlin", "-03:30", "Mars/Olympus", None)]
    [2, -4, 0, 0]
    """
    if not isinstance(name, str):
        return 0
    offset = (zone(name) or UTC).utcoffset(to_datetime(moment))
    return 0 if offset is None else int(offset.total_seconds() * 1000 // HOUR_MS)


@lru_cache(_ZONES)
def zone(name: str) -> tzinfo | None:
    """A zone by its name or its offset; None if there is none such.

    >>> zone("+05:30"), zone("Mars/Olympus")
    (datetime.timezone(datetime.timedelta(seconds=19800)), None)
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return _offset(name)


def _offset(text: str) -> tzinfo | None:
    try:
        return datetime.strptime(text, "%z").tzinfo
    except ValueError:
        return None
