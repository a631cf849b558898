"""Who is about to leave, as report.json and report.html tell it: against the predictions themselves."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from typer.testing import CliRunner

from agents.churn.catalogue import FEATURES, PLACE
from agents.churn.ensemble import Ensemble
from agents.churn.grid import Grid
from agents.churn.horizon import horizon
from agents.churn.trainer import Trainer, Turn
from app import churn_charts, churn_wording, wording
from app.churn_data import CHAMPION, Churn, Model
from app.churn_effects import effects
from app.churn_report import churn
from app.cli import app
from app.predictions import CANDIDATES, PREDICTIONS, Predictions
from app.report import Report, write_html
from schemas.times import DAY_MS
from tests.test_predictions import START, events
from tests.test_report import Page

OPTIONS: Final = ("--predict-every", "15d", "--horizon", "30d")
FIRST: Final = START + 15 * DAY_MS
"""The first instant at which somebody is known."""


class Run(NamedTuple):
    """What a backtest left behind."""

    folder: Path
    said: str
    report: Report
    page: Page

    @property
    def churn(self) -> Churn:
        assert self.report.churn is not None
        return self.report.churn


def run(folder: Path, records: Iterable[dict[str, Any]], *options: str) -> Run:
    file = folder / "history.jsonl"
    file.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    result = CliRunner().invoke(app, ["backtest", str(file), "--out", str(folder / "out"), *options])
    assert result.exit_code == 0, result.output
    report = msgspec.json.decode((folder / "out" / "report.json").read_bytes(), type=Report)
    page = Page((folder / "out" / "report.html").read_text(encoding="utf-8"))
    return Run(folder / "out", " ".join(result.stdout.split()), report, page)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("whole"), events(), *OPTIONS)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two instants, and no label yet."""
    folder = tmp_path_factory.mktemp("unlabelled")
    return run(folder, events(), *OPTIONS, "--until", str(START + 44 * DAY_MS))


@pytest.fixture(scope="module")
def faithful(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Users who come every day: nobody ever stays away."""
    records = (
        {
            "type": "click",
            "event_id": f"{user}-{day}",
            "user_id": f"u{user}",
            "item_id": "i",
            "ts": START + day * DAY_MS,
        }
        for user in range(5)
        for day in range(100)
    )
    return run(tmp_path_factory.mktemp("faithful"), records, *OPTIONS)


def of_model(folder: Path, name: str) -> pl.DataFrame:
    """Labelled predictions, in order of time."""
    candidates = pl.read_parquet(folder / CANDIDATES).filter(pl.col("model") == name)
    said = pl.read_parquet(folder / PREDICTIONS) if name == CHAMPION else candidates
    return said.drop_nulls("label").sort("as_of", maintain_order=True)


def everyone(churn: Churn) -> Sequence[Model]:
    return [churn.champion, *churn.models]


def test_the_scores_of_every_model_are_those_of_the_predictions(whole: Run) -> None:
    for model in everyone(whole.churn):
        said = of_model(whole.folder, model.name)
        for scores, known in (
            (model.scores, said),
            (model.scores_informed, said.filter(pl.col("as_of") >= FIRST + 30 * DAY_MS)),
        ):
            y, p = known["label"].to_numpy(), known["p_inactive"].to_numpy()
            assert scores.labelled == len(y) > 0
            assert scores.auc == pytest.approx(roc_auc_score(y, p), abs=1e-6)
            assert scores.log_loss == pytest.approx(log_loss(y, p), abs=1e-6)
            assert scores.brier == pytest.approx(brier_score_loss(y, p), abs=1e-6)
            parts = np.array_split(np.argsort(p, kind="stable"), 20)
            error = sum(abs(sum(p[rows]) - sum(y[rows])) for rows in parts) / len(p)
            assert scores.calibration_error == pytest.approx(error, abs=1e-6)


def test_every_instant_is_judged_by_itself(whole: Run) -> None:
    for model in everyone(whole.churn):
        said = of_model(whole.folder, model.name)
        for instant, auc, loss in zip(whole.churn.instants, model.auc, model.log_loss, strict=True):
            now = said.filter(pl.col("as_of") == instant.as_of)
            assert instant.labelled == now.height
            if not now.height:
                assert (auc, loss, instant.share_inactive) == (None, None, None)
                continue
            assert loss == pytest.approx(log_loss(now["label"], now["p_inactive"], labels=[0, 1]), abs=1e-6)
            assert instant.share_inactive == pytest.approx(now["label"].mean(), abs=1e-6)
            if now["label"].n_unique() > 1:
                assert auc == pytest.approx(roc_auc_score(now["label"], now["p_inactive"]), abs=1e-6)
            else:
                assert auc is None


class Told(Predictions):
    """Two instants of 300 users, of whom every third is erased later; the champion changes from one to the other."""

    def __init__(self) -> None:
        random, self.grid = np.random.default_rng(3), Grid(15 * DAY_MS, 30 * DAY_MS, lateness_ms=0)
        self.trainer = Trainer(self.grid, partitions=1)
        names, users = self.trainer.ensemble.names, tuple(f"{user:03}" for user in range(300))
        x = np.ones((300, len(FEATURES)))
        self.turns = [
            Turn(as_of, users, x, {name: random.random(300) for name in names}, champion, "")
            for as_of, champion in ((FIRST, "recency"), (FIRST + 15 * DAY_MS, "forest"))
        ]

    def labels(self, turn: Turn) -> list[int | None]:
        return [None if user % 3 == 0 else user % 2 for user in range(len(turn.users))]


def test_the_champion_is_judged_by_what_was_believed_at_each_instant() -> None:
    found = churn(Told())
    models = {model.name: model for model in found.models}
    assert [instant.champion for instant in found.instants] == ["recency", "forest"]
    assert found.champion.auc == [models["recency"].auc[0], models["forest"].auc[1]]
    assert found.champion.log_loss == [models["recency"].log_loss[0], models["forest"].log_loss[1]]
    assert churn_wording.believed(found) == "Online forest, believed at 1 of 2 instants"


def test_who_was_erased_is_counted_among_the_scores_and_judged_nowhere() -> None:
    found = churn(Told())
    assert (found.predictions, found.champion.scores.labelled, found.champion.scores_informed.labelled) == (600, 400, 0)
    assert [(instant.users, instant.labelled) for instant in found.instants] == [(300, 200)] * 2


def test_instants_tell_how_many_were_scored_by_whom(whole: Run) -> None:
    said = pl.read_parquet(whole.folder / PREDICTIONS)
    assert sum(instant.users for instant in whole.churn.instants) == whole.churn.predictions == said.height
    for instant in whole.churn.instants:
        now = said.filter(pl.col("as_of") == instant.as_of)
        assert (instant.users, {instant.champion}) == (now.height, set(now["model"]))
        assert instant.p_inactive == pytest.approx(now["p_inactive"].mean(), abs=1e-6)


def test_gains_take_the_highest_scores_of_each_instant(whole: Run) -> None:
    said = of_model(whole.folder, CHAMPION)
    away = int(said["label"].sum())
    for gain in whole.churn.champion.gains:
        found, best = 0.0, 0.0
        for _, now in said.group_by("as_of"):
            labels = now.sort("p_inactive", descending=True)["label"].to_list()
            taken = gain.share * len(labels)
            parts = [min(max(taken - place, 0.0), 1.0) for place in range(len(labels))]
            found += sum(part * label for part, label in zip(parts, labels, strict=True))
            best += min(taken, sum(labels))
        assert gain.found == pytest.approx(found / away, abs=0.01)  # equal scores may stand in another order
        assert gain.best == pytest.approx(best / away, abs=1e-6)
        assert gain.lift == pytest.approx((gain.found or 0.0) / gain.share, abs=1e-4)


def test_the_model_with_the_least_log_loss_comes_first(whole: Run) -> None:
    losses = [model.scores.log_loss or 0.0 for model in whole.churn.models]
    assert losses == sorted(losses)
    names = {model.name for model in whole.churn.models}
    assert names == set(pl.read_parquet(whole.folder / CANDIDATES)["model"])
    assert set(whole.churn.weights) < names


def test_equal_runs_give_equal_bytes(whole: Run, tmp_path: Path) -> None:
    again = run(tmp_path, events(), *OPTIONS)
    for name in ("report.json", "report.html"):
        assert (again.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def test_every_model_and_every_topic_has_words(whole: Run) -> None:
    assert {model.name for model in everyone(whole.churn)} <= set(churn_wording.MODELS)
    assert len(whole.churn.effects) == len({effect.topic for effect in whole.churn.effects}) > 5
    assert sum(len(effect.features) for effect in whole.churn.effects) == len(FEATURES)


def test_only_what_differs_between_users_has_an_effect_and_its_direction_is_told() -> None:
    ahead = horizon(30 * DAY_MS, 15 * DAY_MS)
    x = np.ones((500, len(FEATURES)))
    x[:, PLACE["age_days"]], x[:, PLACE["repeat_days"]] = 300.0, 9.0
    x[:, PLACE["last_day"]] = np.linspace(50.0, 299.0, 500)
    ensemble = Ensemble(ahead)
    ensemble.refit(x, START)
    first, *others = effects(ensemble, x)
    assert (first.topic, first.feature) == ("time since the last activity", "last_day")
    assert first.effect > 0.1
    assert (first.correlation or 0.0) < -0.9
    assert churn_wording.direction(first).startswith("falls with last_day: from the first activity to the last")
    assert {effect.effect for effect in others} == {0.0}
    assert {churn_wording.direction(effect) for effect in others} == {"goes either way"}


def test_of_many_users_some_are_looked_at_evenly() -> None:
    class Counted(Ensemble):
        seen: list[float]

        def reasons(self, user: Any) -> Any:
            self.seen.append(float(user[0]))
            return super().reasons(user)

    ensemble = Counted(horizon(30 * DAY_MS, 15 * DAY_MS))
    x = np.ones((1_001, len(FEATURES)))
    x[:, 0] = np.arange(1_001)
    ensemble.seen = []
    effects(ensemble, x)
    assert ensemble.seen == list(range(0, 1_001, 6))


def churn_figures(page: Page) -> dict[str, Any]:
    """The plots of the section by the names of their elements."""
    names = [attributes["id"] for attributes in page.all("script") if "id" in attributes]
    texts = [text for kind, text in page.scripts if kind == "application/json"]
    found = {name or "": json.loads(text) for name, text in zip(names, texts, strict=True)}
    return {name: figure for name, figure in found.items() if name.startswith("churn-")}


def test_the_page_has_a_section_with_plots_and_the_same_in_tables(whole: Run) -> None:
    page = whole.page
    assert "#churn" in {link["href"] for link in page.all("a")}
    ids = [element["id"] for _, element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    assert "churn" in ids
    assert len(page.all("table")) == len(page.all("caption"))
    assert set(churn_figures(page)) == {
        *("churn-auc", "churn-log-loss", "churn-calibration", "churn-gains", "churn-effects"),
    }
    champion = whole.churn.champion.scores
    told = [churn_wording.figure(figure, 4) for figure in (champion.auc, champion.log_loss, champion.brier)]
    assert " ".join(("Champion", *told)) in page.text
    for gain in whole.churn.champion.gains:
        assert f"{gain.share:.0%} {churn_wording.percent(gain.found)}" in page.text
    for effect in whole.churn.effects:
        assert f"{effect.topic.capitalize()} {effect.effect:.3f}" in page.text


def test_the_plots_name_colours_that_the_page_has(whole: Run) -> None:
    traces = [trace for figure in churn_figures(whole.page).values() for trace in figure["data"]]
    assert {trace["meta"] for trace in traces} <= {"champion", "candidate", "recency", "reference", "drift"}
    assert all(whole.page.style.count(f"--{trace['meta']}:") == 2 for trace in traces)


def test_the_plots_over_time_have_a_line_for_each_model_and_only_what_is_known(whole: Run) -> None:
    figure = churn_figures(whole.page)["churn-log-loss"]
    labelled = [loss for loss in whole.churn.champion.log_loss if loss is not None]
    assert [trace["y"] for trace in figure["data"] if trace["meta"] == "champion"] == [labelled]
    assert len([trace for trace in figure["data"] if trace["meta"] != "drift"]) == len(whole.churn.models) + 1


def test_drift_is_shown_where_it_was(whole: Run, tmp_path: Path) -> None:
    instant, loss = whole.churn.instants[2], whole.churn.champion.log_loss[2]
    drifted = msgspec.structs.replace(whole.churn, drifts=[instant.as_of])
    write_html(msgspec.structs.replace(whole.report, churn=drifted), tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    (drift,) = [trace for trace in churn_figures(page)["churn-log-loss"]["data"] if trace["meta"] == "drift"]
    assert drift["y"] == [loss]
    assert "Drift: it had changed for good at 2024-02-02." in page.text


def test_of_many_instants_a_table_has_the_last_of_each_month(whole: Run) -> None:
    count = 100
    instants = [
        msgspec.structs.replace(whole.churn.instants[0], as_of=START + place * DAY_MS) for place in range(count)
    ]
    champion = msgspec.structs.replace(whole.churn.champion, auc=[0.5] * count, log_loss=[0.5] * count)
    many = msgspec.structs.replace(whole.churn, instants=instants, champion=champion)
    days = [wording.day(row[0].as_of) for row in churn_charts.shown_instants(many)]
    assert days == ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-27"]


def test_the_terminal_tells_of_the_champion(whole: Run) -> None:
    scores, churn = whole.churn.champion.scores, whole.churn
    known = f"{scores.labelled} of {churn.predictions} scores have a label"
    assert f"inactive in the next 30d: {churn.instants[-1].champion}, {known}" in whole.said
    assert f"AUC {scores.auc:.3f}, log loss {scores.log_loss:.3f}, calibration error" in whole.said


def test_scores_without_labels_are_said_kindly(unlabelled: Run) -> None:
    assert len(unlabelled.churn.instants) == 2
    assert unlabelled.churn.champion.scores.labelled == 0
    assert unlabelled.churn.champion.scores.log_loss is None
    assert "of none it is known yet what came true: that takes 30 days" in unlabelled.page.text
    assert set(churn_figures(unlabelled.page)) == {"churn-effects"}
    assert "0 of" in unlabelled.said
    assert "AUC" not in unlabelled.said


def test_where_nobody_stays_away_there_is_no_auc_and_nobody_to_find(faithful: Run) -> None:
    scores = faithful.churn.champion.scores
    assert scores.labelled > 0
    assert scores.auc is None
    assert {gain.found for gain in faithful.churn.champion.gains} == {None}
    assert "AUC n/a" in faithful.page.text
    assert "AUC n/a, log loss 0." in faithful.said


def test_a_history_without_activity_is_scored_nowhere(tmp_path: Path) -> None:
    empty = run(tmp_path, [], *OPTIONS)
    assert (empty.churn.predictions, empty.churn.instants, empty.churn.effects) == (0, [], [])
    assert "Nobody was known at any such instant" in empty.page.text
    assert "nobody to score" in empty.said


def test_without_the_option_there_is_no_such_section(tmp_path: Path) -> None:
    silent = run(tmp_path, events(users=5))
    assert silent.report.churn is None
    assert "#churn" not in {link["href"] for link in silent.page.all("a")}
    assert "about to leave" not in silent.page.text
    assert "inactive" not in silent.said
