"""The policy: which channel is chosen, and with how much chance; never one that is not open."""

from collections import Counter
from collections.abc import Mapping
from math import sqrt
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.recall.campaign import Channel
from agents.recall.policy import EXPLORED, MIN_LESSONS, UNIFORM, Arm, Policy
from schemas.times import DAY_MS
from tests.agents.recall.choices import AT, EMAIL, PUSH, SMS, case

NAMES: Final = ("push", "sms", "email")
TIMES: Final = 20_000


def policy(values: Mapping[str, float], lessons: int = MIN_LESSONS) -> Policy:
    """A policy that expects so much of each channel, whatever the context."""
    return Policy("v1", {"silent": {name: Arm(lessons, value, {}) for name, value in values.items()}})


numbers = st.floats(-1e6, 1e6)
arms = st.builds(
    Arm, st.integers(0, 2 * MIN_LESSONS), numbers, st.dictionaries(st.sampled_from(("recency", "old")), numbers)
)
campaigns = st.dictionaries(st.sampled_from(("silent", "lost")), st.dictionaries(st.sampled_from(NAMES), arms))
policies = st.builds(Policy, st.just("v"), campaigns)
open_channels = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)


@given(policies, open_channels, st.dictionaries(st.sampled_from(("recency", "spend")), numbers))
def test_chances_are_of_the_open_channels_alone_and_add_up_to_one(
    policy: Policy, names: list[str], context: dict[str, float]
) -> None:
    found = policy.propensities("silent", names, context)
    assert list(found) == names
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)
    assert min(found.values()) >= EXPLORED / len(names) - 1e-12


@given(policies, open_channels, st.text(max_size=8))
def test_what_is_chosen_is_open_and_what_is_told_of_it_is_what_it_went_by(
    policy: Policy, names: list[str], user_id: str
) -> None:
    asked = case(user_id)
    channels = [channel for channel in (PUSH, SMS, EMAIL) if channel.name in names]
    choice = policy.choose(asked, channels)
    assert choice.channel in channels
    assert choice.context is not None
    expected = policy.propensities("silent", [channel.name for channel in channels], choice.context)
    assert (choice.propensities, choice.policy) == (expected, "v")


def test_the_best_channel_is_taken_most_often_and_any_other_now_and_then() -> None:
    found = policy({"push": 0.1, "sms": 0.3, "email": 0.2}).propensities("silent", NAMES, {})
    assert found == pytest.approx({"push": 0.1 / 3, "sms": 0.9 + 0.1 / 3, "email": 0.1 / 3})


def test_the_best_of_those_that_are_open_is_taken() -> None:
    found = policy({"push": 0.1, "sms": 0.3, "email": 0.2}).propensities("silent", ["push", "email"], {})
    assert found == pytest.approx({"push": 0.05, "email": 0.95})


def test_of_equally_good_channels_the_first_is_the_best() -> None:
    assert policy(dict.fromkeys(NAMES, 0.2)).propensities("silent", NAMES, {})["push"] > 0.9


@pytest.mark.parametrize("known", [{}, {"push": 1.0}, {"push": 1.0, "sms": 2.0}])
def test_while_a_channel_is_not_known_all_have_the_same_chance(known: dict[str, float]) -> None:
    assert policy(known).propensities("silent", NAMES, {}) == pytest.approx(dict.fromkeys(NAMES, 1 / 3))


def test_too_few_lessons_are_none() -> None:
    few = policy(dict.fromkeys(NAMES, 1.0), lessons=MIN_LESSONS - 1)
    assert few.propensities("silent", NAMES, {}) == pytest.approx(dict.fromkeys(NAMES, 1 / 3))


def test_what_was_learnt_of_one_campaign_says_nothing_of_another() -> None:
    found = policy({"push": 1.0, "sms": 2.0, "email": 3.0}).propensities("lost", NAMES, {})
    assert found == pytest.approx(dict.fromkeys(NAMES, 1 / 3))


def test_what_is_expected_is_linear_in_the_context_and_strange_numbers_count_nothing() -> None:
    arm = Arm(50, 0.5, {"recency": 2.0, "gone": 9.0})
    assert arm.value({"recency": 3.0, "new": 7.0}) == pytest.approx(6.5)


@pytest.mark.parametrize("chosen_by", [UNIFORM, policy({"push": 0.1, "sms": 0.3, "email": 0.2})])
@pytest.mark.parametrize("channels", [(PUSH, SMS, EMAIL), (PUSH, EMAIL)])
@pytest.mark.parametrize("over", ["users", "times"])
def test_channels_are_drawn_as_often_as_their_chances_say(
    chosen_by: Policy, channels: tuple[Channel, ...], over: str
) -> None:
    cases = (case(f"u{number}") if over == "users" else case("u", AT + number * DAY_MS // 7) for number in range(TIMES))
    drawn = Counter[str](chosen_by.choose(each, channels).channel.name for each in cases)
    expected = chosen_by.propensities("silent", [channel.name for channel in channels], {})
    for name, share in expected.items():
        assert abs(drawn[name] / TIMES - share) < 4 * sqrt(share * (1 - share) / TIMES)


def test_a_decision_that_is_taken_again_is_the_same() -> None:
    first, again = (UNIFORM.choose(case("u7"), [PUSH, SMS, EMAIL]) for _ in range(2))
    assert first == again
