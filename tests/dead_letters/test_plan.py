"""What a redrive sends: what a partition would take now."""

import json
from typing import Any

import pytest

from agents.partition import MAX_FUTURE_MS
from app.dead_letters.letter import Letter, Place
from app.dead_letters.marks import Marks, mark_record
from app.dead_letters.plan import Plan, plan
from app.settings import Clock
from schemas.dead_letter import DeadReason

NOW = 1_700_000_000_000
CLICK = {"type": "click", "event_id": "e", "user_id": "u", "ts": NOW, "item_id": "i"}
PLACE = Place("events.cart", 0, 1)


def letter(reason: DeadReason = "wrong_topic", **more: Any) -> Letter:
    payload = json.dumps({**CLICK, **more}).encode()
    return Letter(1, PLACE, reason, "because", payload, len(payload), is_cut=False)


def planned(letter: Letter, clock: Clock = Clock.WALL, marks: Marks | None = None) -> Plan:
    return plan([letter], marks or Marks(), clock, NOW)


def test_an_event_goes_to_the_topic_of_its_type_as_it_is() -> None:
    (event,) = planned(letter()).ready
    assert (event.letter, event.topic, event.user_id) == (PLACE, "events.click", "u")
    assert event.payload == letter().payload


# ts   now      now + 5 min
#       |-----------|x            x is yet to come
@pytest.mark.parametrize(("ahead_ms", "is_ready"), [(0, True), (MAX_FUTURE_MS, True), (MAX_FUTURE_MS + 1, False)])
def test_an_event_from_the_future_is_sent_when_its_time_is_near(ahead_ms: int, is_ready: bool) -> None:
    found = planned(letter("too_far_ahead", ts=NOW + ahead_ms))
    assert bool(found.ready) is is_ready
    assert dict(found.left) == ({} if is_ready else {"too_far_ahead": 1})


def test_with_the_clock_of_events_what_is_too_far_ahead_is_left_to_people() -> None:
    found = planned(letter("too_far_ahead"), Clock.EVENT)
    assert (found.ready, dict(found.left)) == ([], {"too_far_ahead": 1})
    assert planned(letter(ts=NOW + 2 * MAX_FUTURE_MS), Clock.EVENT).ready


def test_what_is_still_wrong_is_left_and_counted_by_what_is_wrong_now() -> None:
    assert dict(planned(letter("invalid_json", type="view")).left) == {"unknown_type": 1}


def test_a_tick_is_not_sent_again() -> None:
    tick = letter()._replace(payload=b'{"type": "tick", "ts": 5}')
    assert dict(planned(tick).left) == {"unknown_type": 1}


def test_what_is_not_waiting_is_not_even_counted() -> None:
    marks = Marks()
    marks.read(*mark_record(PLACE, Place("events.click", 0, 9), at=5))
    assert planned(letter(), marks=marks) == Plan()
    assert planned(letter()._replace(is_cut=True)) == Plan()
