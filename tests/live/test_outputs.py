"""Outputs: a change or a dead letter as a record, with CloudEvents headers in binary mode."""

import json
from datetime import datetime

import msgspec

from app.live.outputs import Outputs
from schemas.changes import LIFECYCLE, TagChange
from schemas.dead_letter import DeadLetter, Rejected, dead_letter
from schemas.scores import ChurnScore
from schemas.times import DAY_MS
from schemas.topics import CHURN_SCORES, DEAD_LETTERS, TAG_CHANGES
from tests.agents.drive import day

CHANGE = TagChange(
    id="用户/lifecycle/5/1", user_id="用户", tag=LIFECYCLE, from_=None, to="active", at=day(0, 7), cause="click:c",
    rule_version=1,
)  # fmt: skip


def test_a_change_is_keyed_by_its_user_and_told_of_in_its_headers() -> None:
    (output,) = Outputs("crm").changes([CHANGE])
    assert (output.topic, output.key) == (TAG_CHANGES, "用户".encode())
    assert msgspec.json.decode(output.value, type=TagChange) == CHANGE
    assert "corrects" not in json.loads(output.value)
    assert dict(output.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": CHANGE.id.encode(),
        "ce_type": b"rekindle.tag-change",
        "ce_source": b"/rekindle/crm",
        "ce_time": b"2024-01-01T00:00:00.007000Z",
        "content-type": b"application/json",
    }


def test_the_time_of_a_change_is_rfc_3339() -> None:
    (output,) = Outputs("crm").changes([msgspec.structs.replace(CHANGE, at=day(1))])
    told = dict(output.headers)["ce_time"].decode()
    assert told == "2024-01-02T00:00:00Z"
    assert datetime.fromisoformat(told).timestamp() * 1000 == day(1)


def test_changes_keep_their_order() -> None:
    changes = [msgspec.structs.replace(CHANGE, id=f"{number}") for number in range(5)]
    assert [dict(each.headers)["ce_id"] for each in Outputs("a").changes(changes)] == [b"0", b"1", b"2", b"3", b"4"]
    assert Outputs("a").changes([]) == Outputs("a").dead_letters([]) == []


def test_a_score_is_keyed_by_its_user_and_said_once_for_an_instant() -> None:
    score = ChurnScore(
        user_id="用户", as_of=day(1), p_inactive=0.5, horizon_ms=DAY_MS, model="mix", model_version="none"
    )
    (output,) = Outputs("crm").scores([score])
    assert (output.topic, output.key) == (CHURN_SCORES, "用户".encode())
    assert msgspec.json.decode(output.value, type=ChurnScore) == score
    headers = dict(output.headers)
    assert (headers["ce_type"], headers["ce_id"]) == (b"rekindle.churn-score", f"用户/{day(1)}".encode())
    assert headers["ce_time"] == b"2024-01-02T00:00:00Z"


def test_a_dead_letter_is_keyed_by_the_place_of_its_record() -> None:
    letters = [dead_letter("events.click", 3, offset, b"{", Rejected("invalid_json", "?")) for offset in (7, 8)]
    first, second = Outputs("crm").dead_letters(letters)
    assert (first.topic, first.key, second.key) == (DEAD_LETTERS, b"events.click/3/7", b"events.click/3/8")
    assert msgspec.json.decode(first.value, type=DeadLetter) == letters[0]
    headers = dict(first.headers)
    assert (headers["ce_id"], headers["ce_type"]) == (first.key, b"rekindle.dead-letter")
    assert "ce_time" not in headers
