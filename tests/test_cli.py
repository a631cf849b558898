"""The command line: files in, files out; a user's mistake is exit code 2 and a line that says what to do."""

import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.demo.embedded import free_port
from app.population import LIFECYCLES
from schemas.times import DAY_MS
from tests.history.files import write_csv, write_jsonl, write_parquet

REPOSITORY: Final = Path(__file__).parents[1]
FILES: Final = (
    "dead-letters.jsonl",
    "recall-decisions.jsonl",
    "recall-triggers.jsonl",
    "report.html",
    "report.json",
    "tag-changes.jsonl",
)
DAY_0: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
CLICK: Final = {"type": "click", "event_id": "c", "user_id": "u", "ts": DAY_0, "item_id": "i"}
ORDER: Final = {"type": "order", "event_id": "o", "user_id": "v", "ts": DAY_0 + DAY_MS, "order_id": "o", "total": 5}
HISTORY: Final = [CLICK, ORDER]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder without settings, and an environment without any."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("REKINDLE_")]:
        monkeypatch.delenv(name)
    yield tmp_path
    gc.enable()  # a backtest, which lives alone elsewhere, turns the collector off
    gc.unfreeze()


@pytest.fixture
def history(folder: Path) -> Path:
    return write_jsonl(folder / "history.jsonl", HISTORY)


def rekindle(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def changes(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "tag-changes.jsonl").read_bytes().splitlines()]


def lifecycles(out: Path) -> list[dict[str, Any]]:
    """The changes of the lifecycles, without those of the tags that rules give."""
    return [change for change in changes(out) if change["tag"] in LIFECYCLES]


def dues(out: Path) -> list[int]:
    """How many days after the user's last activity each silence and loss of the user `u` was said."""
    return [(c["at"] - DAY_0) // DAY_MS for c in lifecycles(out) if c["user_id"] == "u" and c["cause"] == "timer"]


def complaint(*arguments: str | Path) -> str:
    """What a mistake is answered with: exit code 2, and one line."""
    result = rekindle(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("rekindle: ")
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith("\n")
    assert "Traceback" not in result.stderr
    return result.stderr.removeprefix("rekindle: ").rstrip("\n")


def usage_complaint(*arguments: str | Path) -> str:
    """What a mistake in the arguments themselves is answered with, without the frame that the terminal draws."""
    result = rekindle(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return re.sub(r"[\s│╭╮╰╯─]+", " ", result.stderr)


def test_a_backtest_writes_six_files_and_says_where(history: Path, folder: Path) -> None:
    result = rekindle("backtest", history, "--out", folder / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(FILES)
    assert "2 events of 2 users, 2024-01-01 to 2024-01-02" in result.stdout
    assert str(folder / "out" / "report.html") in result.stdout
    assert [(c["user_id"], c["tag"], c["to"]) for c in lifecycles(folder / "out")] == [
        ("u", "lifecycle", "active"),
        ("u", "lifecycle.purchase", "unactivated"),
        ("v", "lifecycle", "active"),
        ("v", "lifecycle.purchase", "active"),
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.ndjson", "a.csv", "a.parquet", "A.JSONL"])
def test_every_format_is_known_by_its_name(name: str, history: Path, folder: Path) -> None:
    assert rekindle("backtest", history, "--out", "expected").exit_code == 0
    path = folder / name
    if name.endswith(".csv"):
        write_csv(path, HISTORY)
    elif name.endswith(".parquet"):
        write_parquet(path, {key: [record.get(key) for record in HISTORY] for key in {**CLICK, **ORDER}})
    else:
        write_jsonl(path, HISTORY)
    assert rekindle("backtest", path, "--out", "out").exit_code == 0
    assert Path("out/tag-changes.jsonl").read_bytes() == Path("expected/tag-changes.jsonl").read_bytes()


def test_several_files_are_one_history(folder: Path) -> None:
    paths = [write_jsonl(folder / "a.jsonl", [ORDER]), write_csv(folder / "b.csv", [CLICK])]
    assert rekindle("backtest", *paths, "--out", "out").exit_code == 0
    assert [change["user_id"] for change in lifecycles(Path("out"))] == ["u", "u", "v", "v"]
    assert json.loads(Path("out/report.json").read_bytes())["history"]["files"] == ["a.jsonl", "b.csv"]


def test_json_prints_the_report_and_nothing_else(history: Path) -> None:
    result = rekindle("backtest", history, "--out", "out", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == Path("out/report.json").read_bytes()
    assert json.loads(result.stdout)["users"] == 2


# day        0    1                       30          u clicked on day 0: silent on day 30
@pytest.mark.parametrize(
    ("until", "silent"),
    [
        ("2024-01-31T00:00:00Z", [30]),
        ("2024-01-30T23:59:59.999Z", []),
        ("2024-01-31T08:00:00+08:00", [30]),
        (f"{DAY_0 + 30 * DAY_MS}", [30]),
        (f"{DAY_0 + 30 * DAY_MS - 1}", []),
    ],
)
def test_until_is_taken_in_both_forms_and_is_inclusive(history: Path, until: str, silent: list[int]) -> None:
    assert rekindle("backtest", history, "--out", "out", "--until", until).exit_code == 0
    assert dues(Path("out")) == silent


def test_events_after_until_are_left_out_and_counted(history: Path) -> None:
    result = rekindle("backtest", history, "--out", "out", "--until", f"{DAY_0 + DAY_MS - 1}")
    assert "events after --until, left out: 1" in result.stdout
    assert {change["user_id"] for change in changes(Path("out"))} == {"u"}


def test_bad_records_are_told_and_are_no_mistake_of_the_user(history: Path, folder: Path) -> None:
    bad = folder / "bad.jsonl"
    bad.write_bytes(b'{"type": "click"\n[]\n' + b'{"x":"' + b"y" * 2**20 + b'"}\n')
    result = rekindle("backtest", history, bad, "--out", "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "dead letters: 3 (invalid_json 1, invalid_value 1, too_large 1)" in result.stdout
    letters = [json.loads(line) for line in Path("out/dead-letters.jsonl").read_bytes().splitlines()]
    assert [(letter["topic"], letter["offset"]) for letter in letters] == [("bad.jsonl", n) for n in (1, 2, 3)]


def test_a_history_of_nothing_is_no_mistake(folder: Path) -> None:
    result = rekindle("backtest", write_jsonl(folder / "empty.jsonl", []), "--out", "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "0 events of 0 users" in result.stdout


def test_settings_of_the_environment_change_the_due_times(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_SILENT_AFTER", "10d")
    monkeypatch.setenv("REKINDLE_LOST_AFTER", "480h")
    assert rekindle("backtest", history, "--out", "out", "--until", "2024-12-31T00:00:00Z").exit_code == 0
    assert dues(Path("out")) == [10, 20]


def test_settings_of_the_file_change_the_due_times(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rekindle.toml").write_text('silent_after = "10d"\nlost_after = "20d"\n', encoding="utf-8")
    monkeypatch.setenv("REKINDLE_LOST_AFTER", "15d")
    assert rekindle("backtest", history, "--out", "out", "--until", "2024-12-31T00:00:00Z").exit_code == 0
    assert dues(Path("out")) == [10, 15]
    limits = json.loads(Path("out/report.json").read_bytes())["limits"]
    assert limits["lifecycles"]["lifecycle"] == {"silent": "10d", "lost": "15d"}


def test_orders_have_settings_of_their_own(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_PURCHASE_SILENT_AFTER", "8d")
    assert rekindle("backtest", history, "--out", "out", "--until", "2024-12-31T00:00:00Z").exit_code == 0
    silent = [(c["tag"], (c["at"] - DAY_0) // DAY_MS) for c in changes(Path("out")) if c["to"] == "silent"]
    assert sorted(silent) == [("lifecycle", 30), ("lifecycle", 31), ("lifecycle.purchase", 9)]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "SILENT_AFTER",
            "5x",
            "'5x' is not a length of time: write a whole number and a unit, such as 15d, 12h or 90m",
        ),
        ("SILENT_AFTER", "0d", "REKINDLE_SILENT_AFTER"),
        ("MAX_AHEAD", "", "REKINDLE_MAX_AHEAD"),
        ("SILENT_AFTER", "61d", "silent_after (61d) must be less than lost_after (60d)"),
        ("ALLOWED_LATENESS", "30d", "allowed_lateness (30d) must be less than silent_after (30d)"),
    ],
)
def test_a_wrong_setting_is_one_line(
    history: Path, name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"REKINDLE_{name}", value)
    assert said in complaint("backtest", history, "--out", "out")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('silent_aftre = "20d"', "silent_aftre in rekindle.toml is not a setting; did you mean silent_after?"),
        ("silent_after = ", "rekindle.toml is not valid TOML"),
        ('silent_after = "soon"', "'soon' is not a length of time"),
        ('lost_after = "1d"', "must be less than lost_after (1d)"),
    ],
)
def test_a_wrong_settings_file_is_one_line(history: Path, text: str, said: str) -> None:
    Path("rekindle.toml").write_text(text, encoding="utf-8")
    assert said in complaint("backtest", history, "--out", "out")


def test_a_missing_file_is_one_line(history: Path) -> None:
    assert complaint("backtest", "gone.jsonl", "--out", "out") == "gone.jsonl: there is no such file"
    assert complaint("backtest", history, "gone.jsonl", "--out", "out") == "gone.jsonl: there is no such file"


def test_a_directory_is_one_line(folder: Path) -> None:
    (folder / "data.jsonl").mkdir()
    said = "data.jsonl: is a directory; name the files in it, such as data.jsonl/*.jsonl"
    assert complaint("backtest", "data.jsonl", "--out", "out") == said


CSV_HEADER: Final = b"type,event_id,user_id,ts,item_id\n"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.txt", b"{}", ".jsonl, .jsonl.gz, "),
        ("a.csv", b"type,event_id,user,ts\n", "a.csv: has no column `user_id` (rename `user` to `user_id`?)"),
        ("a.csv", b"", "a.csv: is empty; it needs a header"),
        ("a.csv", CSV_HEADER + b'click,"open,u,1,i\n' * 3, "opens a quote"),
        ("a.csv", b"type;event_id;user_id;ts\n", "(put commas between the columns)"),
        ("a.parquet", b"", "a.parquet: cannot be read as parquet"),
        ("a.parquet", b"PAR1 but not really PAR1", "a.parquet: cannot be read as parquet"),
        ("a.jsonl.gz", b"", "a.jsonl.gz: is empty; get a whole copy"),
        ("a.jsonl.gz", b"{}", "a.jsonl.gz: is not packed by gzip; take .gz off its name"),
        ("a.jsonl", b"\x1f\x8b\x08", "a.jsonl: is packed by gzip; unpack it"),
        ("a.jsonl", b"\xff\xfe{\x00", "a.jsonl: is written in UTF-16; save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(folder: Path, name: str, body: bytes, said: str) -> None:
    (folder / name).write_bytes(body)
    assert said in complaint("backtest", name, "--out", "out")


@pytest.mark.parametrize("left", [10, -1, -10])
def test_a_truncated_gzip_file_is_one_line_and_no_report(folder: Path, left: int) -> None:
    path = write_jsonl(folder / "a.jsonl.gz", HISTORY * 100)
    path.write_bytes(path.read_bytes()[:left])
    assert "its gzip data is broken or cut short; get a whole copy" in complaint("backtest", path, "--out", "out")
    assert not Path("out/report.json").exists()


def test_a_parquet_file_with_a_column_missing_or_of_a_wrong_type_is_one_line(folder: Path) -> None:
    columns: dict[str, Any] = {"type": ["click"], "event_id": ["e"], "ts": [DAY_0], "item_id": ["i"]}
    path = write_parquet(folder / "a.parquet", columns)
    assert "has no column `user_id`" in complaint("backtest", path, "--out", "out")
    path = write_parquet(folder / "b.parquet", {**columns, "user_id": [1.5]})
    assert "column `user_id` holds Float64; make it text" in complaint("backtest", path, "--out", "out")


def test_a_truncated_parquet_file_is_one_line(folder: Path) -> None:
    path = write_parquet(folder / "a.parquet", {key: [value] for key, value in CLICK.items()})
    path.write_bytes(path.read_bytes()[:-20])
    assert "cannot be read as parquet; get a whole copy" in complaint("backtest", path, "--out", "out")


def test_an_out_folder_that_cannot_be_one_is_one_line(history: Path, folder: Path) -> None:
    (folder / "file").write_text("mine")
    assert (
        complaint("backtest", history, "--out", "file") == "file: File exists; --out takes a folder that can be written"
    )
    assert (
        complaint("backtest", history, "--out", "file/below")
        == "file/below: Not a directory; --out takes a folder that can be written"
    )
    assert (folder / "file").read_text() == "mine"


def test_an_output_that_cannot_be_written_is_one_line(history: Path, folder: Path) -> None:
    (folder / "out" / "report.json").mkdir(parents=True)
    assert complaint("backtest", history, "--out", "out").startswith("out/report.json: ")


def in_a_process(*arguments: str | Path, hash_seed: str = "random") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  our own


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which is always out of space")
def test_a_full_disk_is_one_line(history: Path, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "tag-changes.jsonl").symlink_to("/dev/full")
    done = in_a_process("backtest", history, "--out", "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rekindle: out: No space left on device; --out takes a folder that can be written\n"


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("yesterday", "'yesterday' is not a time: write it as 2026-01-31T12:00:00Z"),
        ("2024-01-01T00:00:00", "'2024-01-01T00:00:00' has no offset: write it as 2026-01-31T12:00:00Z"),
        ("0", "'0' lies outside 1970 to 2100"),
        ("2200-01-01T00:00:00Z", "lies outside 1970 to 2100"),
        (f"{DAY_0 * 1000}", "lies outside 1970 to 2100 (times are in milliseconds)"),
        ("9" * 5000, ""),
    ],
)
def test_a_wrong_until_is_refused_in_words(history: Path, until: str, said: str) -> None:
    text = usage_complaint("backtest", history, "--out", "out", "--until", until)
    assert said in text
    assert "--until" in text
    assert not Path("out").exists()


def test_what_is_missing_from_the_command_is_named(history: Path) -> None:
    assert "'--out'" in usage_complaint("backtest", history)
    assert "FILE" in usage_complaint("backtest", "--out", "out")
    assert "'online-retail'" in usage_complaint("backtest", history, "--out", "out", "--format", "excel")
    assert "bakctest" in usage_complaint("bakctest")


VIP: Final = """
[[tag]]
name = "vip"
when = "spend() > 1"
"""


def test_a_backtest_says_the_tags_of_the_built_in_rules_and_of_a_file(history: Path, folder: Path) -> None:
    assert rekindle("backtest", history, "--out", "built-in").exit_code == 0
    assert ("v", "rfm.segment") in {(c["user_id"], c["tag"]) for c in changes(Path("built-in"))}
    (folder / "rules.toml").write_text(VIP, encoding="utf-8")
    assert rekindle("backtest", history, "--rules", "rules.toml", "--out", "own").exit_code == 0
    added = [c for c in changes(Path("own")) if c not in changes(Path("built-in")) and c["tag"] == "vip"]
    assert [(c["user_id"], c["from"], c["to"], c["at"], c["cause"]) for c in added] == [
        ("v", None, True, DAY_0 + DAY_MS, "order:o")
    ]
    assert json.loads(Path("own/report.json").read_bytes())["tags"]["vip"]["users"] == 1


def test_rules_come_from_the_setting_unless_a_file_is_named(
    history: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("set", "named"):
        (folder / f"{name}.toml").write_text(VIP.replace("vip", name), encoding="utf-8")
    monkeypatch.setenv("REKINDLE_RULES", "set.toml")
    assert rekindle("backtest", history, "--out", "one").exit_code == 0
    assert rekindle("backtest", history, "--out", "other", "--rules", "named.toml").exit_code == 0
    tags = [{c["tag"] for c in changes(Path(out))} & {"set", "named"} for out in ("one", "other")]
    assert tags == [{"set"}, {"named"}]


@pytest.mark.parametrize(
    "command",
    [
        ("backtest", "h.jsonl", "--out", "out", "--rules", "bad.toml"),
        ("rules", "diff", "bad.toml", "bad.toml", "h.jsonl"),
    ],
)
def test_mistakes_in_rules_are_shown_as_the_check_does(command: tuple[str, ...], history: Path, folder: Path) -> None:
    history.rename(folder / "h.jsonl")
    (folder / "bad.toml").write_text(VIP.replace("spend()", "spent()"), encoding="utf-8")
    checked, result = rekindle("rules", "check", "bad.toml"), rekindle(*command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == checked.stdout
    assert "bad.toml:4:9: " in result.stderr
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "command", [("backtest", "h", "--out", "out", "--rules", "no"), ("rules", "diff", "no", "no", "h")]
)
def test_rules_that_are_not_there_are_one_line(command: tuple[str, ...]) -> None:
    assert complaint(*command) == "no: No such file or directory; name a file of rules that can be read"


def test_diff_shows_who_would_gain_or_lose_which_tag(history: Path, folder: Path) -> None:
    (folder / "old.toml").write_text("", encoding="utf-8")
    (folder / "new.toml").write_text(VIP, encoding="utf-8")
    result = rekindle("rules", "diff", "old.toml", "new.toml", history, "--out", "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"vip +1 +1 +2024-01-02", result.stdout)
    assert sorted(path.name for path in Path("out").iterdir()) == ["diff-users.csv", "diff.html", "diff.json"]
    printed = rekindle("rules", "diff", "old.toml", "new.toml", history, "--json")
    assert printed.stdout_bytes == Path("out/diff.json").read_bytes()
    assert json.loads(printed.stdout)["tags"]["vip"]["gained"] == 1
    before = rekindle("rules", "diff", "old.toml", "new.toml", history, "--until", f"{DAY_0}", "--json")
    assert json.loads(before.stdout)["tags"]["vip"]["gained"] == 0


def test_diff_of_a_file_with_itself_is_none(history: Path, folder: Path) -> None:
    (folder / "a.toml").write_text(VIP, encoding="utf-8")
    result = rekindle("rules", "diff", "a.toml", "a.toml", history)
    assert "nobody would gain or lose a tag" in result.stdout
    assert "users by tag" not in result.stdout


def test_what_is_suggested_passes_the_check(history: Path) -> None:
    printed = rekindle("rules", "suggest", history)
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert rekindle("rules", "suggest", history, "--out", "suggested.toml").stdout == "suggested.toml\n"
    assert Path("suggested.toml").read_bytes() == printed.stdout_bytes
    assert rekindle("rules", "check", "suggested.toml").exit_code == 0
    assert complaint("rules", "suggest", history, "--until", f"{DAY_0}").startswith("nobody ordered in this history")
    assert complaint("rules", "suggest", history, "--out", "no/where.toml").startswith("no/where.toml: No such file")


def test_help_names_the_command_and_its_options() -> None:
    assert "backtest" in rekindle("--help").stdout
    text = rekindle("backtest", "--help").stdout
    assert all(option in text for option in ("--out", "--until", "--format", "--json"))


@pytest.mark.parametrize("command", ["list", "redrive"])
def test_dead_letters_without_a_broker_are_one_line(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_KAFKA", f"127.0.0.1:{free_port()}")
    assert complaint("dlq", command).startswith("no Kafka broker answers at 127.0.0.1:")


def test_a_wrong_choice_of_dead_letters_is_refused_in_words() -> None:
    assert "'odd' is none of empty, too_large," in usage_complaint("dlq", "list", "--reason", "odd")
    assert "'odd' is none of events.click," in usage_complaint("dlq", "redrive", "--topic", "odd")
    assert "or how long ago: 2h" in usage_complaint("dlq", "list", "--since", "odd")
    assert "--limit" in usage_complaint("dlq", "list", "--limit", "0")


def test_the_version_is_told() -> None:
    result = rekindle("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"rekindle \d+\.\d+\.\d+\S*\n", result.stdout)


def test_processes_with_different_hash_seeds_write_the_same_bytes(folder: Path) -> None:
    records = [{**CLICK, "event_id": f"{n}", "user_id": f"u{n % 7}", "ts": DAY_0 + n % 90 * DAY_MS} for n in range(200)]
    path = write_jsonl(folder / "a.jsonl", [*records, {}, {"type": "view"}])
    for seed in ("1", "2"):
        done = in_a_process("backtest", path, "--out", seed, hash_seed=seed)
        assert (done.returncode, done.stderr) == (0, "")
    assert [(folder / "1" / name).read_bytes() for name in FILES] == [
        (folder / "2" / name).read_bytes() for name in FILES
    ]
