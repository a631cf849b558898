"""JSON Lines: what is wrong with one line stays with that line."""

import json
from pathlib import Path

import pytest

from tests.history.files import Read, click


def read(path: Path, *lines: bytes) -> Read:
    path.write_bytes(b"\n".join(lines))
    return Read(path)


def line(number: int = 1, **fields: object) -> bytes:
    return json.dumps(click(number, **fields)).encode()


def test_blank_lines_are_empty_records_but_a_line_end_at_the_end_is_none(tmp_path: Path) -> None:
    result = read(tmp_path / "a.jsonl", b"", line(1), b" \t\r", b"{", line(2) + b"\r", b"")
    assert result.ids == ["e1", "e2"]
    assert result.reasons == [(1, "empty"), (3, "empty"), (4, "invalid_json")]
    assert result.history.records == 5


def test_an_empty_file_is_no_events(tmp_path: Path) -> None:
    result = read(tmp_path / "a.jsonl")
    assert result.events == []
    assert result.history.until is None


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        (b"{", "invalid_json", "truncated"),
        (b"not json", "invalid_json", "malformed"),
        (line(item_id="?").replace(b"?", b"\xff"), "invalid_json", "UTF-8"),
        (b"{}", "unknown_type", "`type`"),
        (b"[]", "invalid_value", "array"),
        (b"null", "invalid_value", "null"),
        (line(query="x" * 1_000_000), "too_large", "at most 262144"),
        (b'{"type":"click","deep":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "invalid_json", "nested too deeply"),
        (line(type="visit"), "unknown_type", "visit"),
        (line(ts=7_258_118_400_000), "invalid_value", "`ts`"),
        (line(ts="2200-01-01T00:00:00Z"), "invalid_value", "lies outside 1970 to 2100"),
        (line(ts="2010-12-01T00:00:00"), "invalid_value", "`ts`: has no offset"),
        (line(ts=-1), "invalid_value", "`ts`"),
        (line(price=float("nan")), "invalid_json", "malformed"),
        (line(price=float("inf")), "invalid_json", "malformed"),
        (line(price="NaN"), "invalid_value", "`price`"),
        (line(price=-0.01), "invalid_value", "`price`"),
        (line(user_id=""), "invalid_value", "`user_id`"),
    ],
)
def test_a_bad_line_is_a_counted_dead_letter(tmp_path: Path, bad: bytes, reason: str, detail: str) -> None:
    result = read(tmp_path / "a.jsonl", line(1), bad, line(2))
    assert result.ids == ["e1", "e2"]
    (letter,) = result.letters
    assert (letter.topic, letter.partition, letter.offset, letter.reason) == ("a.jsonl", 0, 2, reason)
    assert detail in letter.detail
    assert letter.payload == bad[: len(letter.payload)]
    assert result.history.dead == 1
