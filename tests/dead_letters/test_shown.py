"""Letters as people and programs see them; nothing in them acts on a terminal."""

import json
from io import StringIO
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from app.dead_letters.as_json import as_json, event_of
from app.dead_letters.letter import Letter, Place
from app.dead_letters.state import State
from app.dead_letters.table import show, summary, visible
from schemas.dead_letter import DeadReason

EVIL: Final = "[red]\x1b[31m\x9b2J\r\n\u202e\u2028\x00"


def letter(payload: bytes = b"{}", detail: str = "because", reason: DeadReason = "empty") -> Letter:
    return Letter(1_769_860_800_000, Place("events.click", 2, 7), reason, detail, payload, len(payload), is_cut=False)


def shown(*letters: Letter, with_payload: bool = True) -> str:
    console = Console(file=StringIO(), width=200, force_terminal=True, highlight=False)
    show(console, [(each, State.WAITING) for each in letters], with_payload=with_payload)
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_a_row_tells_when_why_where_and_how_large() -> None:
    text = shown(letter())
    for told in ("2026-01-31 12:00:00", "events.click/2/7", "empty", "waiting", "because (2 bytes)", "{}"):
        assert told in text


def test_payloads_are_shown_on_demand_only() -> None:
    assert "secret" not in shown(letter(b"secret"), with_payload=False)
    assert "secret" in shown(letter(b"secret"))


def test_markup_and_control_characters_do_not_act() -> None:
    text = shown(letter(EVIL.encode() + b"\xff", EVIL))
    assert text.count(r"[red]\x1b[31m\x9b2J\r\n\u202e\u2028\x00") == 2
    assert r"\xff" in text
    assert not {"\x9b", "\r", "\u202e", "\u2028", "\x00"} & set(text)
    assert "\x1b[31m" not in text


@given(st.text())
def test_nothing_visible_acts(text: str) -> None:
    assert visible(text).isprintable()


def test_the_summary_counts_reasons_and_states() -> None:
    letters = [(letter(), State.WAITING), (letter(), State.FAILED_AGAIN), (letter(reason="too_large"), State.CUT)]
    assert summary(letters) == ("3 dead letters: empty 2, too_large 1; cut 1, redriven and failed again 1, waiting 1")


def test_json_has_the_event_where_it_can_be_read_else_the_payload() -> None:
    told = json.loads(as_json(letter(b'{"a": 1.10}'), State.WAITING))
    assert told == {
        "at": 1_769_860_800_000, "topic": "events.click", "partition": 2, "offset": 7, "reason": "empty",
        "detail": "because", "size": 11, "state": "waiting", "event": {"a": 1.1},
    }  # fmt: skip
    told = json.loads(as_json(letter(b"\xff"), State.CUT))
    assert (told["payload"], told["state"]) == ("/w==", "cut")
    assert "event" not in told


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b'{"a": 1e999}', b"[" * 100_000 + b"]" * 100_000])
def test_what_is_no_json_has_no_event(payload: bytes) -> None:
    assert event_of(payload) is None


@given(st.recursive(st.none() | st.text() | st.integers() | st.floats(allow_nan=False), st.lists), st.booleans())
def test_an_event_is_one_harmless_line_that_means_the_same(event: object, ascii_only: bool) -> None:
    payload = json.dumps({"a": event}, indent=1, ensure_ascii=ascii_only).encode(errors="replace")
    line = as_json(letter(payload, detail=EVIL), State.WAITING)
    text = line.decode()
    assert len(text.splitlines()) == 1
    assert "\x9b" not in text
    told = json.loads(line)
    assert told["detail"] == EVIL
    assert "payload" in told or told["event"] == json.loads(payload)
