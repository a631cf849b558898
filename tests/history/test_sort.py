"""Sorting on disk is sorting."""

import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.history import run as run_module
from app.history.errors import HistoryError
from app.history.run import Entry, Run
from app.history.sort import ExternalSort

keys = st.tuples(st.integers(1, 4), st.text(max_size=3), st.sampled_from(["cart", "click"]), st.binary(max_size=40))


def numbered(records: list[tuple[int, str, str, bytes]]) -> list[Entry]:
    return [(ts, event_id, kind, 0, offset, body) for offset, (ts, event_id, kind, body) in enumerate(records, 1)]


def some(count: int) -> list[Entry]:
    return [((offset * 7919) % count, f"e{offset}", "click", 0, offset, b"x" * 100) for offset in range(count)]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[IO[bytes]]]:
    """Every temporary file that is made, in a directory that must be empty at the end."""
    files: list[IO[bytes]] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def recorded() -> IO[bytes]:
        files.append(tempfile.TemporaryFile())  # noqa: SIM115  the sort closes it
        return files[-1]

    monkeypatch.setattr(run_module, "TemporaryFile", recorded)
    yield files
    assert list(tmp_path.iterdir()) == []
    assert all(file.closed for file in files)


@settings(deadline=None)  # it writes files
@given(records=st.lists(keys, max_size=60), run_bytes=st.integers(1, 500), fan_in=st.integers(2, 5))
def test_any_run_size_gives_what_sorted_gives(
    records: list[tuple[int, str, str, bytes]], run_bytes: int, fan_in: int
) -> None:
    entries = numbered(records)
    with ExternalSort(run_bytes, fan_in) as sort:
        for entry in entries:
            sort.add(entry)
        assert len(sort) == len(entries)
        # sorted is stable: equal keys stay in the order of the input
        assert list(sort) == sorted(entries, key=lambda entry: entry[:3])


def test_one_run_stays_in_memory(opened: list[IO[bytes]]) -> None:
    with ExternalSort() as sort:
        for entry in some(1000):
            sort.add(entry)
        assert list(sort) == sorted(some(1000))
    assert opened == []


def test_runs_are_merged_before_there_are_too_many(opened: list[IO[bytes]]) -> None:
    entries = some(3000)
    with ExternalSort(run_bytes=1000, fan_in=4) as sort:
        for entry in entries:
            sort.add(entry)
            assert sum(not file.closed for file in opened) <= 3 * 5
        assert list(sort) == sorted(entries)
    assert len(opened) > 300


def test_an_interruption_leaves_nothing_behind(opened: list[IO[bytes]]) -> None:
    def interrupted() -> None:
        with ExternalSort(run_bytes=1000) as sort:
            for entry in some(100):
                sort.add(entry)
            next(iter(sort))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert opened


def test_an_interruption_while_a_run_is_written_leaves_nothing_behind(opened: list[IO[bytes]]) -> None:
    def interrupted() -> Iterator[Entry]:
        yield from some(10_000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Run(interrupted())
    assert opened


def test_a_full_disk_is_said_with_what_to_do(opened: list[IO[bytes]]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(HistoryError, match=r"has no room to sort the history \(.+\); set TMPDIR to a larger disk"):
            Run(some(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert opened
