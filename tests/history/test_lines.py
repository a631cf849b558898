"""Text files that cannot be read are refused in one line; the others come a line at a time."""

import gzip
from pathlib import Path

import pytest

from app.history import lines as lines_module
from app.history.errors import HistoryError
from app.history.lines import lines
from app.history.source import sources_of


def read(path: Path, body: bytes) -> list[bytes]:
    path.write_bytes(body)
    return list(lines(sources_of([path])[0]))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_lines_come_with_their_ends_and_without_a_byte_order_mark(tmp_path: Path, name: str) -> None:
    body = b"\xef\xbb\xbfone\r\ntwo\n\nthree"
    assert read(tmp_path / name, gzip.compress(body) if name.endswith("gz") else body) == [
        b"one\r\n",
        b"two\n",
        b"\n",
        b"three",
    ]


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    assert read(tmp_path / "a.jsonl.gz", gzip.compress(b"one\n") + gzip.compress(b"two\n")) == [b"one\n", b"two\n"]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert read(tmp_path / "a.jsonl", b"") == []
    assert read(tmp_path / "a.jsonl.gz", gzip.compress(b"")) == []


def test_gzip_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(bytes(range(256)) * 1000)
    with pytest.raises(HistoryError, match="gzip data is broken or cut short; get a whole copy"):
        read(tmp_path / "a.jsonl.gz", packed[: len(packed) // 2])


@pytest.mark.parametrize("at", [0.5, -6])
def test_gzip_that_is_broken_is_refused(tmp_path: Path, at: float) -> None:
    packed = bytearray(gzip.compress(b"".join(b"%d\n" % (number * number) for number in range(10_000))))
    place = int(len(packed) * at) if at > 0 else int(at)
    packed[place] ^= 0xFF
    with pytest.raises(HistoryError, match="gzip data is broken"):
        read(tmp_path / "a.jsonl.gz", bytes(packed))


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.jsonl.gz", b"", "is empty; get a whole copy"),
        ("a.jsonl.gz", b'{"type"', "is not packed by gzip; take .gz off its name"),
        ("a.jsonl", gzip.compress(b"{}", mtime=0), "is packed by gzip; unpack it, or let its name end in .jsonl.gz"),
        ("a.csv", "type,ts".encode("utf-16"), "is written in UTF-16; save it as UTF-8"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, body: bytes, said: str) -> None:
    with pytest.raises(HistoryError, match=said):
        read(tmp_path / name, body)


def test_a_file_without_line_ends_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 1 << 20)
    with pytest.raises(HistoryError, match="line 2 is longer than 1 MiB; write one record a line"):
        read(tmp_path / "a.jsonl", b"{}\n" + b"[" * (2 << 20))


def test_a_file_that_goes_away_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    (source,) = sources_of([tmp_path / "a.jsonl"])
    source.path.unlink()
    with pytest.raises(HistoryError, match="cannot be read"):
        list(lines(source))
