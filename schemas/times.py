"""Event time: integer milliseconds since the Unix epoch, and the two ways in which people write it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

Millis: TypeAlias = int

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
MAX_TS: Final[Millis] = 4_102_444_800_000
"""2100-01-01: later times are microseconds taken for milliseconds, or a broken clock."""
NEVER: Final[Millis] = 2**63 - 1

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_UNITS: Final = {"ms": 1, "s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_SPAN: Final = re.compile(r"\s*(\d+)\s*(ms|s|m|h|d)\s*")


def to_millis(moment: datetime) -> Millis:
    """Milliseconds since the epoch of a datetime with an offset; parts of a millisecond are cut off.

    >>> to_millis(datetime.fromisoformat("1970-01-01T01:00:00.0019+01:00"))
    1
    """
    return (moment - _EPOCH) // _MILLISECOND


def to_datetime(ts: Millis) -> datetime:
    """The UTC datetime of a time.

    >>> to_datetime(1_291_161_600_000).isoformat()
    '2010-12-01T00:00:00+00:00'
    """
    return _EPOCH + timedelta(milliseconds=ts)


def parse_instant(text: str) -> Millis:
    """A time given in ms or as RFC 3339 with an offset.

    Raises ValueError with a sentence for people.

    >>> parse_instant("2010-12-01T00:00:00Z"), parse_instant("1291161600000")
    (1291161600000, 1291161600000)
    """
    if text.strip().isdecimal():
        return _within_range(int(text), text)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a time: write 2026-01-31T12:00:00Z, or ms since 1970") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write it as {text.strip()}Z (UTC) or with +08:00")
    return _within_range(to_millis(moment), text)


def _within_range(ts: Millis, text: str) -> Millis:
    if 0 < ts < MAX_TS:
        return ts
    raise ValueError(f"{text!r} lies outside 1970 to 2100 (times are in milliseconds)")


def parse_span(text: str) -> Millis:
    """A length of time such as `15d`, `12h`, `90m`, `30s` or `100ms`, in milliseconds.

    Raises ValueError with a sentence for people.

    >>> parse_span("15d") == 15 * DAY_MS
    True
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a length of time: write a whole number and a unit, such as 15d, 12h or 90m")
    return int(match[1]) * _UNITS[match[2]]


def format_span(span_ms: Millis) -> str:
    """The shortest exact writing of a span, the inverse of parse_span.

    >>> format_span(30 * DAY_MS), format_span(90 * MINUTE_MS), format_span(1)
    ('30d', '90m', '1ms')
    """
    unit = max((unit for unit, ms in _UNITS.items() if span_ms % ms == 0), key=_UNITS.__getitem__)
    return f"{span_ms // _UNITS[unit]}{unit}"
