"""A partition and gender: what it gives to learn from, whom it has guessed at, and what rules make of a guess."""

from math import exp
from typing import Any, Final

import pytest
from msgspec.structs import replace

from agents.churn.grid import Grid
from agents.churn.sampler import guesses
from agents.gender.voice import Voice, Weights
from agents.limits import DEFAULT_LIMITS
from app.rules_file import load_rules, read_rules
from schemas.events import AnyEvent
from schemas.examples import Stated
from schemas.times import DAY_MS
from tables.guess import Guess
from tables.score import Score
from tests.agents.drive import START, Story, about, click, day, profile

GRID: Final = Grid(5 * DAY_MS, 10 * DAY_MS, 0)
VOICE: Final = Voice("v", (Weights(3.0, {}), Weights(5.0, {})))


def story(rules: str | None = "") -> Story:
    book = load_rules() if rules == "" else read_rules((rules or "").encode())
    return Story(replace(DEFAULT_LIMITS, churn=GRID), book)


def clicks(user: str, at: float) -> list[AnyEvent]:
    return [click(day(at, number), f"{user}{at}{number}", user, category="shoes") for number in range(25)]


def three(told: Story) -> None:
    for user, word in (("f", "f"), ("m", "m"), ("none", None), ("x", "x")):
        told.apply(profile(day(0), user_id=user, attributes={"gender": word}))
    for user in ("f", "m", "none", "x", "unknown"):
        told.apply(*clicks(user, 0.5))


def stated(told: Story) -> list[tuple[int, bool]]:
    sampler = told.partition.sampler
    assert sampler is not None
    return [(each.as_of, each.female) for each in sampler.take_examples() if isinstance(each, Stated)]


def tasted(told: Story) -> list[str]:
    sampler = told.partition.sampler
    assert sampler is not None
    return sorted(each.user_id for each in sampler.take_samples() if each.tastes is not None)


def test_who_states_a_gender_is_an_example_whenever_something_was_done_since() -> None:
    told = story()
    three(told)
    instant = GRID.before(day(0.5)) + GRID.every_ms
    told.watermark(instant + 1)
    assert sorted(stated(told)) == [(instant, False), (instant, True)]
    told.watermark(instant + GRID.every_ms + 1)
    assert stated(told) == []
    told.apply(*clicks("f", (instant - START) / DAY_MS + 6))
    told.watermark(instant + 2 * GRID.every_ms + 1)
    assert stated(told) == [(instant + 2 * GRID.every_ms, True)]


def test_who_says_nothing_is_looked_at_once_a_model_speaks_and_then_when_something_was_done() -> None:
    told = story()
    three(told)
    sampler, instant = told.partition.sampler, GRID.before(day(0.5)) + GRID.every_ms
    assert sampler is not None
    told.watermark(instant + 1)
    assert tasted(told) == []
    sampler.guesses = True
    told.watermark(instant + GRID.every_ms + 1)
    samples = sampler.take_samples()
    assert sorted(each.user_id for each in samples if each.tastes is not None) == ["none", "unknown"]
    for user, guess in guesses(VOICE, samples):
        told.partition.guess(user, guess)
    assert told.row("none").guess == Guess(1 / (1 + exp(-4.0)), instant + GRID.every_ms, "v")
    told.apply(*clicks("none", (instant - START) / DAY_MS + 6))
    told.watermark(instant + 2 * GRID.every_ms + 1)
    assert tasted(told) == ["none"]


@pytest.mark.parametrize("rules", [None, '[[tag]]\nname = "gender"\nwhen = "true"\nenabled = false\n'])
def test_without_a_rule_that_asks_nothing_of_it_leaves_the_partition(rules: str | None) -> None:
    told = Story(replace(DEFAULT_LIMITS, churn=GRID)) if rules is None else story(rules)
    sampler: Any = told.partition.sampler
    sampler.guesses = True
    three(told)
    told.watermark(GRID.before(day(0.5)) + GRID.every_ms + 1)
    assert stated(told) == []
    assert tasted(told) == []


def test_only_a_share_of_users_are_examples() -> None:
    told = Story(replace(DEFAULT_LIMITS, churn=replace(GRID, share=0.0)), load_rules())
    three(told)
    told.watermark(GRID.before(day(0.5)) + GRID.every_ms + 1)
    assert stated(told) == []


@pytest.mark.parametrize(("asked", "replaced"), [("p_female", "gender"), ("p_inactive", "churn.risk")])
def test_a_rule_of_the_end_of_the_day_learns_what_a_model_said_though_no_other_rule_asks(
    asked: str, replaced: str
) -> None:
    told = story(f'[[tag]]\nname = "{replaced}"\nwhen = "{asked} > 0.6"\ndaily = true\n')
    told.apply(click(day(0)))
    told.watermark(day(3.5))
    told.partition.guess("u", Guess(0.7, day(3.5), "v"))
    told.partition.score("u", Score(0.7, day(3.5), DAY_MS, "mix", "v"))
    assert [f"{replaced}: null -> true at 4d-1ms (timer)"] == about(replaced, told.watermark(day(4)))


def test_a_guess_at_somebody_unknown_is_dropped() -> None:
    told = story()
    told.partition.guess("u", Guess(0.9, day(1), "v"))
    assert not told.knows_user()
