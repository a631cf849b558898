"""The words of the report: how numbers are written, and what states, moves and dead letters mean to people."""

import re
from typing import Final, NamedTuple

from app.population import Move, State
from schemas.changes import LIFECYCLE, PURCHASE, TagName
from schemas.dead_letter import MAX_PAYLOAD_BYTES, DeadReason
from schemas.events import Scalar
from schemas.times import Millis, to_datetime

_UNITS: Final = {"ms": "millisecond", "s": "second", "m": "minute", "h": "hour", "d": "day"}

DEAD_LETTERS: Final[dict[DeadReason, str]] = {
    "empty": "The record had no content.",
    "too_large": f"The record was larger than {MAX_PAYLOAD_BYTES // 1024} KB.",
    "invalid_json": "The record was no JSON in UTF-8, or was nested too deeply.",
    "unknown_type": "The record had no type, or one that Rekindle does not know.",
    "invalid_value": "A field was missing, or held a value that cannot be: a time without an offset, a negative price.",
    "wrong_topic": "The event came in a topic that is meant for another type of event.",
    "wrong_partition": "The event came in a partition that is not its user's, where its order cannot be known.",
    "too_far_ahead": "The event was dated so far in the future that a wrong clock is likely.",
}


class Scope(NamedTuple):
    """What a lifecycle looks at."""

    title: str
    activity: str
    explanation: str


SCOPES: Final[dict[TagName, Scope]] = {
    LIFECYCLE: Scope(
        "All activity",
        "activity",
        "Every click, cart event, order, login and registration counts; messages that were sent or opened do not.",
    ),
    PURCHASE: Scope(
        "Orders",
        "order",
        "Only orders count. Users who did something else first are unactivated until they order.",
    ),
}

_MOVES: Final[dict[Move, str]] = {
    (None, "unactivated"): "came without an order",
    (None, "active"): "came for the first time, or anew after an erasure",
    ("unactivated", "active"): "ordered for the first time",
    ("active", "silent"): "fell silent",
    ("silent", "active"): "came back while silent",
    ("silent", "lost"): "were lost",
    ("lost", "active"): "were won back",
}


def scope(tag: TagName) -> Scope:
    """What a lifecycle looks at; one without words of its own goes by its name.

    >>> scope("lifecycle.purchase").title
    'Orders'
    """
    return SCOPES.get(tag, Scope(tag, "activity", ""))


def move_meaning(before: State | None, after: State | None) -> str:
    """What users did who moved so.

    >>> move_meaning("lost", "active")
    'were won back'
    """
    return "were erased on request" if after is None else _MOVES.get((before, after), "")


def number(count: int) -> str:
    """A count with its thousands apart.

    >>> number(1234567)
    '1,234,567'
    """
    return f"{count:,}"


def value(of_a_tag: Scalar) -> str:
    """A value of a tag; none stands for any.

    >>> value("vip"), value(True), value(2.50), value(None)
    ('vip', 'yes', '2.5', 'any value')
    """
    if of_a_tag is None:
        return "any value"
    return {True: "yes", False: "no"}[of_a_tag] if isinstance(of_a_tag, bool) else str(of_a_tag)


def counted(count: int, noun: str) -> str:
    """A count and what is counted.

    >>> counted(1, "user"), counted(4000, "user")
    ('1 user', '4,000 users')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def share(part: int, whole: int) -> str:
    """A part in percent; never rounded to nothing or to everything.

    >>> share(1, 3), share(1, 4000), share(3999, 4000), share(0, 0)
    ('33%', '<1%', '>99%', '0%')
    """
    percent = 100 * part / whole if whole else 0
    if 0 < percent < 1:
        return "<1%"
    return ">99%" if 99 < percent < 100 else f"{percent:.0f}%"  # noqa: PLR2004  percent


def day(ts: Millis) -> str:
    """The UTC day of a time.

    >>> day(1_291_161_600_001)
    '2010-12-01'
    """
    return to_datetime(ts).date().isoformat()


def moment(ts: Millis) -> str:
    """A time for people, with milliseconds only where there are some.

    >>> moment(1_291_161_600_000), moment(1_291_161_600_001)
    ('2010-12-01 00:00:00 UTC', '2010-12-01 00:00:00.001 UTC')
    """
    when = to_datetime(ts).replace(tzinfo=None)
    return f"{when.isoformat(' ', 'milliseconds' if when.microsecond else 'seconds')} UTC"


def span(text: str) -> str:
    """A span in words; what is none stays as it is.

    >>> span("30d"), span("1h"), span("soon")
    ('30 days', '1 hour', 'soon')
    """
    match = re.fullmatch(r"(\d+)(ms|[smhd])", text)
    return counted(int(match[1]), _UNITS[match[2]]) if match else text
