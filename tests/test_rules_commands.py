"""`rekindle rules`: mistakes are shown where they stand, and what is right in one line."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.rules.functions import FUNCTIONS
from app.cli import app
from app.rules_file import builtin_rules
from tests.agents.rules.test_default_rules import CASES

BAD = '[[tag]]\nname = "frequent"\nwhen = "ordres(30d) >= 3"\n\tttl = 5\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("REKINDLE_")]:
        monkeypatch.delenv(name)
    return tmp_path


def rekindle(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", *arguments], env={"COLUMNS": "200"})


def test_every_mistake_is_shown_with_its_line_and_a_caret(folder: Path) -> None:
    (folder / "my.toml").write_text(BAD)
    result = rekindle("check", "my.toml")
    assert result.exit_code == 2
    assert result.stdout == (
        "my.toml:3:9: there is no function `ordres` (did you mean orders?)\n"
        '    when = "ordres(30d) >= 3"\n'
        "            ^\n"
        'my.toml:4:8: `ttl` must be a length of time, such as "90d" or "12h", not 5\n'
        "     ttl = 5\n"
        "           ^\n"
    )


def test_the_caret_stands_below_wide_letters_and_in_long_lines(folder: Path) -> None:
    wide = "\N{CJK UNIFIED IDEOGRAPH-978B}" * 3
    text = f'[[tag]]\nname = "a"\nwhen = \'top(brand) == "{wide}" or x\'\n'
    (folder / "my.toml").write_text(
        text + '[[tag]]\nname = "b"\nwhen = \'' + "true or " * 100 + "x'\n", encoding="utf-8"
    )
    lines = rekindle("check", "my.toml").stdout.splitlines()
    assert lines[2].index("^") == 4 + 22 + 1 + 6 + 5
    assert lines[5].index("^") == 4 + 80
    assert lines[4][lines[5].index("^")] == "x"
    assert len(lines[4]) < 130


@pytest.mark.parametrize("content", ['a = "\x1b[2J"', '"\\u001b[2J" = 1', 'a = "\u202e"'])
def test_what_would_act_on_a_terminal_is_not_shown(folder: Path, content: str) -> None:
    (folder / "my.toml").write_text(content, encoding="utf-8")
    result = rekindle("check", "my.toml")
    assert result.exit_code == 2
    assert result.stdout.replace("\n", "").isprintable()


def test_rules_that_are_right_are_one_line(folder: Path) -> None:
    (folder / "my.toml").write_text('version = 4\n[[tag]]\nname = "a"\nwhen = "true"\n')
    result = rekindle("check", "my.toml")
    assert (result.exit_code, result.stdout) == (0, f"my.toml: {len(CASES) + 1} rules, 7 campaigns, version 4\n")


def test_without_a_file_the_setting_is_looked_at_or_else_the_built_in_rules(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = f"{len(CASES)} rules, 7 campaigns"
    assert rekindle("check").stdout == f"built-in rules: {counted}, version {builtin_rules().version}\n"
    (folder / "my.toml").write_text("version = 5\n")
    monkeypatch.setenv("REKINDLE_RULES", "my.toml")
    assert rekindle("check").stdout == f"my.toml: {counted}, version 5\n"
    for name in ("", "builtin", "none"):
        monkeypatch.setenv("REKINDLE_RULES", name)
        assert rekindle("check").stdout.startswith("built-in rules: ")


def test_a_file_that_cannot_be_read_is_one_line(folder: Path) -> None:
    (folder / "folder.toml").mkdir()
    for name, why in [("gone.toml", "No such file or directory"), ("folder.toml", "Is a directory")]:
        result = rekindle("check", name)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"rekindle: {name}: {why}; name a file of rules that can be read\n"


def test_a_machine_reads_what_was_found(folder: Path) -> None:
    (folder / "my.toml").write_text(BAD)
    result = rekindle("check", "my.toml", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["file"], found["valid"]) == (2, "my.toml", False)
    assert found["problems"][0] == {
        "line": 3, "column": 9, "key": "tag[1].when", "text": "there is no function `ordres`", "near": "orders",
    }  # fmt: skip
    right = json.loads(rekindle("check", "--json").stdout)
    assert (right["file"], right["valid"], right["problems"]) == (None, True, [])
    assert right["rules"] == sorted(CASES)
    assert right["campaigns"] == sorted(campaign.name for campaign in builtin_rules().campaign)
    assert len(right["fingerprint"]) == len(right["campaigns_fingerprint"]) == 64


def test_all_functions_are_listed() -> None:
    listed = rekindle("functions").stdout
    assert all(function.signature in listed for function in FUNCTIONS)
