"""The newest models as the API tells them: all candidates, their losses, calibration and drift."""

from collections.abc import Iterator
from functools import cache

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from agents.churn.ensemble import MIX, Ensemble
from app.api.openapi import document
from app.api.routes import ROUTES
from app.settings import Settings
from tests.agents.churn.populations import HORIZON, snapshots
from tests.agents.churn.test_ensemble import play
from tests.api.served import Served, sources


@cache
def published() -> Ensemble:
    """What a scorer has of an ensemble that has learnt, and has seen its champion's losses change."""
    learnt, found = Ensemble(HORIZON), Ensemble(HORIZON)
    play(snapshots(), learnt)
    learnt._drift.found = [5, 7]  # noqa: SLF001  a change of the world takes long to play
    found.restore(learnt.snapshot(whole=False))
    return found


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served(known=sources(ensemble=published))
    yield served
    served.stop()


def test_all_candidates_are_told_with_their_losses(served: Served) -> None:
    found, known = served.ask("/api/models").json, published()
    described = document(ROUTES)["components"]
    Draft202012Validator({"$ref": "#/components/schemas/Models", "components": described}).validate(found)
    assert (found["version"], found["champion"], found["horizon_ms"]) == (
        known.version, known.champion, HORIZON.length_ms
    )  # fmt: skip
    members = {each["name"]: each for each in found["members"]}
    assert {name: each["log_loss"] for name, each in members.items()} == pytest.approx(known.losses)
    assert members[MIX]["weight"] is None
    assert sum(each["weight"] or 0 for each in members.values()) == pytest.approx(sum(known.weights.values()))
    losses = [each["log_loss"] for each in found["members"]]
    assert losses == sorted(losses)
    assert all(each["examples"] > 0 for each in members.values())


def test_calibration_is_a_curve_of_what_came_true(served: Served) -> None:
    found = served.ask("/api/models").json["calibration"]
    said = [each["said"] for each in found["bins"]]
    assert len(said) > 5
    assert said == sorted(said)
    assert all(0 <= each["came_true"] <= 1 and each["users"] >= 1 for each in found["bins"])
    assert (found["slope"], found["shift"]) == (published().calibration.slope, published().calibration.shift)


def test_drift_reaches_those_who_only_score(served: Served) -> None:
    assert served.ask("/api/models").json["drift"] == [5, 7]


def test_before_there_are_models_recency_scores() -> None:
    served = Served(known=sources(Settings(churn=True, kafka="127.0.0.1:1", redis="redis://127.0.0.1:1")))
    try:
        found = served.ask("/api/models").json
        assert (found["champion"], found["version"], found["members"]) == ("recency", None, [])
    finally:
        served.stop()
