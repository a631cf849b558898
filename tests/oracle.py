"""The effective history of both lifecycles by brute force: docs/semantics.md once more.

It shares no code with the product, and is meant to be obviously right rather than fast. A user's events are cut at
their erasures into *lives*; within a life every gap between two activities is looked at by itself. Only users and tags
that have a history are in a result, so that two results can be compared with `==`.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, TypeAlias

Wire: TypeAlias = dict[str, Any]
Value: TypeAlias = str | None
Change: TypeAlias = tuple[int, Value, Value]
History: TypeAlias = dict[str, dict[str, list[Change]]]

DAY_MS: Final = 24 * 60 * 60 * 1000
ANY_ACTIVITY: Final = "lifecycle"
PURCHASES: Final = "lifecycle.purchase"
TAGS: Final = (ANY_ACTIVITY, PURCHASES)


@dataclass(frozen=True)
class OracleLimits:
    silent_ms: int = 30 * DAY_MS
    lost_ms: int = 60 * DAY_MS
    purchase_silent_ms: int = 30 * DAY_MS
    purchase_lost_ms: int = 60 * DAY_MS


DEFAULT_LIMITS: Final = OracleLimits()


@dataclass(frozen=True)
class Life:
    """What happened between two erasures, in order; `end` is the erasure, or else the watermark."""

    activities: list[Wire]
    end: int
    erased: bool


def history(arrivals: Sequence[Wire], watermark: int, limits: OracleLimits = DEFAULT_LIMITS) -> History:
    """What is true of each user once the watermark is reached: tag -> [(at, from, to)].

    `arrivals` are the events released so far, all below the watermark, in the order in which they were released. That
    order counts for erasures only, and between events of one user only.
    """
    assert all(instant(event) < watermark for event in arrivals), "released although not below the watermark"
    users: dict[str, list[Wire]] = {}
    for event in arrivals:
        users.setdefault(event["user_id"], []).append(event)
    told = {user: _of_user(own, watermark, limits) for user, own in users.items()}
    return {user: tags for user, tags in told.items() if tags}


def instant(record: Wire) -> int:
    """The `ts` of a record in milliseconds, whichever way it is written."""
    if isinstance(record["ts"], int):
        return record["ts"]
    return (datetime.fromisoformat(record["ts"]) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def is_erasure(event: Wire) -> bool:
    return event["type"] == "profile" and event.get("kind") == "erased"


def is_purchase(event: Wire) -> bool:
    return event["type"] == "order" and event.get("status") in (None, "placed", "paid")


def is_activity(event: Wire) -> bool:
    if event["type"] == "profile":
        return event.get("kind") in ("login", "registered")
    return event["type"] in ("click", "cart") or is_purchase(event)


def _of_user(arrivals: list[Wire], watermark: int, limits: OracleLimits) -> dict[str, list[Change]]:
    lives = list(_lives(living(without_copies(arrivals)), watermark))
    told = {
        ANY_ACTIVITY: [c for life in lives for c in _any_activity(life, limits.silent_ms, limits.lost_ms)],
        PURCHASES: [c for life in lives for c in _purchases(life, limits.purchase_silent_ms, limits.purchase_lost_ms)],
    }
    return {tag: changes for tag, changes in told.items() if changes}


def without_copies(arrivals: list[Wire]) -> list[Wire]:
    """One user's arrivals, where the first of the same type and event_id counts."""
    first: dict[tuple[str, str], Wire] = {}
    for event in arrivals:
        first.setdefault((event["type"], event["event_id"]), event)
    return list(first.values())


def living(arrivals: list[Wire]) -> list[Wire]:
    """One user's arrivals without those that an erasure before them, and not older than they are, keeps dead."""
    return [
        event
        for place, event in enumerate(arrivals)
        if not any(is_erasure(earlier) and instant(event) <= instant(earlier) for earlier in arrivals[:place])
    ]


def nameless(alive: list[Wire]) -> list[bool]:
    """Which of the living had arrived before a late erasure and are newer: their event_id is forgotten."""
    return [
        any(is_erasure(later) and instant(later) < instant(event) for later in alive[place + 1 :])
        for place, event in enumerate(alive)
    ]


def _in_order(alive: list[Wire]) -> list[Wire]:
    """By (ts, event_id, type), an erasure last within its millisecond; without names orders come first."""

    def key(known: tuple[Wire, bool]) -> tuple[int, bool, str, str]:
        event, is_nameless = known
        name = ("", "0" if is_purchase(event) else "1") if is_nameless else (event["event_id"], event["type"])
        return instant(event), is_erasure(event), *name

    return [event for event, _ in sorted(zip(alive, nameless(alive), strict=True), key=key)]


def _lives(alive: list[Wire], watermark: int) -> Iterator[Life]:
    activities: list[Wire] = []
    for event in _in_order(alive):
        if is_erasure(event):
            yield Life(activities, instant(event), erased=True)
            activities = []
        elif is_activity(event):
            activities.append(event)
    yield Life(activities, watermark, erased=False)


def _any_activity(life: Life, silent_ms: int, lost_ms: int) -> list[Change]:
    return _moves([], [instant(event) for event in life.activities], life, silent_ms, lost_ms)


def _purchases(life: Life, silent_ms: int, lost_ms: int) -> list[Change]:
    orders = [instant(event) for event in life.activities if is_purchase(event)]
    starts_otherwise = bool(life.activities) and not is_purchase(life.activities[0])
    start: list[Change] = [(instant(life.activities[0]), None, "unactivated")] if starts_otherwise else []
    return _moves(start, orders, life, silent_ms, lost_ms)


def _moves(start: list[Change], moments: list[int], life: Life, silent_ms: int, lost_ms: int) -> list[Change]:
    """The changes of one life: what each gap between activities says, and the null at its erasure."""
    changes = list(start)

    def move(at: int, to: Value) -> None:
        value = changes[-1][2] if changes else None
        if value != to:
            changes.append((at, value, to))

    for last, following in pairwise([*moments, life.end]):
        move(last, "active")
        if last + silent_ms < following:
            move(last + silent_ms, "silent")
        if last + lost_ms < following:
            move(last + lost_ms, "lost")
    if life.erased:
        move(life.end, None)
    return changes


def effective(changes: Iterable[Wire], tags: Container[str] = TAGS) -> History:
    """The effective history that `tag-changes` records tell, in order of emission; asserts that they may stand so."""
    records = list(changes)
    assert len({record["id"] for record in records}) == len(records), "an id was used twice"
    withdrawn = _withdrawn(records)
    ordinary = [r for r in records if not r.get("corrects") and r["id"] not in withdrawn and r["tag"] in tags]
    told: History = {}
    for record in sorted(ordinary, key=lambda record: int(record["at"])):
        changes_of_tag = told.setdefault(record["user_id"], {}).setdefault(record["tag"], [])
        before = changes_of_tag[-1][2] if changes_of_tag else None
        assert record["from"] == before, f"{record} should start from {before}"
        changes_of_tag.append((record["at"], record["from"], record["to"]))
    return told


def _withdrawn(records: list[Wire]) -> set[str]:
    """The ids that were withdrawn, each once, after it was said, by its exact inverse."""
    said: dict[str, Wire] = {}
    withdrawn: set[str] = set()
    for record in records:
        corrected = record.get("corrects")
        if not corrected:
            said[record["id"]] = record
            continue
        assert corrected in said, f"{record} withdraws what is no ordinary change before it"
        assert corrected not in withdrawn, f"{record} withdraws a second time"
        assert _inverse(record) == _straight(said[corrected]), f"{record} is not the inverse of {said[corrected]}"
        withdrawn.add(corrected)
    return withdrawn


def _straight(record: Wire) -> tuple[Any, ...]:
    return record["user_id"], record["tag"], record["at"], record["from"], record["to"]


def _inverse(record: Wire) -> tuple[Any, ...]:
    return record["user_id"], record["tag"], record["at"], record["to"], record["from"]


def follow(changes: Iterable[Wire], tags: Container[str] = TAGS) -> dict[str, dict[str, Value]]:
    """Where a consumer ends who only follows `from` -> `to` of some tags; asserts that no step is a leap."""
    values: dict[str, dict[str, Value]] = {}
    for record in (record for record in changes if record["tag"] in tags):
        known = values.setdefault(record["user_id"], {})
        assert known.get(record["tag"]) == record["from"], f"{record} should start from {known.get(record['tag'])}"
        known[record["tag"]] = record["to"]
    return values
