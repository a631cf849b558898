"""The front door: one order over all files, and a counter for all that is not an event."""

import gzip
from functools import partial
from pathlib import Path

import pytest

from app.history import history as history_module
from app.history.errors import HistoryError
from app.history.history import MAX_AHEAD_MS, History, Phase
from app.history.sort import ExternalSort
from schemas.dead_letter import DeadLetter
from schemas.times import DAY_MS
from tests.history.files import START, Read, click, write_csv, write_jsonl

YEAR = 365 * DAY_MS


def at(*times: int) -> list[dict[str, object]]:
    return [click(number, ts=ts) for number, ts in enumerate(times)]


def test_events_of_several_files_come_in_one_order(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "a.jsonl", [click(3), click(1)])
    second = write_csv(tmp_path / "b.csv", [click(4), click(2)])
    result = Read(first, second)
    assert result.ids == ["e1", "e2", "e3", "e4"]
    assert (result.history.first_ts, result.history.last_ts) == (START + 1, START + 4)
    assert (result.history.records, result.history.events) == (4, 4)
    assert [source.name for source in result.history.files] == ["a.jsonl", "b.csv"]


def test_one_moment_is_ordered_by_event_id_and_type_and_copies_keep_their_order(tmp_path: Path) -> None:
    cart = {"type": "cart", "event_id": "a", "user_id": "u", "ts": 5, "item_id": "x"}
    path = write_jsonl(
        tmp_path / "a.jsonl",
        [cart | {"event_id": "b"}, cart | {"type": "click"}, cart | {"user_id": "2"}, cart | {"user_id": "1"}],
    )
    keys = [(type(event).__name__, event.event_id, event.user_id) for event in Read(path).events]
    assert keys == [("Cart", "a", "2"), ("Cart", "a", "1"), ("Click", "a", "u"), ("Cart", "b", "u")]


def test_a_history_larger_than_memory_comes_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "ExternalSort", partial(ExternalSort, run_bytes=2000, fan_in=3))
    count = 997
    path = write_jsonl(tmp_path / "a.jsonl", [click(number * 31 % count) for number in range(count)])
    assert Read(path).ids == [f"e{number}" for number in range(count)]


def test_ticks_are_counted_and_do_nothing(tmp_path: Path) -> None:
    tick = {"type": "tick", "ts": START + 10 * YEAR}
    result = Read(write_jsonl(tmp_path / "a.jsonl", [tick, click(1), tick | {"ts": 0}]))
    assert result.ids == ["e1"]
    assert (result.history.ticks, result.history.records, result.reasons) == (1, 3, [(3, "invalid_value")])
    assert result.history.until == START + 1


def test_events_after_until_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [click(3), click(2), click(1)])
    result = Read(path, until=START + 2)
    assert result.ids == ["e1", "e2"]
    assert (result.history.after_until, result.history.until, result.history.last_ts) == (1, START + 2, START + 2)


def test_without_until_it_is_the_last_event(tmp_path: Path) -> None:
    history = History([write_jsonl(tmp_path / "a.jsonl", [click(7)])], dead_letters=print)
    assert history.until is None
    assert len(list(history)) == 1
    assert history.until == START + 7


def test_a_leap_of_the_clock_in_the_later_half_is_dead_with_all_that_follows(tmp_path: Path) -> None:
    # ---1-2----------(more than 3 years)---------4-5--->   of which 4 and 5 are dead
    leap = START + 2 + MAX_AHEAD_MS + 1
    result = Read(write_jsonl(tmp_path / "a.jsonl", at(leap + 1, START + 1, leap, START + 2)))
    assert result.ids == ["e1", "e3"]
    assert result.reasons == [(3, "too_far_ahead"), (1, "too_far_ahead")]
    assert result.letters[0].detail == "`ts`: 1095 days after the last event that can be believed; a broken clock?"
    assert b'"event_id": "e2"' in result.letters[0].payload
    assert (result.history.dead, result.history.until) == (2, START + 2)


def test_a_leap_of_just_the_limit_is_believed(tmp_path: Path) -> None:
    result = Read(write_jsonl(tmp_path / "a.jsonl", at(START, START + MAX_AHEAD_MS)))
    assert result.ids == ["e0", "e1"]


def test_a_leap_in_the_earlier_half_only_means_that_a_few_are_old(tmp_path: Path) -> None:
    result = Read(write_jsonl(tmp_path / "a.jsonl", at(1, START, START + 1)))
    assert result.ids == ["e0", "e1", "e2"]
    assert result.letters == []


def test_old_events_do_not_hide_a_broken_clock(tmp_path: Path) -> None:
    result = Read(write_jsonl(tmp_path / "a.jsonl", at(1, START, START + 1, START + 2, START + 50 * YEAR)))
    assert result.ids == ["e0", "e1", "e2", "e3"]
    assert result.reasons == [(5, "too_far_ahead")]


def test_the_broken_clock_is_dead_whatever_until_is(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", at(START, START + 1, START + 2, START + 50 * YEAR))
    result = Read(path, until=START + 1)
    assert result.ids == ["e0", "e1"]
    assert (result.history.after_until, result.reasons) == (1, [(4, "too_far_ahead")])


def test_dead_letters_name_their_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{\n")
    (tmp_path / "b.csv").write_bytes(b"type,event_id,user_id,ts\nclick\n")
    result = Read(tmp_path / "a.jsonl", tmp_path / "b.csv")
    assert [(letter.topic, letter.offset) for letter in result.letters] == [("a.jsonl", 1), ("b.csv", 2)]


def test_files_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [click()])
    with pytest.raises(HistoryError, match="no such file"):
        History([path, tmp_path / "gone.jsonl"], dead_letters=print)
    with pytest.raises(HistoryError, match="its name must end in"):
        History([path, write_jsonl(tmp_path / "a.txt", [])], dead_letters=print)


def test_a_file_broken_at_its_end_gives_no_event_at_all(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"type":"tick","ts":%d}\n' % number for number in range(1, 10_000)))
    (tmp_path / "a.jsonl.gz").write_bytes(whole[:-20])
    events = iter(History([tmp_path / "a.jsonl.gz"], dead_letters=print))
    with pytest.raises(HistoryError, match="cut short"):
        next(events)


def test_a_history_can_be_read_again(tmp_path: Path) -> None:
    letters: list[DeadLetter] = []
    path = write_jsonl(tmp_path / "a.jsonl", [click(1), {}])
    history = History([path], dead_letters=letters.append)
    assert [len(list(history)), history.records, history.dead] == [1, 2, 1]
    assert [len(list(history)), history.records, history.dead] == [1, 2, 1]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_progress_never_goes_back_and_ends_at_the_total(tmp_path: Path, name: str) -> None:
    path = write_jsonl(tmp_path / name, [click(number) for number in range(10_000)])
    told: list[tuple[Phase, int, int]] = []
    history = History(
        [path],
        dead_letters=print,
        progress=lambda phase, done, total: told.append((phase, done, total)),
    )
    assert len(list(history)) == 10_000
    size = path.stat().st_size
    reading = [(done, total) for phase, done, total in told if phase == "reading"]
    applying = [(done, total) for phase, done, total in told if phase == "applying"]
    assert told == [("reading", *each) for each in reading] + [("applying", *each) for each in applying]
    assert reading == sorted(reading)
    assert (reading[0], reading[-1]) == ((0, size), (size, size))
    assert applying == [(0, 10_000), (4096, 10_000), (8192, 10_000), (10_000, 10_000)]
