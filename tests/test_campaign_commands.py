"""`rekindle campaign`: what each command says and writes, and one line for every mistake."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.campaigns.control import Standing, standing
from app.campaigns.listed import ListedRun, listed
from app.campaigns.table import in_words
from app.cli import app
from app.demo.embedded import free_port
from app.live.status import RunStatus
from app.rules_file import load_rules
from app.settings import Settings, load
from app.topics import admin, all_names, partition_counts
from schemas.control import Pause, Resume, Run, control_record, read_control
from tests.servers import Given

TOO_FAST = b'{"type":"run","id":"r","campaign":"a","at":1,"pace":1e400}'
NO_REDIS = "Redis does not answer, so it is not known how far runs are; set REKINDLE_REDIS, or ask a worker"


def rekindle(*arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(app, ["campaign", *arguments], env={"COLUMNS": "220"}, input=said)


def refusal(*arguments: str, said: str | None = None) -> str:
    result = rekindle(*arguments, said=said)
    assert result.exit_code == 2, result.output
    assert not result.stdout.strip()  # a prompt leaves a blank there
    return result.stderr


def told(*arguments: str) -> Any:
    result = rekindle(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def settings(embedded_kafka: str, given: Given) -> Settings:
    dead = f"redis://127.0.0.1:{free_port()}"
    return given(kafka=embedded_kafka, app_id=f"c{free_port()}", delivery="at_least_once", redis=dead)


def test_a_campaign_is_paused_and_resumed_once(settings: Settings) -> None:
    assert rekindle("pause", "silent").stdout == "silent is paused\n"
    paused_at = standing(settings).paused["silent"]
    assert rekindle("pause", "silent").stdout == "silent is paused already: nothing was done\n"
    assert standing(settings).paused == {"silent": paused_at}
    assert told("pause", "lost") == {"campaign": "lost", "paused": True}
    assert told("pause", "lost") == {"campaign": "lost", "paused": False}
    by_name = {each["name"]: each for each in told("list")["campaigns"]}
    assert {name for name, each in by_name.items() if each["paused_at"]} == {"silent", "lost"}
    assert rekindle("resume", "silent").stdout == "silent is resumed\n"
    assert rekindle("resume", "silent").stdout == "silent is not paused by hand: nothing was done\n"
    assert standing(settings).paused.keys() == {"lost"}


def test_a_run_is_told_once_under_its_id(settings: Settings) -> None:
    first = told("run", "silent", "--id", "2026-11-23", "--pace", "2.5", "--yes")
    assert (first["begun"], first["run"]["id"], first["run"]["pace"]) == (True, "2026-11-23", 2.5)
    again = told("run", "silent", "--id", "2026-11-23", "--yes")
    assert again == {"run": first["run"], "begun": False}
    assert "run 2026-11-23 is one of silent; take another --id" in refusal("run", "lost", "--id", "2026-11-23", "--yes")
    result = rekindle("run", "silent", "--yes")
    other = result.stdout.split()[1]
    assert result.stdout == f"run {other} of silent has begun; `rekindle campaign list` tells how far it is\n"
    assert list(standing(settings).runs) == ["2026-11-23", other]


def test_a_run_is_not_told_unless_somebody_says_so(settings: Settings) -> None:
    assert "nothing was run, because nobody answered; --yes runs without being asked" in refusal("run", "silent")
    declined = rekindle("run", "silent", said="n\n")
    assert declined.exit_code == 0
    assert "nothing was run" in declined.stderr
    assert standing(settings).runs == {}
    assert rekindle("run", "silent", said="y\n").stdout.endswith("tells how far it is\n")
    assert len(standing(settings).runs) == 1


def test_who_is_paused_is_not_run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rekindle("pause", "silent")
    assert "silent is paused by hand; `rekindle campaign resume silent` first" in refusal("run", "silent", "--yes")
    rules = tmp_path / "rules.toml"
    rules.write_text('[[campaign]]\nname = "mine"\nmode = "paused"\nchannels = [{ channel = "push" }]\n')
    monkeypatch.setenv("REKINDLE_RULES", str(rules))
    assert "mine is paused in the file of rules" in refusal("run", "mine", "--yes")
    assert standing(settings).runs == {}


def test_who_has_left_the_file_is_listed_and_can_be_resumed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[campaign]]\nname = "mine"\nchannels = [{ channel = "push" }]\n')
    monkeypatch.setenv("REKINDLE_RULES", str(rules))
    rekindle("pause", "mine")
    monkeypatch.setenv("REKINDLE_RULES", "builtin")
    (mine,) = [each for each in told("list")["campaigns"] if each["name"] == "mine"]
    assert (mine["in_force"], mine["mode"], mine["paused_at"] is None) == (False, None, False)
    assert "(not in the file of rules)" in rekindle("list").stdout
    assert "there is no campaign 'mine'" in refusal("pause", "mine")
    assert rekindle("resume", "mine").stdout == "mine is resumed\n"
    assert standing(settings).paused == {}


def test_a_list_makes_no_topics_and_tells_what_starts_each(settings: Settings) -> None:
    shown = rekindle("list")
    assert shown.exit_code == 0
    assert shown.stderr == ""
    assert 'lifecycle to "lost", after 30d' in shown.stdout
    with admin(settings) as client:
        assert partition_counts(client, all_names(settings)) == {}


@pytest.mark.usefixtures("settings")
def test_runs_are_listed_without_redis_but_not_how_far_they_are() -> None:
    rekindle("run", "silent", "--id", "r1", "--yes")
    result = rekindle("list")
    assert NO_REDIS in result.stderr
    (line,) = [line for line in result.stdout.splitlines() if "silent" in line.split()[1:2]]
    assert "r1 of 20" in line


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("command", ["run", "pause", "resume"])
def test_a_name_that_is_wrong_is_told_with_the_nearest_right_one(command: str) -> None:
    assert refusal(command, "silnet") == (
        "rekindle: there is no campaign 'silnet' in the rules in force; did you mean silent?\n"
    )
    assert "`rekindle campaign list` shows those that there are" in refusal(command, "xyz")


@pytest.mark.parametrize("command", [["list"], ["run", "silent", "--yes"], ["pause", "silent"], ["resume", "silent"]])
def test_without_rules_or_a_broker_one_line_says_what_to_do(command: list[str], given: Given) -> None:
    server = f"127.0.0.1:{free_port()}"
    given(kafka=server)
    assert refusal(*command).startswith(f"rekindle: no Kafka broker answers at {server} (connection refused)")
    given(kafka=server, rules="none")
    assert refusal(*command).startswith("rekindle: REKINDLE_RULES is none, so there are no campaigns;")


@pytest.mark.parametrize("options", [["--pace", "0"], ["--pace", "-1"], ["--id", "a b"], ["--id", ""]])
def test_options_that_make_no_sense_are_refused(options: list[str], given: Given) -> None:
    given()
    assert rekindle("run", "silent", "--yes", *options).exit_code == 2
    assert load().app_id == "rekindle"


def test_how_far_a_run_is_comes_from_all_partitions() -> None:
    run, other = Run("r1", "silent", 5), Run("r2", "silent", 6, 2.0)
    status = RunStatus(id="r1", campaign="silent", at=5, users=7, left=0, partitions=3, over=3)
    found = listed(load_rules().campaigns.all, Standing({}, {"r1": run, "r2": other}), {"r1": status}, 3)
    (silent,) = [each for each in found if each.name == "silent"]
    assert silent.runs == [
        ListedRun(id="r1", at=5, pace=None, users=7, left=0, over=True),
        ListedRun(id="r2", at=6, pace=2.0),
    ]
    (again,) = [
        each for each in listed(load_rules().campaigns.all, Standing({}, {"r1": run}), {"r1": status}, 4) if each.runs
    ]
    assert again.runs[0].over is False, "a partition has not heard of it"


def test_a_run_in_words() -> None:
    run = ListedRun(id="r1", at=0, pace=None)
    assert in_words(run) == "r1 of 1970-01-01 00:00 UTC"
    some = ListedRun(id="r1", at=0, pace=None, users=1, left=2000, over=False)
    assert in_words(some) == "r1 of 1970-01-01 00:00 UTC: 1 user, 2,000 to go"
    over = ListedRun(id="r1", at=0, pace=None, users=2001, left=0, over=True)
    assert in_words(over) == "r1 of 1970-01-01 00:00 UTC: over, 2,001 users"


@pytest.mark.parametrize("command", [Pause("a/ä", 1), Resume("a", 2), Run("r", "a", 3), Run("r", "a", 3, 0.5)])
def test_a_command_is_read_as_it_was_written(command: Pause | Resume | Run) -> None:
    _, value = control_record(command)
    assert read_control(7, value) == (7, command)


@pytest.mark.parametrize(
    "value", [None, b"", b"{}", b'{"type":"stop"}', b"\xff", b"[" * 5000, b'{"type":"pause"}', TOO_FAST]
)
def test_what_is_no_command_is_none(value: bytes | None) -> None:
    assert read_control(7, value) == (7, None)
