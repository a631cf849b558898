"""Off-policy estimates against a world whose truth is known: unbiased, as exact as they say, the robust one more so."""

from math import sqrt
from typing import Final, NamedTuple

import numpy as np
import pytest

from app.off_policy import Estimate, Logged, Numbers, doubly_robust, inverse_propensity

DECISIONS: Final = 2_000
REPEATS: Final = 300
CHANNELS: Final = 3


class World(NamedTuple):
    """Decisions of a logging policy with uneven chances; the third channel is closed to every fourth user."""

    logged: Logged
    means: Numbers
    target: Numbers


def world(seed: int, decisions: int = DECISIONS) -> World:
    random = np.random.default_rng(seed)
    x = random.uniform(0, 1, decisions)
    means = np.stack([0.2 + 0.1 * x, 0.8 * x, 1.5 - 2.0 * x], axis=1)
    is_open = np.ones((decisions, CHANNELS))
    is_open[::4, 2] = 0
    weights = np.stack([0.6 + 0 * x, 0.1 + 0.3 * x, 0.3 - 0.2 * x], axis=1) * is_open
    propensities = weights / weights.sum(axis=1, keepdims=True)
    drawn = random.uniform(0, 1, decisions)
    chosen = (propensities.cumsum(axis=1) < drawn[:, None]).sum(axis=1)
    lines = np.arange(decisions)
    reward = means[lines, chosen] + random.normal(0, 0.5, decisions)
    best = np.where(is_open > 0, means, -9.0).argmax(axis=1)
    target = is_open / is_open.sum(axis=1, keepdims=True) * 0.1
    target[lines, best] += 0.9
    return World(Logged(chosen, propensities[lines, chosen], reward, lines), means, target)


def truth() -> float:
    """What the target is worth, over very many users."""
    _, means, target = world(0, decisions=2_000_000)
    return float((target * means).sum(axis=1).mean())


class Found(NamedTuple):
    """Estimates of one kind, again and again, less the truth; and the errors that they told."""

    model: str
    misses: tuple[Numbers, Numbers]
    errors: tuple[Numbers, Numbers]


def estimates(model: str, seed: int) -> tuple[Estimate, Estimate]:
    """By both estimators; `model`: what is expected of the channels."""
    logged, means, target = world(seed)
    expected = {"right": means, "wrong": 3.0 - means, "none": np.zeros_like(means)}[model]
    return inverse_propensity(logged, target), doubly_robust(logged, target, expected)


@pytest.fixture(scope="module", params=["right", "wrong", "none"])
def found(request: pytest.FixtureRequest) -> Found:
    told = np.array([estimates(request.param, seed) for seed in range(1, REPEATS + 1)])
    misses = told[:, :, 0] - truth()
    return Found(request.param, (misses[:, 0], misses[:, 1]), (told[:, 0, 1], told[:, 1, 1]))


def test_both_are_unbiased_however_wrong_the_model_is(found: Found) -> None:
    for misses in found.misses:
        assert abs(misses.mean()) < 3 * misses.std() / sqrt(REPEATS)


def test_with_a_good_model_the_robust_one_varies_less(found: Found) -> None:
    by_chance, robust = (misses.var() for misses in found.misses)
    if found.model == "right":
        assert robust < 0.7 * by_chance
    if found.model == "none":
        assert robust == pytest.approx(by_chance)


def test_the_standard_error_is_how_far_estimates_are_from_the_truth(found: Found) -> None:
    for misses, errors in zip(found.misses, found.errors, strict=True):
        assert 0.85 * misses.std() < errors.mean() < 1.15 * misses.std()


def test_the_policy_that_was_logged_is_worth_what_was_seen() -> None:
    logged, means, _ = world(1)
    target = np.zeros_like(means)
    target[np.arange(DECISIONS), logged.chosen] = logged.propensity
    assert inverse_propensity(logged, target).value == pytest.approx(logged.reward.mean())


def test_a_user_who_is_decided_about_again_and_again_is_one_user() -> None:
    logged, _, target = world(1)
    again = Logged(*(np.concatenate([each, each]) for each in logged))
    twice = np.concatenate([target, target])
    one, two = inverse_propensity(logged, target), inverse_propensity(again, twice)
    assert (one.value, one.error) == pytest.approx((two.value, two.error))


def test_by_hand() -> None:
    logged = Logged(np.array([0, 1]), np.array([0.25, 0.5]), np.array([1.0, 3.0]), np.array([0, 1]))
    target = np.array([[0.5, 0.5], [0.0, 1.0]])
    assert inverse_propensity(logged, target) == pytest.approx((4.0, sqrt(8) / 2))
    expected = np.array([[0.5, 2.0], [1.0, 2.0]])
    assert doubly_robust(logged, target, expected).value == pytest.approx((1.25 + 2 * 0.5 + 2.0 + 2 * 1.0) / 2)
