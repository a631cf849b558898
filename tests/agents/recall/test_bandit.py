"""The bandit: learns what each channel brings to whom, and brings more by it than chance does."""

from collections import Counter
from itertools import pairwise
from random import Random
from statistics import fmean
from typing import Final

import pytest

from agents.recall.bandit import Bandit
from schemas.events import RecallChannel
from schemas.examples import Lesson
from tests.agents.drive import day
from tests.agents.recall.world import CHANNELS, DAYS, World, has_bought, worth


def lesson(channel: RecallChannel, context: dict[str, float], reward: int, number: int = 0) -> Lesson:
    return Lesson(
        user=f"{number:016x}",
        at=number,
        as_of=number,
        campaign="silent",
        channel=channel,
        propensities={"push": 0.5, "sms": 0.5},
        context=context,
        reward=reward,
    )


def test_nothing_learnt_is_no_policy() -> None:
    assert Bandit().policy("v") is None


def test_a_linear_truth_is_learnt_of_each_channel_by_itself() -> None:
    random, bandit = Random(1), Bandit()  # noqa: S311  numbers, no secret
    for number in range(4_000):
        x, noise = random.uniform(0, 3), random.gauss(0, 50)
        channel: RecallChannel = "push" if number % 2 else "sms"
        truth = 100 + 50 * x if channel == "push" else 300 - 20 * x
        bandit.learn([lesson(channel, {"x": x, "none": 0.0}, round(truth + noise))])
    policy = bandit.policy("v7")
    assert policy is not None
    push, sms = policy.arms["silent"]["push"], policy.arms["silent"]["sms"]
    assert (policy.version, push.lessons, sms.lessons) == ("v7", 2_000, 2_000)
    assert (push.intercept, push.weights["x"]) == pytest.approx((1.0, 0.5), abs=0.05)
    assert (sms.intercept, sms.weights["x"]) == pytest.approx((3.0, -0.2), abs=0.05)


SEEDS: Final = (1, 2)
COSTS: Final = {channel.name: channel.cost for channel in CHANNELS}


@pytest.fixture(scope="module", params=SEEDS)
def worlds(request: pytest.FixtureRequest) -> tuple[World, World]:
    """The same people: one is chosen for by chance, the other by what was learnt."""
    return World(request.param, learns=False).run(), World(request.param, learns=True).run()


def test_what_is_learnt_brings_more_than_chance_and_nearly_as_much_as_knowing_it_all(
    worlds: tuple[World, World],
) -> None:
    by_chance, learned = (fmean(each.reward / 100 for each in world.lessons[-1_000:]) for world in worlds)
    best = fmean(max(worth(channel, has_bought=bought) for channel in CHANNELS) for bought in (False, True))
    assert by_chance < 0.1
    assert best == pytest.approx(0.59)
    assert learned > by_chance + 0.25


def test_each_learns_its_own_channel(worlds: tuple[World, World]) -> None:
    late = worlds[1].triggers[-1_000:]
    for bought, channel in ((False, "push"), (True, "sms")):
        drawn = Counter(each.recall_channel for each in late if has_bought(each.user_id) is bought)
        assert drawn.most_common(1)[0][0] == channel


def test_nobody_gets_what_they_have_not_agreed_to_however_good_it_would_be(worlds: tuple[World, World]) -> None:
    for world in worlds:
        assert not [each for each in world.triggers if each.user_id[-1] == "7" and each.recall_channel == "sms"]


def test_every_trigger_is_one_lesson(worlds: tuple[World, World]) -> None:
    for world in worlds:
        keys = sorted((each.user, each.at) for each in world.lessons)
        assert all(one != other for one, other in pairwise(keys))
        assert len(world.triggers) - len(keys) < 300  # those of the last days


def test_lessons_add_up_to_what_the_ledger_counts(worlds: tuple[World, World]) -> None:
    for world in worlds:
        world.partition.advance(day(DAYS + 200))
        more, _ = world.partition.desk.said.take()
        triggers, lessons = [*world.triggers, *more], [*world.lessons, *world.partition.desk.lessons.take()]
        cost = sum(COSTS[each.recall_channel] for each in triggers)
        totals = world.partition.desk.ledger.totals.values()
        value = sum(100 * entry.recalled + entry.revenue for entry in totals)
        assert len(lessons) == len(triggers) == sum(entry.triggered for entry in totals)
        assert sum(each.reward for each in lessons) == value - cost
        assert any(entry.revenue for entry in totals)
