import numpy as np
import pytest
from scipy.stats import beta, gamma

from agents.churn.catalogue import FEATURES, PLACE
from agents.churn.models.bgnbd import BgNbd
from agents.churn.models.linear import StepsLinear
from agents.churn.models.numbers import Matrix, Vector
from schemas.times import DAY_MS
from tests.agents.churn.populations import HORIZON

TRUE = (0.8, 25.0, 0.9, 2.8)


def simulated(users: int, age: float, later: float) -> tuple[Matrix, Vector]:
    """Histories of `age` days by the model's own story, and whether nothing happens in the next `later` days."""
    random = np.random.default_rng(4)
    r, alpha, a, b = TRUE
    x, silent = np.zeros((users, len(FEATURES))), np.zeros(users)
    for user in range(users):
        rate, leaves = random.gamma(r, 1 / alpha), random.beta(a, b)
        times = [0.0]
        while times[-1] < age + later and random.random() > leaves:
            times.append(times[-1] + random.exponential(1 / max(rate, 1e-12)))
        past = [time for time in times if time <= age]
        x[user, [PLACE["repeat_days"], PLACE["last_day"], PLACE["age_days"]]] = len(past) - 1, past[-1], age
        silent[user] = not any(age < time <= age + later for time in times)
    return x, silent


def test_the_parameters_are_found_again() -> None:
    model = BgNbd(HORIZON)
    x, _ = simulated(3_000, 300, 60)
    model.refit(x, DAY_MS)
    assert model.parameters[0] / model.parameters[1] == pytest.approx(TRUE[0] / TRUE[1], rel=0.15)
    assert model.parameters[2] / model.parameters[2:].sum() == pytest.approx(TRUE[2] / sum(TRUE[2:]), rel=0.15)


@pytest.mark.parametrize("later", [15, 60])
def test_the_chance_of_nothing_is_the_share_of_those_who_do_nothing(later: int) -> None:
    x, silent = simulated(20_000, 200, later)
    model = BgNbd(HORIZON)
    model.refit(x, DAY_MS)
    found = model.inactive(x, later)
    for group in np.array_split(np.argsort(found, kind="stable"), 8):
        assert found[group].mean() == pytest.approx(silent[group].mean(), abs=0.035)


@pytest.mark.parametrize(
    "history", [(0, 0, 40), (0, 0, 400), (3, 50, 60), (3, 50, 200), (40, 300, 310), (40, 300, 390)]
)
def test_the_chance_of_nothing_is_that_of_all_rates_and_chances_to_leave(history: tuple[int, int, int]) -> None:
    """By Bayes: over a grid of rates and chances, each weighed by the prior and by what it makes of the history."""
    repeats, last, age = history
    model = BgNbd(HORIZON)
    r, alpha, a, b = model.parameters
    places = (np.arange(2_000) + 0.5) / 2_000
    rate, leaves = gamma.ppf(places, r, scale=1 / alpha)[:, None], beta.ppf(places, a, b)[None, :]
    bought = np.exp(repeats * (np.log(rate) + np.log1p(-leaves)) - repeats * np.log(rate).max())
    gone, here = leaves * np.exp(-rate * last), (1 - leaves) * np.exp(-rate * age)
    nothing = (bought * (gone + here * np.exp(-rate * 60))).sum() / (bought * (gone + here)).sum()
    x = np.zeros((1, len(FEATURES)))
    x[0, [PLACE["repeat_days"], PLACE["last_day"], PLACE["age_days"]]] = history
    assert model.inactive(x, 60)[0] == pytest.approx(nothing, abs=2e-3)


def test_staying_away_for_four_steps_is_staying_away_for_all_of_them() -> None:
    x, _ = simulated(200, 100, 1)
    model = BgNbd(HORIZON)
    assert StepsLinear(HORIZON, model).predict(x) == pytest.approx(model.predict(x), abs=1e-9)


def test_a_longer_time_is_likelier_to_end_before_anything_happens() -> None:
    x, _ = simulated(50, 100, 1)
    model = BgNbd(HORIZON)
    assert (model.inactive(x, 60) < model.inactive(x, 15)).all()
