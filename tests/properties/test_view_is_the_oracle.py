"""What a view answers is what all events say, whatever their order of arrival; and it says when that may change."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from agents.rules.view import View
from schemas.decode import decode
from schemas.events import Tick
from schemas.times import DAY_MS, HOUR_MS, NEVER
from tables.row import Row
from tables.table import Table
from tests.dressed import BRANDS, CATEGORIES, CHANNELS, dressed, dressed_record
from tests.oracle import Wire, instant
from tests.portrait_oracle import CLICKS, DIMENSIONS, INSTANTS, PortraitOracle
from tests.properties.test_rows_are_order_free import rows_of
from tests.properties.test_the_law import drive
from tests.storms import BASE_MS as START_MS
from tests.storms import Storm, encode, storms

Asked = tuple[str, tuple[Any, ...], dict[str, int]]

HOURS: Final = (1, 2, 24, 48)
DAYS: Final = (1, 7, 30, 60)
VALUES: Final = {
    "category": [each for each in CATEGORIES if each],
    "brand": [each for each in BRANDS if each],
    "channel": [each for each in CHANNELS if each],
    "price_band": ["0-1", "4-8", "8-16", "1024-2048", "7-9"],
    "hour": ["0", "5", "11", "23", "24"],
}


def questions() -> Iterator[Asked]:
    """Every method, with arguments that matter."""
    for field in range(4):
        yield "total", (field,), {}
        yield from (("window", (field,), {"days": days}) for days in DAYS)
        yield from (("window", (field,), {"hours": hours}) for hours in HOURS)
    yield from (("days_active", (days,), {}) for days in DAYS)
    for name in INSTANTS:
        yield "instant", (name,), {}
        yield from (("since", (name, unit), {}) for unit in (DAY_MS, HOUR_MS))
    for name in ("mean_gap", "cycle", "purchase_days", "max_order", "returns", "return_rate", "category_due"):
        yield name, (), {}
    yield from (("done", (name,), {}) for name in (*CLICKS, "remove", "checkout", "coupon_used"))
    for dimension in DIMENSIONS:
        yield from ((name, (dimension,), {}) for name in ("top", "top_share", "observed"))
        for value in VALUES[dimension]:
            yield from ((name, (dimension, value), {}) for name in ("share", "spend_share"))
    yield from (("attr", (name,), {}) for name in ("region", "user_type", "timezone", "shoe_size"))
    yield from ((name, ("sms",), {}) for name in ("consent", "reachable"))
    yield from ((name, (), {}) for name in ("cart_items", "cart_value"))


QUESTIONS: Final = list(questions())


def answers(source: View | PortraitOracle, skip: int = 0) -> dict[str, Any]:
    """All of them; windows of more hours than are known are left out."""
    return {
        f"{name}{arguments}{named}": getattr(source, name)(*arguments, **named)
        for name, arguments, named in QUESTIONS
        if not skip or named.get("hours", 0) < skip
    }


def assert_same(view: View, oracle: PortraitOracle, known_hours: int = 0) -> None:
    mine, true = answers(view, known_hours), answers(oracle, known_hours)
    wrong = {
        name: (mine[name], true[name])
        for name in true
        if mine[name] != (pytest.approx(true[name], rel=1e-12) if isinstance(true[name], float) else true[name])
    }
    assert not wrong


def by_user(storm: Storm) -> dict[str, list[Wire]]:
    users: dict[str, list[Wire]] = {}
    for event in storm.all_arrivals():
        users.setdefault(event["user_id"], []).append(event)
    return users


def views_of(storm: Storm) -> Iterator[tuple[Row, list[Wire]]]:
    rows = rows_of(drive(storm), storm)
    for user, events in by_user(storm).items():
        yield rows[user], events


calm: Final = storms(erasing=False).map(dressed)


@settings(max_examples=150, deadline=None)
@given(calm)
def test_what_a_view_answers_now_is_what_the_events_say(storm: Storm) -> None:
    for row, events in views_of(storm):
        for now in (max(map(instant, events)), storm.until):
            assert_same(View(row, now), PortraitOracle(events, now))


@settings(max_examples=100, deadline=None)
@given(calm)
def test_as_of_each_midnight_within_the_lateness_it_is_what_the_events_before_it_say(storm: Storm) -> None:
    for row, events in views_of(storm):
        newest = max(map(instant, events))
        first = (newest - storm.lateness_ms) // DAY_MS + 1
        for midnight in range(first * DAY_MS, newest + 1, DAY_MS):
            known_hours = 49 - (newest // HOUR_MS - midnight // HOUR_MS)
            view = View(row, midnight, before=midnight)
            assert_same(view, PortraitOracle(events, midnight, midnight), max(known_hours, 1))


def long_history(random: Random) -> list[tuple[int, Wire]]:
    """Weeks or years of one user, each event with the time at which it arrives."""
    ts, found = START_MS, []
    steps_days = random.choice(((0.01, 0.3, 1), (0.3, 1, 9), (0.01, 0.3, 1, 9, 33, 400)))
    for number in range(random.randint(40, 160)):
        ts += int(random.choice(steps_days) * random.random() * DAY_MS)
        kind = random.choice(("click", "click", "cart", "order", "order", "order"))
        status = random.choice(("paid", "paid", "paid", "placed", "cancelled", "returned"))
        event = {
            "type": kind,
            "event_id": f"e{number}",
            "user_id": "u",
            "ts": ts,
            "item_id": f"i{random.randint(0, 3)}",
        }
        if kind == "order":
            event |= {"order_id": f"o{number - (status in {'cancelled', 'returned'})}", "status": status}
        found.append((ts + random.choice((0, 0, 0, random.randrange(7 * DAY_MS))), dressed_record(event)))
    return sorted(found, key=lambda each: each[0])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_with_many_actions_and_over_many_years_too(seed: int) -> None:
    random = Random(seed)  # noqa: S311  a history needs no secrecy
    partition, now, events = Partition(0, DEFAULT_LIMITS, Table()), 0, list[Wire]()
    for arrives_at, event in long_history(random):
        record = decode(encode(event))
        assert not isinstance(record, Tick)
        now = max(now, record.ts)
        assert now - record.ts <= arrives_at - record.ts <= 7 * DAY_MS
        partition.apply(record, now)
        events.append(event)
    row = partition.table.get("u")
    assert row is not None
    for later in (0, random.randrange(90 * DAY_MS)):
        assert_same(View(row, now + later), PortraitOracle(events, now + later))
    for midnight in range((now // DAY_MS - 7) * DAY_MS, now + 1, DAY_MS):
        assert_same(View(row, midnight, midnight), PortraitOracle(events, midnight, midnight), 1)


def edges(view: View, days: int) -> list[int]:
    """Every hour from now on, a pane's first and last milliseconds, and those around the instant that was promised."""
    hours = range((view.now // HOUR_MS + 1) * HOUR_MS, view.now + days * DAY_MS, HOUR_MS)
    around = [view.changes_at + step for step in (-HOUR_MS, -1)] if view.changes_at != NEVER else []
    found = {edge + step for edge in (*hours, *around) for step in (-1, 0, 1)}
    return sorted(each for each in found if view.now < each < view.changes_at)


def asked(view: View, question: Asked) -> Any:
    name, arguments, named = question
    return getattr(view, name)(*arguments, **named)


@settings(max_examples=100, deadline=None)
@given(calm, st.sampled_from(QUESTIONS), st.integers(0, 3 * DAY_MS), st.booleans())
def test_nothing_changes_by_time_alone_before_it_is_said_to(
    storm: Storm, question: Asked, later_ms: int, is_early: bool
) -> None:
    for row, events in views_of(storm):
        newest = max(map(instant, events))
        before = newest // DAY_MS * DAY_MS if is_early else NEVER
        view = View(row, newest + later_ms, before)
        answer = asked(view, question)
        for moment in edges(view, days=3):
            assert asked(View(row, moment, before), question) == answer, (question, view.now, moment, view.changes_at)


@settings(max_examples=100, deadline=None)
@given(calm, st.sampled_from(INSTANTS), st.sampled_from([DAY_MS, HOUR_MS]), st.integers(0, 40), st.integers(0, DAY_MS))
def test_a_crossing_is_said_before_it_happens(storm: Storm, name: Any, unit: int, crossing: int, later: int) -> None:
    for row, events in views_of(storm):
        view = View(row, max(map(instant, events)) + later)
        units = view.since_crosses(name, unit, crossing)
        assert units == View(row, view.now).since(name, unit)
        if units is None:
            assert view.changes_at == NEVER
            continue
        last = view.changes_at - 1 if view.changes_at != NEVER else view.now + 100 * DAY_MS
        after = View(row, last).since(name, unit)
        assert after is not None
        assert (units >= crossing) == (after >= crossing)
        if view.changes_at != NEVER:
            assert View(row, view.changes_at).since(name, unit) == crossing
