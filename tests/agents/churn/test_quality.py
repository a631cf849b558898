"""Measures of scores, against scikit-learn or the slow way."""

from itertools import pairwise, permutations
from math import ceil

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from agents.churn.models.numbers import Vector
from agents.churn.quality import auc, calibration, calibration_error, found_in_top, quality


def some(seed: int, examples: int, steps: int) -> tuple[Vector, Vector]:
    """Scores on a grid of so many steps, so that some are equal, and labels that follow them more or less."""
    random = np.random.default_rng(seed)
    p = random.integers(1, steps, examples) / steps
    y = (random.random(examples) < p).astype(float)
    y[:2] = 0.0, 1.0
    return p, y


@pytest.mark.parametrize(("examples", "steps"), [(2, 5), (19, 4), (50, 7), (997, 1_000)])
def test_the_measures_are_those_of_scikit_learn(examples: int, steps: int) -> None:
    for seed in range(10):
        p, y = some(seed, examples, steps)
        found = quality(p, y)
        assert found.auc == pytest.approx(roc_auc_score(y, p))
        assert found.log_loss == pytest.approx(log_loss(y, p))
        assert found.brier == pytest.approx(brier_score_loss(y, p))


def test_the_calibration_error_is_the_mean_distance_in_twenty_bins_of_equal_count() -> None:
    p, y = some(1, 1_000, 1_000_003)
    order = sorted(range(1_000), key=lambda place: p[place])
    bins = [order[first : first + 50] for first in range(0, 1_000, 50)]
    distances = [abs(sum(p[i] - y[i] for i in rows)) / 50 for rows in bins]
    assert calibration_error(p, y) == pytest.approx(sum(distances) / 20)
    assert [each.examples for each in calibration(p, y)] == [50] * 20
    assert calibration(p, y)[3].share_inactive == pytest.approx(np.mean([y[i] for i in bins[3]]))


@pytest.mark.parametrize("examples", [0, 1, 7, 45])
def test_every_example_is_in_one_bin(examples: int) -> None:
    p, y = np.linspace(0.1, 0.9, examples), np.zeros(examples)
    assert sum(each.examples for each in calibration(p, y)) == examples


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_where_all_do_the_same_there_is_no_auc_and_all_else_is_told(label: float) -> None:
    found = quality(np.array([0.2, 0.7]), np.full(2, label))
    assert np.isnan(found.auc)
    assert np.isfinite([found.log_loss, found.brier, found.ece]).all()


def test_an_example_that_weighs_nothing_is_not_there() -> None:
    p, y = some(2, 40, 7)
    weight = np.ones(40)
    weight[30:] = 0.0
    assert auc(p, y, weight) == pytest.approx(auc(p[:30], y[:30], np.ones(30)))


def taken_one_by_one(p: Vector, y: Vector, share: float) -> float:
    """The mean over all orders in which equal scores may stand; of the last one taken, a part."""
    found = []
    for order in permutations(range(len(p))):
        if all(p[a] >= p[b] for a, b in pairwise(order)):
            whole = int(share * len(p))
            rest = (share * len(p) - whole) * y[order[whole]] if whole < len(p) else 0.0
            found.append(sum(y[place] for place in order[:whole]) + rest)
    return float(np.mean(found))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5, 0.75, 1.0])
def test_the_highest_scores_are_taken_first_and_equal_ones_by_chance(share: float) -> None:
    for seed in range(20):
        p, y = some(seed, 6, 4)
        assert found_in_top(p, y, share) == pytest.approx(taken_one_by_one(p, y, share))


def test_of_nobody_nobody_is_found() -> None:
    assert found_in_top(np.empty(0), np.empty(0), 0.1) == 0.0


def test_a_hundredth_of_a_hundred_is_one() -> None:
    p = np.linspace(0.01, 0.99, 100)
    for percent in range(1, 101):
        assert found_in_top(p, np.ones(100), percent / 100) == pytest.approx(percent)
        assert ceil(found_in_top(p, np.round(p), percent / 100) - 1e-9) == min(percent, 50)
