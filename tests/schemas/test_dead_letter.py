"""A dead letter says where a record came from and why it was refused, and keeps as much of it as is bearable."""

import base64
import json
from hashlib import sha256
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letter import DeadLetter, Rejected, dead_letter
from schemas.decode import decode

WHY: Final = Rejected("invalid_value", "`price`: Expected `float` >= 0.0")
LIMIT: Final = 256 * 1024


def letter(payload: bytes | None) -> DeadLetter:
    return dead_letter("events.click", 3, 42, payload, WHY)


def on_the_wire(record: DeadLetter) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(msgspec.json.encode(record))
    return told


def test_it_says_where_the_record_was_and_why_it_was_refused() -> None:
    assert on_the_wire(letter(b'{"price": -1}')) == {
        "topic": "events.click",
        "partition": 3,
        "offset": 42,
        "reason": "invalid_value",
        "detail": "`price`: Expected `float` >= 0.0",
        "payload": base64.b64encode(b'{"price": -1}').decode(),
    }


def test_a_rejection_reads_as_its_detail() -> None:
    assert str(WHY) == WHY.detail


@pytest.mark.parametrize("payload", [None, b""])
def test_no_payload_is_an_empty_one(payload: bytes | None) -> None:
    assert on_the_wire(letter(payload))["payload"] == ""


def test_a_payload_of_256_kb_is_kept_whole() -> None:
    body = bytes(range(256)) * 1024
    told = on_the_wire(letter(body))
    assert base64.b64decode(told["payload"]) == body
    assert "size" not in told
    assert "sha256" not in told


@pytest.mark.parametrize("size", [LIMIT + 1, 1024 * 1024])
def test_a_larger_payload_is_cut_to_64_kb_and_named_by_size_and_hash(size: int) -> None:
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    told = on_the_wire(letter(body))
    assert base64.b64decode(told["payload"]) == body[: 64 * 1024]
    assert told["size"] == size
    assert told["sha256"] == sha256(body).hexdigest()


# a value that is quoted grows: DEL is one byte, four characters as \\x7f, and five bytes in JSON
@pytest.mark.parametrize("letters", ["\x7f", "\x80", '\\"', "a", "\U0001f600"])
@pytest.mark.parametrize("field", ["action", "type", "ts"])
def test_a_value_that_is_quoted_makes_no_letter_that_is_too_large_to_send(field: str, letters: str) -> None:
    value = letters * (200_000 // len(letters.encode()))
    body = b'{"event_id":"e","user_id":"u","ts":1,"item_id":"i","type":"click","%b":"%b"}' % (
        field.encode(), value.encode(),
    )  # fmt: skip
    with pytest.raises(Rejected) as refused:
        decode(body)
    record = dead_letter("events.click", 3, 42, body, refused.value)
    assert base64.b64decode(on_the_wire(record)["payload"]) == body
    assert len(record.detail) <= 500
    assert len(msgspec.json.encode(record)) < 400_000


def test_a_short_detail_is_kept_whole_and_a_long_one_ends_with_an_ellipsis() -> None:
    details = [dead_letter("t", 0, 0, b"", Rejected("empty", "d" * size)).detail for size in (500, 501)]
    assert details == ["d" * 500, "d" * 499 + "\N{HORIZONTAL ELLIPSIS}"]


@given(st.binary(max_size=200))
def test_a_dead_letter_comes_back_from_the_wire_as_it_was(payload: bytes) -> None:
    record = letter(payload)
    assert msgspec.json.decode(msgspec.json.encode(record), type=DeadLetter) == record
    assert record.payload == payload
