"""Small phrases: numbers, values and times as people write them. Text of unknown origin cannot do harm here."""

from typing import Any, Final

from app.printable import printable
from app.wording import counted
from schemas.times import DAY_MS, HOUR_MS, Millis, format_span, to_datetime

_FEW: Final = 0.01
_LEAST, _MOST = 0.01, 0.99

__all__ = ["ago", "chance", "counted", "minute", "money", "number", "percent", "plain", "span", "value"]


def plain(text: object) -> str:
    """Any text, in one line and without what could move the cursor.

    >>> plain(" a  b" + chr(10) + "c")
    'a b c'
    """
    return printable(" ".join(str(text).split()))


def number(figure: float) -> str:
    """A number with at most two places, and its thousands apart.

    >>> number(1234), number(1234.5), number(0.125), number(3.0)
    ('1,234', '1,234.5', '0.12', '3')
    """
    return f"{figure:,}" if isinstance(figure, int) else f"{figure:,.2f}".rstrip("0").rstrip(".")


def money(amount: float) -> str:
    """A decimal amount.

    >>> money(1234.5)
    '1,234.50'
    """
    return f"{amount:,.2f}"


def percent(share: float) -> str:
    """A share from 0 to 1.

    >>> percent(0.412), percent(0.001), percent(0.0)
    ('41 %', '0.1 %', '0 %')
    """
    return f"{100 * share:.1f} %" if 0 < share < _FEW else f"{100 * share:.0f} %"


def chance(p: float) -> str:
    """A chance that is neither none nor certain.

    >>> chance(0.004), chance(0.42), chance(0.996)
    ('less than 1%', '42%', 'more than 99%')
    """
    if p < _LEAST:
        return "less than 1%"
    return f"{p:.0%}" if p <= _MOST else "more than 99%"


def value(of: Any) -> str:
    """The value of a tag or an attribute.

    >>> value(True), value("vip"), value(1234), value(None), value(["sms", "email"]), value(2026.7), value(0.1234567)
    ('yes', 'vip', '1,234', 'none', 'sms, email', '2,026.70', '0.1235')
    """
    if of is None:
        return "none"
    if isinstance(of, bool):
        return "yes" if of else "no"
    if isinstance(of, float) and not of.is_integer():
        return money(of) if abs(of) > 1 else f"{of:.4g}"
    if isinstance(of, int | float):
        return number(of)
    return ", ".join(map(plain, of)) if isinstance(of, list) else plain(of)


def minute(ts: Millis) -> str:
    """A time to the minute, UTC.

    >>> minute(1_291_161_659_999)
    '2010-12-01 00:00'
    """
    return f"{to_datetime(ts):%Y-%m-%d %H:%M}"


def ago(units: int, unit_ms: Millis) -> str:
    """How many whole days or hours ago.

    >>> ago(0, DAY_MS), ago(1, HOUR_MS), ago(12, DAY_MS)
    ('less than a day ago', '1 hour ago', '12 days ago')
    """
    if units == 0:
        return "less than a day ago" if unit_ms == DAY_MS else "less than an hour ago"
    return f"{counted(units, 'day' if unit_ms == DAY_MS else 'hour')} ago"


def span(span_ms: Millis) -> str:
    """A length of time in whole days or hours where it is one.

    >>> span(30 * DAY_MS), span(HOUR_MS), span(1500)
    ('30 days', '1 hour', '1500ms')
    """
    for unit_ms, noun in ((DAY_MS, "day"), (HOUR_MS, "hour")):
        if span_ms % unit_ms == 0:
            return counted(span_ms // unit_ms, noun)
    return format_span(span_ms)
