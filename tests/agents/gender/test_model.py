"""The gender model: what it learns, and that it holds its tongue where it knows nothing."""

from collections.abc import Iterator
from math import log
from random import Random

import msgspec
import pytest

from agents.gender.model import KEPT, MIN_USERS, GenderModel
from agents.gender.tastes import BUCKETS
from agents.gender.voice import Voice
from schemas.examples import Stated, Tastes, user_key

INSTANTS = 12


def tastes(random: Random, lean: float) -> Tastes:
    """Of twelve categories, the first six of them so much more (or less, below 0) often; and noise."""
    weights = [random.expovariate(1) * (2.718**lean if number < 6 else 1) for number in range(12)]
    noise = {20 + random.randrange(900): 1000 // 8 for _ in range(8)}
    return {number: int(1000 * weight / sum(weights)) for number, weight in enumerate(weights)} | noise


def instants(users: int = 200, lean: float = 1.5, seed: int = 1, share: float = 0.5) -> Iterator[list[Stated]]:
    """What users say instant by instant: nearly the same tastes each time."""
    random = Random(seed)  # noqa: S311  a population, no secret
    kept = [
        (user_key(f"{number}"), female := random.random() < share, tastes(random, lean if female else -lean))
        for number in range(users)
    ]
    for as_of in range(INSTANTS):
        yield sorted(
            (Stated(user=user, as_of=as_of, female=female, tastes=seen) for user, female, seen in kept),
            key=lambda each: each.user,
        )


def learnt(history: Iterator[list[Stated]]) -> GenderModel:
    model = GenderModel()
    for stated in history:
        model.learn(stated)
    return model


def said(voice: Voice | None, lean: float) -> list[float]:
    random = Random(99)  # noqa: S311  likewise
    assert voice is not None
    return [voice.guess(tastes(random, lean), 7).p_female for _ in range(300)]


def test_what_distinguishes_those_who_state_it_tells_of_those_who_do_not() -> None:
    voice = learnt(instants()).voice("v")
    for lean in (1.5, -1.5):
        right = [p > 0.5 if lean > 0 else p < 0.5 for p in said(voice, lean)]
        assert sum(right) / len(right) > 0.9


@pytest.mark.parametrize("share", [0.5, 0.7])
@pytest.mark.parametrize("seed", range(5))
def test_where_tastes_say_nothing_nothing_is_said(seed: int, share: float) -> None:
    """Users are known by heart after a few instants: that must not be taken for knowledge of others."""
    model = learnt(instants(lean=0, seed=seed, share=share))
    assert model.loss > 0.95 * model.base_loss
    assert not model.speaks
    assert model.voice("v") is None


def test_nothing_is_said_before_enough_of_both_were_met() -> None:
    few = {"female": MIN_USERS - 1, "male": 400}
    model = GenderModel()
    for stated in instants(users=900):
        left = dict(few)
        for each in stated:
            left["female" if each.female else "male"] -= 1
            if left["female" if each.female else "male"] >= 0:
                model.learn([each])
    assert model.loss < 0.5 * model.base_loss
    assert not model.speaks
    model.learn([each for each in next(instants(users=900)) if each.female])
    assert model.speaks


def test_a_user_is_judged_by_what_others_taught_against_what_was_known_of_them_all() -> None:
    first, second = (Stated(user=user, as_of=0, female=True, tastes={1: 500}) for user in ("2", "4"))
    model = GenderModel()
    model.learn([first, second])
    assert model.loss == pytest.approx(2 * log(2)), "both are of the half that the untaught other one judges"
    assert model.base_loss == pytest.approx(log(2) - log(2 / 3))
    model.learn([])
    assert model.loss == pytest.approx(2 * KEPT * log(2)), "older losses count less"
    model.learn([msgspec.structs.replace(first, user="3")])
    assert 0 < model.loss - 2 * KEPT**2 * log(2) < log(2), "of the other half, and taught by these"


def test_a_voice_comes_back_from_its_bytes_as_it_was_and_they_are_few() -> None:
    voice = learnt(instants(users=400)).voice("2026-01-01T00:00:00Z")
    packed = msgspec.msgpack.encode(voice)
    again = msgspec.msgpack.decode(packed, type=Voice)
    assert said(again, 1.5) == said(voice, 1.5)
    assert again.version == again.guess({}, 5).version == "2026-01-01T00:00:00Z"
    assert len(packed) < 2 * BUCKETS * 13
    assert all(len(half.of) <= BUCKETS for half in again.halves)


def test_chances_stay_off_0_and_1() -> None:
    voice = learnt(instants()).voice("v")
    assert voice is not None
    extreme = dict.fromkeys(range(6), 10**9)
    assert 0.999 < voice.guess(extreme, 0).p_female < 1.0
