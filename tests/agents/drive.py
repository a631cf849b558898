"""A partition driven by hand: times in days, and each change that is said as one line.

A line tells all that a change holds: `4 lifecycle: silent -> active at 30d, takes back 3 (click:29d)` is the user's
change number 4, withdraws number 3, and was caused by the click whose event_id is `29d`.
"""

from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET

from agents.limits import DEFAULT_LIMITS, Limits, Span
from agents.partition import Partition
from agents.rules.rulebook import NO_RULES, Rulebook
from schemas.changes import LIFECYCLE, PURCHASE, TagChange, change_id
from schemas.events import AnyEvent, Cart, Click, Message, Order, Profile, Tag
from schemas.times import DAY_MS, HOUR_MS, Millis
from tables.panes import Panes
from tables.row import Row
from tables.table import Table
from tests.oracle import History, effective

START: Final[Millis] = 19_723 * DAY_MS  # 2024-01-01T00:00:00Z
LATENESS: Final[Millis] = DEFAULT_LIMITS.allowed_lateness_ms
TIGHT: Final = Limits(lifecycle=Span(8 * DAY_MS, 9 * DAY_MS), purchase=Span(8 * DAY_MS, 9 * DAY_MS))
"""Silent after 8 d, lost after 9 d: an event 7 d late can prove both wrong."""


def day(number: float, ms: int = 0) -> Millis:
    return START + int(number * DAY_MS) + ms


def moment(at: Millis) -> str:
    """A time as days since the start, and milliseconds before or after the nearest one.

    >>> moment(day(30)), moment(day(30, 1)), moment(day(30, -1))
    ('30d', '30d+1ms', '30d-1ms')
    """
    days = (at - START + DAY_MS // 2) // DAY_MS
    rest = at - START - days * DAY_MS
    return f"{days}d{rest:+}ms" if rest else f"{days}d"


def _head(at: Millis, event_id: str | None, user_id: str) -> dict[str, Any]:
    return {"event_id": event_id or moment(at), "user_id": user_id, "ts": at}


def click(at: Millis, event_id: str | None = None, user_id: str = "u", **fields: Any) -> Click:
    return Click(**_head(at, event_id, user_id), **{"item_id": "i", **fields})


def cart(at: Millis, event_id: str | None = None, user_id: str = "u", **fields: Any) -> Cart:
    return Cart(**_head(at, event_id, user_id), **{"item_id": "i", **fields})


def order(at: Millis, event_id: str | None = None, user_id: str = "u", **fields: Any) -> Order:
    return Order(**_head(at, event_id, user_id), **{"order_id": "o", **fields})


def profile(at: Millis, event_id: str | None = None, user_id: str = "u", **fields: Any) -> Profile:
    return Profile(**_head(at, event_id, user_id), **fields)


def erased(at: Millis, event_id: str | None = None, user_id: str = "u") -> Profile:
    return profile(at, event_id, user_id, kind="erased")


def message(at: Millis, event_id: str | None = None, user_id: str = "u", **fields: Any) -> Message:
    return Message(**_head(at, event_id, user_id), **{"kind": "sent", "trigger_id": "t", **fields})


def tag(at: Millis, event_id: str | None = None, user_id: str = "u", **fields: Any) -> Tag:
    return Tag(**_head(at, event_id, user_id), **{"tag": "vip", **fields})


class Story:
    """One partition. What it says comes back as lines; `row` is the user `u` unless another is asked for."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS, rulebook: Rulebook = NO_RULES) -> None:
        self.partition = Partition(0, limits, Table(), rulebook=rulebook)
        self.changes: list[TagChange] = []
        self._now = 0

    def apply(self, *events: AnyEvent, now: Millis | None = None) -> list[str]:
        """Apply events in this order; time comes as far as `now`, or else as the newest event so far."""
        for event in events:
            self._now = max(self._now, event.ts, now or 0)
            self.partition.apply(event, self._now)
        return self._said()

    def watermark(self, reached: Millis) -> list[str]:
        """Let the watermark come to a time: what is due before it is said."""
        self._now = max(self._now, reached)
        self.partition.advance(reached)
        return self._said()

    def cool(self) -> None:
        """Encode all rows, and decode each at its next touch."""
        table = self.partition.table
        cold = Table()
        self.changes += table.collect().changes
        for user_id, encoded in table.encoded_rows().items():
            cold.load(user_id, encoded)
        self.partition.table = cold

    def row(self, user_id: str = "u") -> Row:
        row = self.partition.table.get(user_id)
        assert row is not None, f"{user_id} is not known"
        return row

    def knows_user(self) -> bool:
        return self.partition.table.get("u") is not None

    @property
    def history(self) -> History:
        """The effective history, which also checks that every withdrawal is the exact inverse of what it withdraws."""
        records: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(self.changes))
        return effective(records)

    def states(self, user_id: str = "u") -> tuple[str | None, str | None]:
        row = self.row(user_id)
        return row.lifecycle.state, row.purchase.state

    def _said(self) -> list[str]:
        staged = self.partition.table.changes
        self.partition.table.changes = []
        self.changes += staged
        return [line(change) for change in staged]


def line(change: TagChange) -> str:
    """All that a change holds, but for the version of its rule."""
    number = int(change.id.rsplit("/", 1)[1])
    assert change.id == change_id(change.user_id, change.tag, change.at, number)
    user = "" if change.user_id == "u" else f"{change.user_id} "
    move = f"{change.tag}: {_text(change.from_)} -> {_text(change.to)} at {moment(change.at)}"
    return f"{user}{number} {move}{_taken_back(change)} ({change.cause})"


def _taken_back(change: TagChange) -> str:
    if change.corrects is UNSET:
        return ""
    number = int(change.corrects.rsplit("/", 1)[1])
    assert change.corrects == change_id(change.user_id, change.tag, change.at, number)
    return f", takes back {number}"


def _text(value: object) -> str:
    """Text as it is, all else as in JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def about_any(lines: list[str]) -> list[str]:
    """Those of the lifecycle over all activity."""
    return [each for each in lines if f" {LIFECYCLE}:" in each]


def about(tag: str, lines: list[str]) -> list[str]:
    """Those of one tag, without their numbers."""
    return [each.split(" ", 1)[1] for each in lines if f" {tag}:" in each]


def about_orders(lines: list[str]) -> list[str]:
    """Those of the lifecycle over orders."""
    return [each for each in lines if f" {PURCHASE}:" in each]


class Counts(NamedTuple):
    """What one pane holds; spend in minor units."""

    clicks: int = 0
    carts: int = 0
    orders: int = 0
    spend: int = 0


def counted(panes: Panes) -> dict[int, Counts]:
    """The panes in which something is counted, by the number of their day or hour."""
    flat = iter(panes)
    found = {number: Counts(*cells) for number, *cells in zip(flat, flat, flat, flat, flat, strict=True)}
    return {number: counts for number, counts in found.items() if any(counts)}


def by_day(row: Row) -> dict[int, Counts]:
    """What is counted on each day since the start."""
    return {number - START // DAY_MS: counts for number, counts in counted(row.days).items()}


def by_hour(row: Row) -> dict[int, Counts]:
    """What is counted in each hour since the start."""
    return {number - START // HOUR_MS: counts for number, counts in counted(row.hours).items()}
