"""Gender from end to end: a backtest in which some users state it, and most of the others are told by what they do."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from app.cli import app
from schemas.times import DAY_MS, to_datetime
from tests.oracle import Wire

START: Final = 19_710 * DAY_MS  # a multiple of 15 days
DAYS: Final = 120
USERS: Final = 300
CATEGORIES: Final = ("dresses", "make-up", "shoes", "books", "tools", "beards")
WORDS: Final = {"female": ("f", "Woman"), "male": ("m", "男")}


def gender(user: int) -> str:
    """Three in five are female."""
    return "female" if user * 7 % 10 < 6 else "male"


def states(user: int) -> bool:
    """Two in three state it."""
    return user % 3 > 0


def is_diverse(user: int) -> bool:
    """One in thirty states something else."""
    return user % 30 == 0


def events(*, tell: bool = True, seed: int = 3) -> Iterator[Wire]:
    """Everyone clicks now and then; `tell`: what they look at goes by their gender, in part."""
    random = Random(seed)  # noqa: S311  a history, no secret
    weights = {"female": (7, 5, 4, 3, 1, 1), "male": (1, 1, 4, 3, 6, 4)}
    for user in range(USERS):
        head: Wire = {"user_id": f"u{user}", "event_id": f"{user}-p", "ts": START + user}
        said = {"gender": "diverse" if is_diverse(user) else WORDS[gender(user)][user % 2] if states(user) else None}
        yield {**head, "type": "profile", "kind": "registered", "attributes": said}
        own = [weight * random.uniform(0.2, 1.8) for weight in (weights[gender(user)] if tell else (1,) * 6)]
        at = random.random() * 20
        while at < DAYS:
            (category,) = random.choices(CATEGORIES, own)
            ts = START + int(at * DAY_MS)
            yield {**head, "type": "click", "item_id": "i", "event_id": f"{user}-{at}", "ts": ts, "category": category}
            at += random.expovariate(1 / 2)


def tags_of(folder: Path, history: list[Wire], *options: str) -> dict[int, str]:
    """By user the gender that a backtest says at the end."""
    file = folder / "history.jsonl"
    file.write_text("\n".join(map(json.dumps, history)), encoding="utf-8")
    out = ("--out", str(folder / "out"), "--predict-every", "15d", "--horizon", "30d")
    result = CliRunner().invoke(app, ["backtest", str(file), *out, *options])
    assert result.exit_code == 0, result.output
    said = changes(folder)
    return {user: said[-1]["to"] for user, said in said.items() if said[-1]["to"] is not None}


def changes(folder: Path) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for line in (folder / "out" / "tag-changes.jsonl").read_text(encoding="utf-8").splitlines():
        change = json.loads(line)
        if change["tag"] == "gender":
            found.setdefault(int(change["user_id"][1:]), []).append(change)
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, str]]:
    folder = tmp_path_factory.mktemp("gender")
    return folder, tags_of(folder, list(events()))


SILENT: Final = [user for user in range(USERS) if not states(user) and not is_diverse(user)]


def test_who_says_nothing_is_told_by_what_others_say_and_mostly_rightly(whole: tuple[Path, dict[int, str]]) -> None:
    _, found = whole
    told = [user for user in SILENT if user in found]
    assert len(told) > 0.5 * len(SILENT)
    right = sum(found[user] == gender(user) for user in told) / len(told)
    base_rate = sum(gender(user) == "female" for user in told) / len(told)
    assert right > 0.93
    assert right > base_rate + 0.25
    assert {found[user] for user in told} == {"female", "male"}


def test_what_is_stated_stands_and_another_word_is_left_alone(whole: tuple[Path, dict[int, str]]) -> None:
    folder, found = whole
    said = changes(folder)
    for user in range(USERS):
        if is_diverse(user):
            assert user not in said
        elif states(user):
            assert found[user] == gender(user)
            assert [change["cause"] for change in said[user]] == [f"profile:{user}-p"]


def test_a_guess_is_said_at_an_instant_of_the_grid_by_the_models_of_then(whole: tuple[Path, dict[int, str]]) -> None:
    said = changes(whole[0])
    for change in (change for user in SILENT for change in said.get(user, ())):
        assert change["at"] % (15 * DAY_MS) == 0
        name, _, version = change["cause"].partition("@")
        assert name == "gender:logistic"
        assert version == to_datetime(change["at"]).isoformat().replace("+00:00", "Z")


def test_what_came_later_makes_no_difference(whole: tuple[Path, dict[int, str]], tmp_path: Path) -> None:
    until = START + 90 * DAY_MS
    tags_of(tmp_path, list(events()), "--until", str(until))
    before = {user: [each for each in said if each["at"] <= until] for user, said in changes(whole[0]).items()}
    assert changes(tmp_path) == {user: said for user, said in before.items() if said}


def test_nothing_is_said_of_who_says_nothing_where_tastes_tell_nothing(tmp_path: Path) -> None:
    found = tags_of(tmp_path, list(events(tell=False)))
    assert not any(user in found for user in SILENT)
    assert sum(states(user) for user in found) == len(found) > 100


def test_who_switches_the_tag_off_has_no_gender_learnt(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[tag]]\nname = "gender"\nwhen = "true"\nenabled = false\n', encoding="utf-8")
    assert tags_of(tmp_path, list(events()), "--rules", str(rules)) == {}
