import numpy as np

from agents.churn.calibration import Calibration
from agents.churn.models.numbers import Vector, chance, log_loss, log_odds


def overconfident(rows: int, seed: int) -> tuple[Vector, Vector]:
    """Scores that are too far from a half and too high, and what came true."""
    random = np.random.default_rng(seed)
    truth = random.normal(0, 1.5, rows)
    return chance(2.0 * truth + 0.7), (random.random(rows) < chance(truth)).astype(np.float64)


def taught() -> Calibration:
    calibration = Calibration()
    for seed in range(20):
        calibration.learn(*overconfident(3_000, seed))
    return calibration


def test_before_it_learns_it_changes_nothing() -> None:
    p, _ = overconfident(100, 9)
    assert np.allclose(Calibration().apply(p), p)


def test_it_mends_a_score_that_is_miscalibrated() -> None:
    p, y = overconfident(20_000, 99)
    mended = taught().apply(p)
    assert log_loss(mended, y).mean() < log_loss(p, y).mean() - 0.05
    for rows in np.array_split(np.argsort(p), 10):
        assert abs(mended[rows].mean() - y[rows].mean()) < 0.03
    assert abs(p.mean() - y.mean()) > 0.03


def test_it_keeps_the_order() -> None:
    p, _ = overconfident(1_000, 7)
    assert (np.argsort(taught().apply(p)) == np.argsort(p)).all()


def test_a_right_score_stays_about_as_it_is() -> None:
    random = np.random.default_rng(3)
    calibration = Calibration()
    for _ in range(10):
        p = chance(random.normal(0, 1.5, 2_000))
        calibration.learn(p, (random.random(2_000) < p).astype(np.float64))
    assert np.abs(log_odds(calibration.apply(p)) - log_odds(p)).max() < 0.3


def test_few_examples_change_little() -> None:
    calibration = Calibration()
    calibration.learn(np.full(5, 0.1), np.ones(5))
    assert calibration.apply(np.array([0.5]))[0] < 0.52


def test_what_is_restored_says_and_learns_the_same() -> None:
    one, other = taught(), Calibration()
    other.restore(one.snapshot())
    for each in (one, other):
        each.learn(*overconfident(500, 11))
    assert one.snapshot() == other.snapshot()


def test_the_curve_tells_of_each_score_how_often_it_came_true() -> None:
    calibration = Calibration()
    said = np.repeat([0.1, 0.5, 0.9], 1_000)
    came_true = np.concatenate([np.arange(1_000) < 1_000 * share for share in (0.3, 0.5, 0.6)]).astype(np.float64)
    calibration.learn(said, came_true)
    found = [(each.users, round(each.said, 6), round(each.came_true, 6)) for each in calibration.curve()]
    assert found == [(1_000.0, 0.1, 0.3), (1_000.0, 0.5, 0.5), (1_000.0, 0.9, 0.6)]
    assert Calibration().curve() == []
