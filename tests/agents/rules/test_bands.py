"""Bands and preferences: the right value, and no flapping at the edges."""

from operator import itemgetter
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.rules.bands import Bands
from agents.rules.preference import Preference
from agents.rules.tastes import Lead
from schemas.events import Scalar
from tests.agents.rules.fake_view import FakeView

BANDS: Final = Bands(("low", "mid", "high"), (0.3, 0.7), 0.05, "none")


@pytest.mark.parametrize(
    ("score", "current", "expected"),
    [
        (None, "mid", "none"),
        (0.29, None, "low"),
        (0.3, None, "mid"),
        (0.7, None, "high"),
        (-5, None, "low"),
        (0.34, "low", "low"),
        (0.35, "low", "mid"),
        (0.25, "mid", "mid"),
        (0.249, "mid", "low"),
        (0.74, "mid", "mid"),
        (0.65, "high", "high"),
        (0.1, "high", "low"),
        (0.9, "low", "high"),
        (0.32, "gone", "mid"),
        (0.32, 7, "mid"),
    ],
)
def test_a_band_is_left_only_past_its_edge_by_the_hysteresis(score: float, current: Scalar, expected: str) -> None:
    assert BANDS.of(score, current) == expected


SURE: Final = Bands(("no", None, "yes"), (0.2, 0.8), 0.05, None)
"""The band in between has no value."""


@pytest.mark.parametrize(
    ("score", "current", "expected"),
    [
        *((0.84, None, None), (0.85, None, "yes"), (0.75, "yes", "yes"), (0.74, "yes", None)),
        *((0.15, None, None), (0.14, None, "no"), (0.24, "no", "no"), (0.25, "no", None)),
        *((0.1, "yes", "no"), (0.9, "no", "yes"), (None, "yes", None)),
    ],
)
def test_a_band_without_a_value_is_left_and_entered_like_the_others(
    score: float | None, current: Scalar, expected: Scalar
) -> None:
    assert SURE.of(score, current) == expected


def test_an_edge_is_met_as_it_is_written() -> None:
    rates = Bands(("low", "high"), (0.1,), 0.02, None)
    assert (rates.of(3 / 25, "low"), rates.of(2 / 25, "high")) == ("high", "high"), "0.1 + 0.02 is more than 0.12"
    assert Bands(("low", "high"), (0.8,), 0.1, None).of(0.7, "high") == "high", "0.8 - 0.1 is more than 0.7"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(-0.04, 0.04), min_size=2), st.sampled_from([0.3, 0.7]))
def test_a_score_that_wavers_around_an_edge_changes_nothing(noise: list[float], edge: float) -> None:
    values = [BANDS.of(edge + noise[0], None)]
    for each in noise:
        values.append(BANDS.of(edge + each, values[-1]))
    assert len(set(values)) == 1


def preference(**changed: Any) -> Preference:
    known: dict[str, Any] = {
        "dimension": "category", "min_actions": 10, "min_share": 0.3, "min_lift": 0.0, "hysteresis": 0.05,
        "population": {}, "otherwise": None, **changed,
    }  # fmt: skip
    return Preference(**known)


def preferred(shares: dict[str, float], current: Scalar = None, observed: int = 10, **changed: Any) -> Scalar:
    weights = {name: round(100 * share) for name, share in shares.items()}
    (top, weight), (_, following), *_ = [*sorted(weights.items(), key=itemgetter(1))[::-1], (None, 0), (None, 0)]
    view: Any = FakeView(
        {
            ("observed", "category"): observed,
            ("lead", "category"): Lead(top, weight, following, 100),
            **{("weight", "category", name): weight for name, weight in weights.items()},
        }
    )
    return preference(**changed).of(view, current)


def test_nothing_is_preferred_before_enough_actions() -> None:
    assert preferred({"a": 1.0}, observed=9) is None
    assert preferred({"a": 1.0}, observed=9, otherwise="any") == "any"
    assert preferred({"a": 1.0}) == "a"
    assert preferred({}) is None


def test_nothing_is_preferred_that_is_not_clear() -> None:
    assert preferred({"a": 0.29, "b": 0.2}) is None
    assert preferred({"a": 0.3, "b": 0.2}) == "a"


def test_what_everybody_prefers_is_no_preference() -> None:
    assert preferred({"a": 0.5}, min_lift=1.1, population={"a": 0.5}) is None
    assert preferred({"a": 0.5}, min_lift=1.1, population={"a": 0.4}) == "a"
    assert preferred({"a": 0.5}, min_lift=1.1, population={"b": 0.9}) == "a"


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({"a": 0.42, "b": 0.4}, "b"),
        ({"a": 0.46, "b": 0.4}, "a"),
        ({"a": 0.1, "b": 0.26}, "b"),
        ({"a": 0.1, "b": 0.24}, None),
        ({"a": 0.26, "b": 0.24}, None),
        ({"a": 0.3, "b": 0.27}, "b"),
        ({"a": 0.5}, "a"),
        ({"a": 8 / 20, "b": 7 / 20}, "b"),
    ],
)
def test_a_preference_stays_until_another_is_ahead_or_it_is_weak(shares: dict[str, float], expected: str) -> None:
    assert preferred(shares, current="b") == expected


def test_a_share_is_enough_as_it_is_written() -> None:
    shares = {"a": 7 / 10}
    assert preferred(shares, current="a", min_share=0.8, hysteresis=0.1) == "a", "0.7 + 0.1 is less than 0.8"
    assert preferred({"a": 77 / 100}, min_lift=1.1, population={"a": 0.7}) == "a", "1.1 * 0.7 is more than 0.77"
