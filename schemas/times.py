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
RFC_3339: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})(?![\s\S])"
)
"""A time with an offset, as a pattern that Python and JavaScript read alike; it takes a 31st of February too."""
NEVER: Final[Millis] = 2**63 - 1

HOW_TO_WRITE: Final = "write it as 2026-01-31T12:00:00Z, with another offset, or as ms since 1970"

_DIGITS: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_UNITS: Final = {"ms": 1, "s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_SPAN: Final = re.compile(r"\s*(\d+)\s*(ms|s|m|h|d)\s*")


def to_millis(text: str) -> Millis:
    """Milliseconds since the epoch of a time in RFC 3339 with an offset; parts of a millisecond are cut off.

    Raises ValueError with a sentence for people.

    >>> to_millis("1970-01-01T01:00:00.001999999+01:00")
    1
    """
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(f"{text!r} is not a time: {HOW_TO_WRITE}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: {HOW_TO_WRITE}")
    return within_range((moment - _EPOCH) // _MILLISECOND, text)


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
    digits = text.strip()
    if not digits.isdecimal():
        return to_millis(digits)
    return within_range(int(digits[:_DIGITS]), text)


def within_range(ts: Millis, text: str) -> Millis:
    """The same time, if events can have it. Raises ValueError with a sentence for people."""
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
    if match is None or len(match[1]) > _DIGITS:
        raise ValueError(f"{text!r} is not a length of time: write a whole number and a unit, such as 15d, 12h or 90m")
    return int(match[1]) * _UNITS[match[2]]


def format_span(span_ms: Millis) -> str:
    """The shortest exact writing of a span, the inverse of parse_span.

    >>> format_span(30 * DAY_MS), format_span(90 * MINUTE_MS), format_span(1)
    ('30d', '90m', '1ms')
    """
    unit = max((unit for unit, ms in _UNITS.items() if span_ms % ms == 0), key=_UNITS.__getitem__)
    return f"{span_ms // _UNITS[unit]}{unit}"


def end_of_day(moment: Millis) -> Millis:
    """The last millisecond of a moment's UTC day.

    >>> end_of_day(5), end_of_day(DAY_MS)
    (86399999, 172799999)
    """
    return (moment // DAY_MS + 1) * DAY_MS - 1


def is_end_of_day(moment: Millis) -> bool:
    """Whether a moment is the last millisecond of its UTC day."""
    return (moment + 1) % DAY_MS == 0
