"""Predictions of a backtest: of everyone known, at every instant, from nothing that came later."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.predictions import CANDIDATES, MODELS, PREDICTIONS
from schemas.times import DAY_MS

START: Final = 19_710 * DAY_MS  # a multiple of 15 days
DAYS: Final = 200


def events(users: int = 80, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Users who come every few days, each in their own rhythm, until they stop one day."""
    random = Random(seed)  # noqa: S311  a history, no secret
    for user in range(users):
        at, rhythm = random.random() * 60, random.choice([2, 5, 15, 40])
        end = at + random.expovariate(1 / 90)
        while at < min(end, DAYS):
            kind = {"type": "order", "order_id": f"{user}-{at}", "total": 20} if random.random() < 0.4 else {}
            click = {"type": "click", "item_id": "i"}
            head = {"event_id": f"{user}-{at}", "user_id": f"u{user}", "ts": START + int(at * DAY_MS)}
            yield {**click, **head, **kind}
            at += random.expovariate(1 / rhythm)


def backtest(folder: Path, *options: str) -> Result:
    file = folder / "history.jsonl"
    file.write_text("\n".join(map(json.dumps, events())), encoding="utf-8")
    return CliRunner().invoke(app, ["backtest", str(file), "--out", str(folder / "out"), *options])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    options = ("--predict-every", "15d", "--horizon", "30d")
    assert backtest(folder, *options).exit_code == 0
    return folder / "out"


def first_activity() -> dict[str, list[int]]:
    times: dict[str, list[int]] = {}
    for event in events():
        times.setdefault(event["user_id"], []).append(event["ts"])
    return {user: sorted(known) for user, known in times.items()}


def test_everyone_known_at_an_instant_is_predicted_once_and_the_labels_are_what_came_true(whole: Path) -> None:
    found = pl.read_parquet(whole / PREDICTIONS)
    last = max(times[-1] for times in first_activity().values())
    true = {
        (user, as_of): None
        if as_of + 30 * DAY_MS > last
        else int(not any(as_of < ts <= as_of + 30 * DAY_MS for ts in times))
        for user, times in first_activity().items()
        for as_of in range(START, last + 1, 15 * DAY_MS)
        if times[0] <= as_of
    }
    assert {(row["user_id"], row["as_of"]): row["label"] for row in found.iter_rows(named=True)} == true
    assert found.height == len(true)
    assert found["p_inactive"].is_between(0, 1, closed="none").all()


def test_the_champions_predictions_are_among_those_of_the_candidates(whole: Path) -> None:
    names = ["user_id", "as_of", "p_inactive", "model", "model_version", "label"]
    candidates, champions = pl.read_parquet(whole / CANDIDATES), pl.read_parquet(whole / PREDICTIONS)
    assert champions.columns == candidates.columns == names
    assert champions.join(candidates, on=names, how="anti", nulls_equal=True).height == 0
    assert candidates["model"].n_unique() > 5


def test_what_came_later_makes_no_difference_to_a_single_bit(whole: Path, tmp_path: Path) -> None:
    until = START + 120 * DAY_MS
    options = ("--predict-every", "15d", "--horizon", "30d", "--until", str(until))
    assert backtest(tmp_path, *options).exit_code == 0
    for name in (PREDICTIONS, CANDIDATES):
        cut = pl.read_parquet(tmp_path / "out" / name).drop("label")
        assert cut.equals(pl.read_parquet(whole / name).filter(pl.col("as_of") <= until).drop("label"))


def band(p: float, before: str | None) -> str:
    """The risk of a score: 40 and 70 % are the edges, which a band reaches across by 5 %."""
    edges = {"low": (0.0, 0.45), "mid": (0.35, 0.75), "high": (0.65, 1.0)}
    if before is not None and edges[before][0] <= p < edges[before][1]:
        return before
    return "low" if p < 0.4 else "mid" if p < 0.7 else "high"


def test_the_tag_of_the_risk_follows_the_predictions(whole: Path) -> None:
    said = [json.loads(line) for line in (whole / "tag-changes.jsonl").read_text().splitlines()]
    found = [(each["user_id"], each["at"], each["from"], each["to"]) for each in said if each["tag"] == "churn.risk"]
    true, risks = [], dict[str, str]()
    for row in pl.read_parquet(whole / PREDICTIONS).sort("as_of").iter_rows(named=True):
        before = risks.get(row["user_id"])
        after = risks[row["user_id"]] = band(row["p_inactive"], before)
        if after != before:
            true.append((row["user_id"], row["as_of"], before, after))
    assert sorted(found) == sorted(true, key=lambda each: each[:2])
    assert {each["cause"].split("@")[0] for each in said if each["tag"] == "churn.risk"} <= {
        f"churn:{model}" for model in pl.read_parquet(whole / CANDIDATES)["model"]
    }


def test_a_user_is_explained_by_the_models_of_a_backtest(whole: Path) -> None:
    file = str(whole.parent / "history.jsonl")
    result = CliRunner().invoke(app, ["explain", "u3", file, "--models", str(whole / MODELS), "--json"])
    outlook = json.loads(result.stdout)["outlook"]
    assert 0 < outlook["p_inactive"] < 1
    assert outlook["reasons"] == sorted(outlook["reasons"], key=lambda each: -abs(each["contribution"]))
    shown = CliRunner().invoke(app, ["explain", "u3", file, "--models", str(whole / MODELS)]).stdout
    assert "likely to do nothing for 30 days, by the model " in " ".join(shown.split())
    assert "raises" in shown or "lowers" in shown
    wrong = CliRunner().invoke(app, ["explain", "u3", file, "--models", file])
    assert (wrong.exit_code, "holds no models" in wrong.stderr) == (2, True)


def test_without_the_option_nothing_is_predicted(tmp_path: Path) -> None:
    assert backtest(tmp_path).exit_code == 0
    assert not (tmp_path / "out" / PREDICTIONS).exists()


@pytest.mark.parametrize(("options", "complaint"), [(("--predict-every", "soon"), "'soon' is not a length of time")])
def test_a_mistake_is_told(tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    result = backtest(tmp_path, *options)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
