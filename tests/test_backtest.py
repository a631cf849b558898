"""A backtest: history files in; changes, dead letters and a report out, and nothing of the machine in them.

In the timelines `x` is activity that is no order, `o` an order, `E` an erasure, `U` the end (`--until`).
"""

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from agents.limits import DEFAULT_LIMITS, Limits, Span
from app.backtest import Backtest
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.report import Report
from schemas.changes import TagChange
from schemas.dead_letter import DeadLetter
from schemas.times import DAY_MS, Millis
from tests.history.files import write_csv, write_jsonl, write_parquet
from tests.oracle import ANY_ACTIVITY, PURCHASES, Wire, effective

DAY_0: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
FILES: Final = (
    "dead-letters.jsonl",
    "recall-decisions.jsonl",
    "recall-triggers.jsonl",
    "report.html",
    "report.json",
    "tag-changes.jsonl",
)


def day(number: int, ms: int = 0) -> Millis:
    return DAY_0 + number * DAY_MS + ms


def event(kind: str, user: str, at: Millis | str, event_id: str, /, **fields: Any) -> Wire:
    subject = {"click": {"item_id": "i"}, "order": {"order_id": event_id}, "message": {"trigger_id": "t"}}.get(kind, {})
    return {"type": kind, "event_id": event_id, "user_id": user, "ts": at, **subject, **fields}


def click(user: str, at: Millis | str, event_id: str, **fields: Any) -> Wire:
    return event("click", user, at, event_id, **fields)


# day        0    10   20   30   40   50   60   70   80   90
# anna       x         o                                  x     purchase: unactivated, active 20, silent 50, lost 80
# ben        o                                            U     silent 30, lost 60
# carl       x    E                                             forgotten long ago
# dora                           x    x (and a copy)            silent 80
PEOPLE: Final = [
    click("anna", day(0), "a1", price=2.5),
    event("order", "anna", day(20), "a2", total=25.9, items=[{"item_id": "i", "price": 25.9}]),
    click("anna", day(90), "a3"),
    event("order", "ben", "2024-01-01T01:00:00+01:00", "b1", status="placed", total=5),
    event("message", "ben", day(50), "b2", kind="sent"),
    click("carl", day(0), "c1"),
    event("profile", "carl", day(10), "c2", kind="erased"),
    event("cart", "dora", day(40), "d1", item_id="i"),
    event("tag", "dora", day(45), "d2", tag="vip", value="gold", ttl_ms=10 * DAY_MS),
    click("dora", day(50), "d3"),
    click("dora", day(50), "d3"),
]
UNTIL: Final = day(90)


class Run:
    """A backtest that has run, and what it wrote."""

    def __init__(
        self,
        folder: Path,
        *paths: Path,
        until: Millis | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.folder = folder
        self.steps: list[tuple[str, int, int]] = []
        self.found: Report = Backtest(limits, folder).run(
            paths, FileFormat.WIRE, until, lambda phase, done, total: self.steps.append((phase, done, total))
        )

    def text(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    @property
    def changes(self) -> list[Wire]:
        return [json.loads(line) for line in self.text("tag-changes.jsonl").splitlines()]

    @property
    def letters(self) -> list[Wire]:
        return [json.loads(line) for line in self.text("dead-letters.jsonl").splitlines()]

    def moves(self, user: str, tag: str) -> list[tuple[int, Any, Any]]:
        return [(c["at"], c["from"], c["to"]) for c in self.changes if (c["user_id"], c["tag"]) == (user, tag)]


def backtest(tmp_path: Path, records: list[Wire], name: str = "history.jsonl", **how: Any) -> Run:
    return Run(tmp_path / "out", write_jsonl(tmp_path / name, records), **how)


def test_the_moves_of_everybody_are_said(tmp_path: Path) -> None:
    run = backtest(tmp_path, PEOPLE, until=UNTIL)
    assert run.moves("anna", ANY_ACTIVITY) == [
        (day(0), None, "active"),
        (day(50), "active", "silent"),
        (day(80), "silent", "lost"),
        (day(90), "lost", "active"),
    ]
    assert run.moves("anna", PURCHASES) == [
        (day(0), None, "unactivated"),
        (day(20), "unactivated", "active"),
        (day(50), "active", "silent"),
        (day(80), "silent", "lost"),
    ]
    assert run.moves("ben", ANY_ACTIVITY) == run.moves("ben", PURCHASES)
    assert run.moves("ben", ANY_ACTIVITY) == [
        (day(0), None, "active"),
        (day(30), "active", "silent"),
        (day(60), "silent", "lost"),
    ]
    assert run.moves("carl", ANY_ACTIVITY) == [(day(0), None, "active"), (day(10), "active", None)]
    assert run.moves("dora", "vip") == [(day(45), None, "gold"), (day(55), "gold", None)]
    assert effective(run.changes)["dora"][ANY_ACTIVITY] == [(day(40), None, "active"), (day(80), "active", "silent")]


def test_a_change_tells_what_caused_it_and_withdraws_nothing(tmp_path: Path) -> None:
    run = backtest(tmp_path, PEOPLE, until=UNTIL)
    assert run.changes[0] == {
        "id": f"anna/lifecycle/{day(0)}/1",
        "user_id": "anna",
        "tag": "lifecycle",
        "from": None,
        "to": "active",
        "at": day(0),
        "cause": "click:a1",
        "rule_version": 1,
    }
    assert {c["cause"] for c in run.changes if c["to"] in ("silent", "lost")} == {"timer"}
    assert not [c for c in run.changes if "corrects" in c]


def test_every_line_is_of_the_form_of_its_contract(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"{\n" + b" " * 300_000 + b"x\n" + b'{"x":"' + b"y" * 300_000 + b'"}\n')
    run = Run(tmp_path / "out", write_jsonl(tmp_path / "a.jsonl", PEOPLE), path, until=UNTIL)
    assert len(run.text("tag-changes.jsonl").splitlines()) > 10
    for line in run.text("tag-changes.jsonl").splitlines():
        assert msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(line, type=TagChange))) == json.loads(line)
    letters = [msgspec.json.decode(line, type=DeadLetter) for line in run.text("dead-letters.jsonl").splitlines()]
    assert [(letter.topic, letter.partition, letter.offset, letter.reason) for letter in letters] == [
        ("bad.jsonl", 0, 1, "invalid_json"),
        ("bad.jsonl", 0, 2, "invalid_json"),
        ("bad.jsonl", 0, 3, "too_large"),
    ]
    assert len(letters[2].payload) == 64 * 1024
    assert letters[2].size == 300_008


def test_the_report_has_the_numbers(tmp_path: Path) -> None:
    records = [*PEOPLE, {"type": "tick", "ts": day(0)}, click("late", day(90, 1), "l1"), {"type": "click"}]
    report = json.loads(backtest(tmp_path, records, until=UNTIL).text("report.json"))
    assert report["history"] == {
        "files": ["history.jsonl"],
        "format": "wire",
        "records": 14,
        "events": {"click": 5, "order": 2, "message": 1, "profile": 1, "cart": 1, "tag": 1},
        "ticks": 1,
        "skipped": {},
        "after_until": 1,
        "first_ts": day(0),
        "last_ts": day(90),
        "until": day(90),
    }
    assert report["counts"] == {"applied": 10, "duplicates": 1, "late": 0, "too_late": 0, "erased": 0}
    assert report["dead_letters"] == {"invalid_value": 1}
    assert report["users"] == 3
    assert report["lifecycles"]["lifecycle"]["states"] == {"unactivated": 0, "active": 1, "silent": 1, "lost": 1}
    assert report["lifecycles"]["lifecycle.purchase"]["states"] == {
        "unactivated": 1,
        "active": 0,
        "silent": 0,
        "lost": 2,
    }
    assert {(f["from"], f["to"]): f["count"] for f in report["lifecycles"]["lifecycle"]["flows"]} == {
        (None, "active"): 4,
        ("active", "silent"): 3,
        ("active", None): 1,
        ("silent", "lost"): 2,
        ("lost", "active"): 1,
    }
    assert [report["lifecycles"][tag]["withdrawn"] for tag in (ANY_ACTIVITY, PURCHASES)] == [0, 0]
    by_day = report["lifecycles"]["lifecycle"]["by_day"]
    assert (by_day["days"][0], by_day["days"][-1], len(by_day["days"])) == ("2024-01-01", "2024-03-31", 91)
    assert [by_day["active"][n] for n in (0, 10, 30, 40, 50, 80, 90)] == [3, 2, 1, 2, 1, 0, 1]
    assert report["limits"] == {
        "lifecycles": {tag: {"silent": "30d", "lost": "60d"} for tag in (ANY_ACTIVITY, PURCHASES)},
        "allowed_lateness": "7d",
        "max_ahead": "1095d",
    }


def test_the_report_that_comes_back_is_the_one_that_was_written(tmp_path: Path) -> None:
    run = backtest(tmp_path, PEOPLE, until=UNTIL)
    assert msgspec.json.decode(run.text("report.json"), type=Report) == run.found


def test_there_are_six_files_in_a_folder_that_is_made_if_need_be(tmp_path: Path) -> None:
    run = Run(tmp_path / "deep" / "er", write_jsonl(tmp_path / "a.jsonl", PEOPLE))
    assert sorted(path.name for path in run.folder.iterdir()) == sorted(FILES)


def test_what_else_is_in_the_folder_stays_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert backtest(tmp_path, PEOPLE).text("mine.txt") == b"mine"


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [*PEOPLE, {}])
    one, other = Run(tmp_path / "one", path), Run(tmp_path / "other" / "place", path)
    assert [one.text(name) for name in FILES] == [other.text(name) for name in FILES]


def test_an_old_result_is_replaced(tmp_path: Path) -> None:
    backtest(tmp_path, [*PEOPLE, {}], until=UNTIL)
    again = backtest(tmp_path, PEOPLE[:1])
    assert again.letters == []
    assert len(again.changes) == 2
    assert again.found.users == 1


def test_a_run_that_fails_leaves_no_report(tmp_path: Path) -> None:
    backtest(tmp_path, PEOPLE)
    broken = write_jsonl(tmp_path / "b.jsonl.gz", PEOPLE)
    broken.write_bytes(broken.read_bytes()[:-9])
    with pytest.raises(HistoryError, match="broken or cut short"):
        Run(tmp_path / "out", broken)
    assert not (tmp_path / "out" / "report.json").exists()
    assert not (tmp_path / "out" / "report.html").exists()


def test_the_order_of_lines_and_files_makes_no_difference(tmp_path: Path) -> None:
    whole = backtest(tmp_path, PEOPLE, until=UNTIL)
    halves = [write_jsonl(tmp_path / f"{n}.jsonl", PEOPLE[::-1][n::2]) for n in (0, 1)]
    for paths in (halves, halves[::-1]):
        assert Run(tmp_path / "again", *paths, until=UNTIL).text("tag-changes.jsonl") == whole.text("tag-changes.jsonl")


def test_every_format_says_the_same(tmp_path: Path) -> None:
    written = backtest(tmp_path, PEOPLE, until=UNTIL).text("tag-changes.jsonl")
    names = dict.fromkeys(name for record in PEOPLE for name in record)
    columns = {name: [record.get(name) for record in PEOPLE] for name in names}
    columns["ts"] = [each if isinstance(each, int) else DAY_0 for each in columns["ts"]]
    for path in (
        write_jsonl(tmp_path / "a.jsonl.gz", PEOPLE),
        write_csv(tmp_path / "a.csv", PEOPLE),
        write_parquet(tmp_path / "a.parquet", columns),
    ):
        run = Run(tmp_path / "again", path, until=UNTIL)
        assert (run.text("tag-changes.jsonl"), run.letters) == (written, []), path.name


# day        0                            30
# activity   x----------------------------|          U a millisecond before, at, and after the due time
@pytest.mark.parametrize(("until", "is_said"), [(day(30, -1), False), (day(30), True), (day(30, 1), True)])
def test_what_is_due_by_until_is_said(tmp_path: Path, until: Millis, is_said: bool) -> None:
    run = backtest(tmp_path, [click("u", day(0), "a")], until=until)
    silent = [(day(30), "active", "silent")] if is_said else []
    assert run.moves("u", ANY_ACTIVITY) == [(day(0), None, "active"), *silent]
    assert (run.found.history.until, run.found.history.last_ts) == (until, day(0))


# day        0                            30
# activity   x----------------------------x          U a millisecond before, at, and after the second click
@pytest.mark.parametrize(("until", "taken"), [(day(30, -1), 1), (day(30), 2), (day(30, 1), 2)])
def test_an_event_at_until_is_taken_and_a_later_one_left_out(tmp_path: Path, until: Millis, taken: int) -> None:
    run = backtest(tmp_path, [click("u", day(0), "a"), click("u", day(30), "b")], until=until)
    assert run.moves("u", ANY_ACTIVITY) == [(day(0), None, "active")]
    assert run.found.history.events == {"click": taken}
    assert run.found.history.after_until == 2 - taken


def test_a_tag_that_ends_at_until_is_ended(tmp_path: Path) -> None:
    tag = event("tag", "u", day(0), "t", tag="vip", value=1, ttl_ms=DAY_MS)
    assert len(backtest(tmp_path, [tag], until=day(1, -1)).changes) == 1
    assert backtest(tmp_path, [tag], until=day(1)).moves("u", "vip")[-1] == (day(1), 1, None)


def test_without_until_the_last_event_is_the_end(tmp_path: Path) -> None:
    run = backtest(tmp_path, [click("u", day(0), "a"), click("v", day(30), "b")])
    assert run.moves("u", ANY_ACTIVITY) == [(day(0), None, "active"), (day(30), "active", "silent")]
    assert run.found.history.until == day(30)


def test_until_before_everything_leaves_everything_out(tmp_path: Path) -> None:
    run = backtest(tmp_path, PEOPLE, until=day(-1))
    assert (run.changes, run.found.users, run.found.history.after_until) == ([], 0, len(PEOPLE))
    assert run.found.history.first_ts is None


@pytest.mark.parametrize("until", [None, UNTIL])
def test_a_history_of_nothing_is_a_report_of_nothing(tmp_path: Path, until: Millis | None) -> None:
    run = backtest(tmp_path, [], until=until)
    assert (run.changes, run.letters, run.found.users) == ([], [], 0)
    assert run.found.history.until == until


def test_limits_decide_when(tmp_path: Path) -> None:
    own = Limits(lifecycle=Span(10 * DAY_MS, 15 * DAY_MS), purchase=Span(20 * DAY_MS, 25 * DAY_MS))
    run = backtest(tmp_path, [event("order", "u", day(0), "a")], until=day(100), limits=own)
    assert [at for at, *_ in run.moves("u", ANY_ACTIVITY)] == [day(0), day(10), day(15)]
    assert [at for at, *_ in run.moves("u", PURCHASES)] == [day(0), day(20), day(25)]
    assert run.found.limits.lifecycles[PURCHASES].silent == "20d"


def test_many_epochs_say_the_same_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = backtest(tmp_path, PEOPLE, until=UNTIL)
    told = effective(one.changes)
    monkeypatch.setattr("app.fold.EPOCH_EVENTS", 2)
    monkeypatch.setattr("app.fold.MAX_HOT_ROWS", 0)
    many = backtest(tmp_path, PEOPLE, until=UNTIL)
    assert effective(many.changes) == told
    assert many.found == one.found


def test_progress_is_told_for_both_phases(tmp_path: Path) -> None:
    run = backtest(tmp_path, PEOPLE)
    assert {phase for phase, *_ in run.steps} == {"reading", "applying"}
    assert run.steps[-1] == ("applying", len(PEOPLE), len(PEOPLE))


def bad(kind: str = "click", /, **fields: Any) -> Wire:
    """An event of anna that would keep her active and count, were it not for the fields; `...` leaves one out."""
    record = event(kind, "anna", day(45), "bad", **fields)
    return {name: value for name, value in record.items() if value is not ...}


BAD_RECORDS: Final[dict[str, tuple[Wire | bytes, str]]] = {
    "no JSON": (b"what is this?", "invalid_json"),
    "JSON cut short": (b'{"type": "click", "event_id": "bad", "user_id": "an', "invalid_json"),
    "no UTF-8": (b'{"type":"click","event_id":"bad","user_id":"\xff","ts":1,"item_id":"i"}', "invalid_json"),
    "half a character": (b'{"type":"click","event_id":"bad","user_id":"\\ud800","ts":1,"item_id":"i"}', "invalid_json"),
    "an empty object": (b"{}", "unknown_type"),
    "an array": (b"[]", "invalid_value"),
    "null": (b"null", "invalid_value"),
    "a number": (b"5", "invalid_value"),
    "a text": (b'"click"', "invalid_value"),
    "no type": (bad(type=...), "unknown_type"),
    "unknown type": (bad(type="view"), "unknown_type"),
    "type in capitals": (bad(type="Click"), "unknown_type"),
    "type null": (bad(type=None), "unknown_type"),
    "type a number": (bad(type=1), "unknown_type"),
    "no user": (bad(user_id=...), "invalid_value"),
    "user null": (bad(user_id=None), "invalid_value"),
    "user empty": (bad(user_id=""), "invalid_value"),
    "user a number": (bad(user_id=7), "invalid_value"),
    "user too long": (bad(user_id="x" * 129), "invalid_value"),
    "no event_id": (bad(event_id=...), "invalid_value"),
    "event_id too long": (bad(event_id="x" * 129), "invalid_value"),
    "no ts": (bad(ts=...), "invalid_value"),
    "ts null": (bad(ts=None), "invalid_value"),
    "ts true": (bad(ts=True), "invalid_value"),
    "ts with a fraction": (bad(ts=day(45) + 0.5), "invalid_value"),
    "ts zero": (bad(ts=0), "invalid_value"),
    "ts negative": (bad(ts=-day(45)), "invalid_value"),
    "ts in microseconds": (bad(ts=day(45) * 1000), "invalid_value"),
    "ts of 2200": (bad(ts=7_258_118_400_000), "invalid_value"),
    "ts of 2200 as text": (bad(ts="2200-01-01T00:00:00Z"), "invalid_value"),
    "ts of 1969 as text": (bad(ts="1969-12-31T23:59:59Z"), "invalid_value"),
    "ts without an offset": (bad(ts="2024-02-15T00:00:00"), "invalid_value"),
    "ts a date": (bad(ts="2024-02-15"), "invalid_value"),
    "ts digits as text": (bad(ts=str(day(45))), "invalid_value"),
    "ts of a broken clock": (bad(ts="2099-12-31T00:00:00Z"), "too_far_ahead"),
    "price NaN": (bad(price=float("nan")), "invalid_json"),
    "price infinite": (bad(price=float("inf")), "invalid_json"),
    "price beyond all numbers": (
        b'{"type":"click","event_id":"b","user_id":"anna","ts":5,"item_id":"i","price":1e999}',
        "invalid_value",
    ),
    "price negative": (bad(price=-0.01), "invalid_value"),
    "price a text": (bad(price="5"), "invalid_value"),
    "price too great": (bad(price=1e11), "invalid_value"),
    "action unknown": (bad(action="stare"), "invalid_value"),
    "no item_id": (bad(item_id=...), "invalid_value"),
    "cart action of a click": (bad("cart", item_id="i", action="view"), "invalid_value"),
    "quantity zero": (bad("cart", item_id="i", quantity=0), "invalid_value"),
    "quantity of a half": (bad("cart", item_id="i", quantity=1.5), "invalid_value"),
    "quantity a text": (bad("cart", item_id="i", quantity="2"), "invalid_value"),
    "no order_id": (bad("order", order_id=...), "invalid_value"),
    "status unknown": (bad("order", status="shipped"), "invalid_value"),
    "total negative": (bad("order", total=-1), "invalid_value"),
    "discount negative": (bad("order", discount=-1), "invalid_value"),
    "item without an id": (bad("order", items=[{"price": 1}]), "invalid_value"),
    "item of a negative price": (bad("order", items=[{"item_id": "i", "price": -1}]), "invalid_value"),
    "items in an object": (bad("order", items={}), "invalid_value"),
    "items of too great a sum": (bad("order", items=[{"item_id": "i", "price": 1e10, "quantity": 2}]), "invalid_value"),
    "profile kind unknown": (bad("profile", kind="deleted"), "invalid_value"),
    "consent to no channel": (bad("profile", consent={"fax": True}), "invalid_value"),
    "consent of a text": (bad("profile", consent={"sms": "yes"}), "invalid_value"),
    "reachable nowhere": (bad("profile", reachable=["fax"]), "invalid_value"),
    "attribute of an object": (bad("profile", attributes={"a": {}}), "invalid_value"),
    "attributes too many": (bad("profile", attributes={f"a{n}": n for n in range(33)}), "invalid_value"),
    "message kind unknown": (bad("message", kind="bounced"), "invalid_value"),
    "message of no trigger": (bad("message", kind="sent", trigger_id=...), "invalid_value"),
    "tag of a lifecycle": (bad("tag", tag="lifecycle", value="active"), "invalid_value"),
    "tag of the other lifecycle": (bad("tag", tag="lifecycle.purchase", value=None), "invalid_value"),
    "tag with a space": (bad("tag", tag="a b", value=1), "invalid_value"),
    "tag with a slash": (bad("tag", tag="a/b", value=1), "invalid_value"),
    "tag for no time": (bad("tag", tag="vip", value=1, ttl_ms=0), "invalid_value"),
    "tag of a list": (bad("tag", tag="vip", value=[1]), "invalid_value"),
    "tick of no time": ({"type": "tick"}, "invalid_value"),
    "a megabyte": (bad(query="x" * 2**20), "too_large"),
    "nested deeply": (b'{"x":' * 30_000 + b"1" + b"}" * 30_000, "invalid_json"),
    "nested deeply in a field that nobody knows": (
        b'{"type":"click","event_id":"bad","user_id":"anna","ts":1,"item_id":"i","x":'
        + b"[" * 50_000
        + b"]" * 50_000
        + b"}",
        "invalid_json",
    ),
}


def as_line(record: Wire | bytes) -> bytes:
    return record if isinstance(record, bytes) else json.dumps(record).encode()


def test_bad_records_are_dead_letters_and_nobody_elses_history_changes(tmp_path: Path) -> None:
    clean = Run(tmp_path / "clean", write_jsonl(tmp_path / "clean.jsonl", PEOPLE))
    lines: list[bytes] = []
    expected: list[tuple[int, str]] = []
    for number, (record, reason) in enumerate(BAD_RECORDS.values()):
        if number < len(PEOPLE):
            lines.append(as_line(PEOPLE[number]))
        lines.append(as_line(record))
        expected.append((len(lines), reason))
    (tmp_path / "bad.jsonl").write_bytes(b"\n".join(lines))
    run = Run(tmp_path / "out", tmp_path / "bad.jsonl")
    assert sorted((letter["offset"], letter["reason"]) for letter in run.letters) == expected
    assert {(letter["topic"], letter["partition"]) for letter in run.letters} == {("bad.jsonl", 0)}
    for letter in run.letters:
        line, payload = lines[letter["offset"] - 1], base64.b64decode(letter["payload"])
        assert payload == (line if letter["reason"] != "too_large" else line[: 64 * 1024])
        assert letter["detail"]
    assert run.found.dead_letters == Counter(reason for _, reason in expected)
    assert run.text("tag-changes.jsonl") == clean.text("tag-changes.jsonl")
    assert run.found.lifecycles == clean.found.lifecycles
    assert (run.found.users, run.found.counts) == (clean.found.users, clean.found.counts)


def test_bad_cells_of_a_table_are_dead_letters_and_nobody_elses_history_changes(tmp_path: Path) -> None:
    rows = [{"type": "click", "event_id": f"{n}", "user_id": "u", "ts": day(n), "item_id": "i"} for n in range(3)]
    clean = Run(tmp_path / "clean", write_jsonl(tmp_path / "clean.jsonl", rows))
    wrong: list[Wire] = [
        {"user_id": ""},
        {"ts": "2024-02-01T00:00:00"},
        {"ts": 7_258_118_400_000},
        {"ts": "soon"},
        {"type": "view"},
        {"price": "NaN"},
        {"price": -1},
        {"price": "cheap"},
        {"action": "stare"},
        {"item_id": ""},
    ]
    path = write_csv(
        tmp_path / "bad.csv", [rows[0], *[{**rows[1], "event_id": "bad", **cell} for cell in wrong], *rows[1:]]
    )
    run = Run(tmp_path / "out", path)
    assert sorted(letter["offset"] for letter in run.letters) == list(range(3, 3 + len(wrong)))
    assert {letter["reason"] for letter in run.letters} == {"invalid_value", "unknown_type"}
    assert run.text("tag-changes.jsonl") == clean.text("tag-changes.jsonl")


def test_bad_cells_of_a_parquet_file_are_dead_letters_too(tmp_path: Path) -> None:
    clean = Run(
        tmp_path / "clean", write_jsonl(tmp_path / "clean.jsonl", [click("u", day(n), f"{n}") for n in range(2)])
    )
    path = write_parquet(
        tmp_path / "bad.parquet",
        {
            "type": ["click", "click", "click", "view", None, "click", "click"],
            "event_id": ["0", "bad", "bad", "bad", "bad", "bad", "1"],
            "user_id": ["u", "u", "u", "u", "u", None, "u"],
            "ts": [day(0), day(1), 7_258_118_400_000, day(1), day(1), day(1), day(1)],
            "item_id": ["i"] * 7,
            "price": [1.0, float("nan"), 1.0, 1.0, 1.0, 1.0, None],
        },
    )
    run = Run(tmp_path / "out", path)
    assert sorted((letter["offset"], letter["reason"]) for letter in run.letters) == [
        (2, "invalid_value"),
        (3, "invalid_value"),
        (4, "unknown_type"),
        (5, "unknown_type"),
        (6, "invalid_value"),
    ]
    assert run.text("tag-changes.jsonl") == clean.text("tag-changes.jsonl")
