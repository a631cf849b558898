"""A corrected file: every line is checked before anything is sent."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any, Final

import pytest

from app.dead_letters.as_json import as_json
from app.dead_letters.choice import Choice
from app.dead_letters.fixed import Fixed, WrongLinesError
from app.dead_letters.letter import Letter, Place
from app.dead_letters.marks import Marks, mark_record
from app.dead_letters.plan import Plan
from app.dead_letters.state import State
from app.history.errors import HistoryError

NOW: Final = 1_700_000_000_000
CLICK: Final = {"type": "click", "event_id": "e", "user_id": "u", "ts": NOW, "item_id": "i"}
LETTERS: Final = {
    place: Letter(1, place, "invalid_json", "because", b"{", 1, is_cut=False)
    for place in (Place("events.click", 0, number) for number in range(3))
}


def line(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"topic": "events.click", "partition": 0, "offset": number, **more}


def planned(path: Path, marks: Marks | None = None, choice: Choice | None = None) -> Plan:
    return Fixed(LETTERS, marks or Marks(), choice or Choice(), NOW).plan(path)


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "fixed.jsonl"
    texts = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    path.write_bytes(b"\n".join(texts) + b"\n")
    return path


def wrong(path: Path) -> list[tuple[int, str]]:
    with pytest.raises(WrongLinesError) as caught:
        planned(path)
    return [(each.number, each.why) for each in caught.value.wrong]


def test_an_event_or_a_payload_is_taken_and_other_fields_do_not_matter(tmp_path: Path) -> None:
    body = json.dumps(CLICK).encode()
    path = written(
        tmp_path, line(0, event=CLICK, reason="?", note=[1]), b"", line(1, payload=base64.b64encode(body).decode())
    )
    found = planned(path)
    assert [(each.letter.offset, each.topic, json.loads(each.payload)) for each in found.ready] == [
        (0, "events.click", CLICK),
        (1, "events.click", CLICK),
    ]
    assert found.left == {}


def test_a_packed_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "fixed.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(line(event=CLICK)).encode()))
    assert len(planned(path).ready) == 1


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"{", "is no line of `rekindle dlq list --json` (Input data was truncated)"),
        (b"\xff", "is no line of `rekindle dlq list --json` ("),
        ({"event": CLICK}, "missing required field `topic`"),
        (line(), "has neither `event` nor `payload`; it needs one of them"),
        (line(event=CLICK, payload=""), "has both `event` and `payload`; it needs one of them"),
        (line(payload="?"), "is no line of"),
        (line(payload=""), "empty: the record has no payload"),
        (line(event=None), "invalid_value: Expected `object`, got `null`"),
        (line(event={**CLICK, "ts": -1}), "invalid_value: `ts`: Expected `int` >= 1"),
        (line(event={**CLICK, "ts": NOW + 1}), "too_far_ahead: `ts`: "),
        (line(event={"type": "tick", "ts": 5}), "a tick is no event"),
        (line(9, event=CLICK), "there is no dead letter events.click/0/9, or not any more"),
        (line(2, event=CLICK), "events.click/0/2 is on line 1 too; keep one"),
    ],
)
def test_a_wrong_line_is_named_with_its_reason(tmp_path: Path, bad: Any, said: str) -> None:
    ((number, why),) = wrong(written(tmp_path, line(2, event=CLICK), bad))
    assert number == 2
    assert said in why


def test_every_wrong_line_is_named(tmp_path: Path) -> None:
    assert [number for number, _ in wrong(written(tmp_path, b"{", line(event=CLICK), b"{"))] == [1, 3]


def test_what_was_redriven_or_is_not_asked_for_is_left_out_whatever_it_holds(tmp_path: Path) -> None:
    marks = Marks()
    marks.read(*mark_record(Place("events.click", 0, 0), Place("events.click", 0, 1), at=5))
    path = written(tmp_path, line(0, event={}), line(1, event={}), line(2, event=CLICK))
    assert dict(planned(path, marks).left) == {"redriven": 1, "redriven and failed again": 1}
    found = planned(written(tmp_path, line(0, event={})), choice=Choice(reasons=["empty"]))
    assert dict(found.left) == {"not asked for": 1}


def test_what_list_prints_can_be_given_back(tmp_path: Path) -> None:
    body = json.dumps({**CLICK, "query": "\x9b\u2028é"}, ensure_ascii=False).encode()
    letter = next(iter(LETTERS.values()))._replace(payload=body)
    (event,) = planned(written(tmp_path, as_json(letter, State.WAITING))).ready
    assert json.loads(event.payload) == json.loads(body)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="there is no such file"):
        planned(tmp_path / "gone.jsonl")
