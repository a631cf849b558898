"""`rekindle explain` on a history: a whole run, and the mistakes that people make."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.demo.embedded import free_port
from schemas.times import DAY_MS
from tests.history.files import write_jsonl

DAY_0 = 1_704_067_200_000  # 2024-01-01T00:00:00Z
ORDERS: list[dict[str, Any]] = [
    {
        "type": "order",
        "event_id": f"e{day}",
        "user_id": "u",
        "ts": DAY_0 + day * DAY_MS,
        "order_id": f"o{day}",
        "total": 100,
    }
    for day in range(6)
]
OTHERS = [{"type": "click", "event_id": "c", "user_id": "v", "ts": DAY_0 + 9 * DAY_MS, "item_id": "i"}]


@pytest.fixture(autouse=True)
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without settings, an environment without any, and a history."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("REKINDLE_")]:
        monkeypatch.delenv(name)
    return write_jsonl(tmp_path / "history.jsonl", [*ORDERS, *OTHERS, ORDERS[0]])


def explain(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def complaint(*arguments: str | Path) -> str:
    """What a mistake is answered with: exit code 2, and one line."""
    result = explain(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.startswith("rekindle: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("rekindle: ").rstrip()


def tags(*arguments: str | Path) -> dict[str, Any]:
    """The values that are explained as JSON."""
    result = explain(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return {tag["name"]: tag["value"] for tag in json.loads(result.stdout)["tags"]}


def test_a_user_is_explained_as_of_the_end_of_the_history(history: Path) -> None:
    result = explain("u", history)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("User u, as of 2024-01-10 00:00 UTC (history.jsonl)\n")
    assert "loyalty: regular, since 2024-01-05 00:00 UTC, by an order" in result.stdout
    assert "6 orders for 600.00" in result.stdout


def test_json_has_the_same(history: Path) -> None:
    told = json.loads(explain("u", history, "--json").stdout)
    assert (told["user_id"], told["as_of"], told["rules_version"]) == ("u", DAY_0 + 9 * DAY_MS, 1)
    loyalty = next(tag for tag in told["tags"] if tag["name"] == "loyalty")
    assert loyalty["saw"] == [{"value": 6, "words": "6 days with an order"}]
    assert (loyalty["events"][0]["event_id"], len(loyalty["events"]), loyalty["more_events"]) == ("e5", 5, 1)


def test_until_leaves_out_what_came_later(history: Path) -> None:
    assert tags("u", history)["loyalty"] == "regular"
    assert tags("u", history, "--until", "2024-01-03T00:00:00Z")["loyalty"] == "repeat"


def test_all_has_also_the_tags_without_a_value(history: Path) -> None:
    assert tags("u", history, "--all")["reviews"] is None
    assert "reviews" not in tags("u", history)


def test_rules_come_from_the_option_else_from_the_setting(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        Path(f"{number}.toml").write_text(
            f'[[tag]]\nname = "mine"\nvalue = "{number} + 0 * orders()"', encoding="utf-8"
        )
    monkeypatch.setenv("REKINDLE_RULES", "1.toml")
    assert tags("u", history)["mine"] == 1
    assert tags("u", history, "--rules", "2.toml")["mine"] == 2


def test_mistakes_are_told_in_one_line(history: Path) -> None:
    Path("wrong.toml").write_text('[[tag]]\nname = "mine"\nvalue = "order()"', encoding="utf-8")
    assert complaint("nobody", history) == (
        "the history knows no user 'nobody' by 2024-01-10 00:00 UTC: user ids are taken as they are written"
    )
    assert complaint("v", history, "--until", "2024-01-02T00:00:00Z").startswith("the history knows no user 'v'")
    assert complaint("u", "nowhere.jsonl") == "nowhere.jsonl: there is no such file"
    assert complaint("u", history, "--rules", "nowhere.toml").startswith("nowhere.toml: No such file")
    wrong = explain("u", history, "--rules", "wrong.toml")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("wrong.toml:3:10: ")
    assert complaint("\udcff").startswith("USER is not UTF-8")
    assert complaint("u", "--until", "2024-01-02T00:00:00Z").startswith("--until takes a history")


def test_without_files_and_without_kafka_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_KAFKA", f"127.0.0.1:{free_port()}")
    assert "127.0.0.1" in complaint("u")
