"""What holds for every model."""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
import pytest

from agents.churn.models import boosting, forest, linear
from agents.churn.models.beyond import BeyondBgNbd
from agents.churn.models.bgnbd import BgNbd
from agents.churn.models.boosting import Boosting, StepsBoosting
from agents.churn.models.forest import Forest
from agents.churn.models.linear import Linear, StepsLinear
from agents.churn.models.logistic import Logistic
from agents.churn.models.model import Model
from agents.churn.models.numbers import Array, log_loss
from agents.churn.models.recency import Recency
from tests.agents.churn.populations import HORIZON, Snapshot, snapshots

MODELS: Final[dict[str, Callable[[], Model]]] = {
    "recency": lambda: Recency(HORIZON),
    "logistic": lambda: Logistic(HORIZON),
    "forest": lambda: Forest(HORIZON),
    "bg_nbd": lambda: BgNbd(HORIZON),
    "linear": lambda: Linear(HORIZON, BgNbd(HORIZON)),
    "linear_steps": lambda: StepsLinear(HORIZON, BgNbd(HORIZON)),
    "boosting": lambda: Boosting(HORIZON, BgNbd(HORIZON)),
    "boosting_steps": lambda: StepsBoosting(HORIZON, BgNbd(HORIZON)),
}
every_model = pytest.mark.parametrize("name", MODELS)


def taught(model: Model, some: list[Snapshot]) -> Model:
    for each in some:
        days = HORIZON.step_days if model.span == "step" else HORIZON.days
        model.learn(each.x, each.inactive(days), each.as_of)
        model.refit(each.x, each.as_of)
    return model


def loss(model: Model, snapshot: Snapshot) -> float:
    return float(log_loss(model.predict(snapshot.x), snapshot.inactive(HORIZON.days)).mean())


@every_model
def test_a_model_is_called_by_its_name(name: str) -> None:
    assert MODELS[name]().name == name


@every_model
def test_a_score_is_a_probability_also_before_anything_was_learnt(name: str) -> None:
    last = snapshots()[-1].x
    odd = np.vstack([last, np.zeros_like(last[:1]), np.full_like(last[:1], 1e9), np.full_like(last[:1], -50.0)])
    for model in (MODELS[name](), taught(MODELS[name](), snapshots()[:8])):
        found = model.predict(odd)
        assert found.shape == (len(odd),)
        assert ((found > 1e-6) & (found < 1 - 1e-6)).all()


@every_model
def test_who_was_away_longer_is_likelier_to_stay_away_before_anything_was_learnt(name: str) -> None:
    x = snapshots()[-1].x
    found = MODELS[name]().predict(x[np.argsort(x[:, 3])])
    assert found[-20:].mean() > found[:20].mean()


@every_model
def test_nobody_to_learn_from_and_nobody_to_score_is_no_fault(name: str) -> None:
    nobody = snapshots()[0].x[:0]
    model = MODELS[name]()
    model.learn(nobody, np.zeros(0), 1)
    model.refit(nobody, 1)
    assert len(model.predict(nobody)) == 0


@every_model
def test_labels_of_one_kind_are_no_fault(name: str) -> None:
    model = MODELS[name]()
    for each in snapshots()[:8]:
        model.learn(each.x, np.ones(len(each.x)), each.as_of)
        model.refit(each.x, each.as_of)
    assert np.isfinite(model.predict(each.x)).all()


@every_model
def test_the_same_examples_give_the_same_bits(name: str) -> None:
    one, other = (taught(MODELS[name](), snapshots()[:8]) for _ in range(2))
    assert one.snapshot() == other.snapshot()
    assert one.predict(snapshots()[9].x).tobytes() == other.predict(snapshots()[9].x).tobytes()


@every_model
def test_a_row_alone_scores_as_among_many(name: str) -> None:
    model = taught(MODELS[name](), snapshots()[:8])
    if isinstance(model, BeyondBgNbd):
        model._bg_nbd.refit(snapshots()[8].x, snapshots()[8].as_of)  # noqa: SLF001  the ensemble does it
    x = snapshots()[9].x
    assert model.predict(x).tolist() == [float(model.predict(x[row : row + 1])[0]) for row in range(len(x))]


@every_model
def test_what_is_restored_scores_and_goes_on_as_before(name: str) -> None:
    model, again = taught(MODELS[name](), snapshots()[:6]), MODELS[name]()
    again.restore(model.snapshot())
    for each in (model, again):
        assert each.predict(snapshots()[9].x).tobytes() == model.predict(snapshots()[9].x).tobytes()
    assert taught(again, snapshots()[6:8]).snapshot() == taught(model, snapshots()[6:8]).snapshot()


@every_model
def test_a_snapshot_without_examples_scores_the_same_and_is_smaller(name: str) -> None:
    model, scorer = taught(MODELS[name](), snapshots()[:8]), MODELS[name]()
    scorer.restore(model.snapshot(whole=False))
    assert scorer.predict(snapshots()[9].x).tobytes() == model.predict(snapshots()[9].x).tobytes()
    assert len(model.snapshot(whole=False)) <= len(model.snapshot())


@every_model
@pytest.mark.parametrize("damaged", [b"", b"\x93\x01\x02\x03", b"\xc1", msgspec.msgpack.encode({"a": 1})])
def test_what_is_no_snapshot_is_refused(name: str, damaged: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, ValueError)):
        MODELS[name]().restore(damaged)


@every_model
def test_a_snapshot_stays_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "CAPACITY", 400)
    monkeypatch.setattr(boosting, "CAPACITY", 400)
    monkeypatch.setattr(forest, "MOST", 300)
    model = taught(MODELS[name](), snapshots(24)[:12])
    before = len(model.snapshot())
    taught(model, snapshots(24)[12:])
    assert len(model.snapshot()) < 1.2 * before


@pytest.mark.parametrize("name", [name for name in MODELS if name != "bg_nbd"])
def test_what_was_learnt_helps(name: str) -> None:
    model = taught(MODELS[name](), snapshots(24)[:14])
    later = snapshots(24)[18:20]
    assert sum(loss(model, each) for each in later) < sum(loss(MODELS[name](), each) for each in later)


def test_bytes_that_are_no_array_of_the_shape_are_refused() -> None:
    whole = msgspec.msgpack.encode(Array.of(np.zeros((2, 3))))
    assert msgspec.msgpack.decode(whole, type=Array).array().shape == (2, 3)
    for shape, data in (((2, 2), bytes(48)), ((-2, -3), bytes(48)), ((2, 3), bytes(47))):
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(msgspec.msgpack.encode((shape, "<f8", data)), type=Array)
