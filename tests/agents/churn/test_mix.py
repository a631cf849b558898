import numpy as np
import pytest

from agents.churn.models.mix import Mix
from agents.churn.models.numbers import chance


def test_before_it_learns_it_is_the_prior_mean_of_log_odds() -> None:
    mix = Mix((1.0, 3.0))
    assert mix.predict(np.array([[2.0, -2.0]]))[0] == pytest.approx(chance(np.array([-1.0]))[0])


def test_the_better_expert_gains_weight_and_they_add_up_to_one() -> None:
    random = np.random.default_rng(0)
    mix = Mix((1.0, 1.0, 1.0))
    for _ in range(40):
        truth = random.normal(0, 1.5, 2_000)
        y = (random.random(2_000) < chance(truth)).astype(np.float64)
        mix.learn(np.stack([truth, random.normal(0, 1.5, 2_000), -truth], axis=1), y)
    assert mix.weights[0] > 0.9
    assert sum(mix.weights) == pytest.approx(1)
    assert min(mix.weights) > 0


def test_what_is_restored_has_the_same_weights() -> None:
    mix, again = Mix((1.0, 2.0)), Mix((1.0, 1.0))
    mix.learn(np.array([[1.0, -1.0], [0.5, 2.0]]), np.array([1.0, 0.0]))
    again.restore(mix.snapshot())
    assert again.weights == mix.weights
