import numpy as np
import pytest

from agents.churn.catalogue import FEATURES, NAMES, PLACE
from agents.churn.models.numbers import Matrix, Vector, chance
from agents.churn.reasons import TOPICS, reasons


def user(**values: float) -> Vector:
    found = np.zeros(len(FEATURES))
    for name, value in values.items():
        found[PLACE[name]] = value
    return found


def test_every_feature_is_in_one_topic() -> None:
    assert sorted(name for names in TOPICS.values() for name in names) == sorted(NAMES)


def test_what_counts_by_itself_is_told_as_it_counts() -> None:
    def predict(x: Matrix) -> Vector:
        return chance(2 * x[:, PLACE["recency"]] - x[:, PLACE["spend"]])

    found = reasons(predict, user(recency=1.0, spend=1.5, returns=4.0), user(recency=0.5))
    assert [each.topic for each in found[:2]] == ["spend", "time since the last activity"]
    assert [each.contribution for each in found[:3]] == pytest.approx([-1.5, 1.0, 0.0])


def test_what_counts_together_only_is_shared() -> None:
    def predict(x: Matrix) -> Vector:
        return chance(x[:, PLACE["recency"]] * x[:, PLACE["spend"]])

    found = reasons(predict, user(recency=1.0, spend=2.0), user())
    assert {each.topic: each.contribution for each in found[:2]} == {
        "spend": pytest.approx(1.0),
        "time since the last activity": pytest.approx(1.0),
    }
