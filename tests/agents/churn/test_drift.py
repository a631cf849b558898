import numpy as np
import pytest

from agents.churn import drift
from agents.churn.drift import Drift
from agents.churn.models.numbers import Vector


def losses(mean: float, seed: int) -> Vector:
    return np.random.default_rng(seed).normal(mean, 0.2, 1_000)


def test_losses_that_stay_are_no_drift() -> None:
    watch = Drift()
    for instant in range(60):
        watch.learn(losses(0.5, instant), instant)
    assert watch.found == []


def test_losses_that_rise_for_good_are_drift() -> None:
    watch = Drift()
    for instant in range(40):
        watch.learn(losses(0.5 if instant < 20 else 0.9, instant), instant)
    assert watch.found[0] in {20, 21}


def test_nobody_is_no_fault() -> None:
    Drift().learn(np.zeros(0), 1)


def test_what_is_restored_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "MOST", 800)
    one, other = Drift(), Drift()
    for instant in range(11):
        one.learn(losses(0.5, instant), instant)
    other.restore(one.snapshot())
    for instant in range(11, 15):
        for each in (one, other):
            each.learn(losses(0.9, instant), instant)
    assert one.found
    assert one.snapshot() == other.snapshot()
    assert len(one.snapshot()) < 10_000
