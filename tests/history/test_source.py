"""Paths that are no history files are refused in one line."""

from pathlib import Path

import pytest

from app.history.errors import HistoryError
from app.history.source import sources_of


def test_no_file_at_all_is_said() -> None:
    with pytest.raises(HistoryError, match=r"no history file was named"):
        sources_of([])


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"gone\.jsonl: there is no such file"):
        sources_of([tmp_path / "gone.jsonl"])


def test_a_directory_is_refused_with_what_to_name_instead(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"is a directory; name the files in it, such as .*\*\.jsonl"):
        sources_of([tmp_path])


def test_a_name_that_no_file_can_have_is_said() -> None:
    with pytest.raises(HistoryError, match="cannot be read"):
        sources_of([Path("a\0b.jsonl")])


def test_files_are_named_as_short_as_keeps_them_apart(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    paths = [tmp_path / "a.csv", tmp_path / "sub" / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.touch()
    assert [source.name for source in sources_of(paths)] == [str(paths[0]), str(paths[1]), "b.csv"]
