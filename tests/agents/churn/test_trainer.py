"""The trainer: what it learns does not depend on how the partitions' examples came among each other."""

from random import Random
from typing import Final

import msgspec
import numpy as np
import pytest

from agents.churn.catalogue import FEATURES, FINGERPRINT
from agents.churn.ensemble import Ensemble
from agents.churn.grid import Grid
from agents.churn.trainer import Trainer, Turn
from agents.gender import model
from schemas.events import RecallChannel
from schemas.examples import Example, Features, Label, Lesson, Stated, Swept
from schemas.times import DAY_MS

GRID: Final = Grid(15 * DAY_MS, 30 * DAY_MS, 0)
INSTANTS: Final = [number * GRID.every_ms for number in range(1, 6)]
USERS: Final = [f"{number:016x}" for number in range(30)]
VALUES: Final = [1.0] * len(FEATURES)


def stated(user: str, as_of: int) -> Stated:
    number = USERS.index(user)
    return Stated(user=user, as_of=as_of, female=number % 4 > 1, tastes={number % 4 // 2: 600, 2: 100 + number})


def lesson(user: str, as_of: int) -> Lesson:
    """What a trigger two days ago has brought by half a day before an instant."""
    number = USERS.index(user)
    channel: RecallChannel = "push" if number % 2 else "sms"
    return Lesson(
        user=user,
        at=as_of - 2 * DAY_MS,
        as_of=as_of - DAY_MS // 2,
        campaign="silent",
        channel=channel,
        propensities={"push": 0.5, "sms": 0.5},
        context={"recency": number % 5 / 2},
        reward=number * (as_of // DAY_MS),
    )


def examples(partition: int, partitions: int) -> list[Example]:
    """What a partition says: at each instant features and labels of its users, then that it is done."""
    said: list[Example] = []
    for as_of in INSTANTS:
        for number, user in list(enumerate(USERS))[partition::partitions]:
            values = [float((number * 7 + place + as_of // DAY_MS) % 11) for place in range(len(FEATURES))]
            said.append(Features(user=user, as_of=as_of, values=values, catalogue=FINGERPRINT))
            said.append(stated(user, as_of))
            said.append(lesson(user, as_of))
            thens = ((as_of - GRID.wait_ms(span_ms), span_ms) for span_ms in GRID.spans_ms)
            said += [
                Label(user=user, as_of=then, span_ms=span_ms, inactive=number % 3 == 0)
                for then, span_ms in thens
                if then >= INSTANTS[0]
            ]
        said.append(Swept(partition=partition, as_of=as_of))
    return said


def interleaved(lanes: list[list[Example]], random: Random) -> list[Example]:
    lanes = [list(lane) for lane in lanes]
    found = []
    while any(lanes):
        found.append(random.choice([lane for lane in lanes if lane]).pop(0))
    return found


def turns(said: list[Example], partitions: int, every: int = 1) -> list[Turn]:
    return learnt(said, partitions, every)[0]


def learnt(said: list[Example], partitions: int, every: int = 1) -> tuple[list[Turn], Trainer]:
    trainer, found = Trainer(GRID, partitions), list[Turn]()
    for number, example in enumerate(said, start=1):
        trainer.take(example)
        while number % every == 0 and (turn := trainer.turn()) is not None:
            found.append(turn)
    while (turn := trainer.turn()) is not None:
        found.append(turn)
    return found, trainer


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gender model speaks when it has met ten users of each gender."""
    monkeypatch.setattr(model, "MIN_USERS", 10)


@pytest.fixture(scope="module")
def expected() -> list[Turn]:
    return turns(examples(0, 1), 1)


def test_everyone_has_a_turn_at_each_instant(expected: list[Turn]) -> None:
    assert [(turn.as_of, len(turn.users)) for turn in expected] == [(as_of, len(USERS)) for as_of in INSTANTS]


@pytest.mark.parametrize("seed", range(3))
def test_neither_the_partitions_nor_the_order_among_them_make_a_difference(seed: int, expected: list[Turn]) -> None:
    random = Random(seed)  # noqa: S311  an order, no secret
    said = interleaved([examples(number, 3) for number in range(3)], random)
    twice = [each for each in said for _ in range(random.choice([1, 2]))]
    for found in (turns(said, 3), turns(twice, 3, every=17)):
        for one, other in zip(found, expected, strict=True):
            assert (one.as_of, one.users, one.champion, one.version) == (
                other.as_of, other.users, other.champion, other.version,
            )  # fmt: skip
            assert all(np.array_equal(one.said[name], other.said[name]) for name in other.said)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("seed", range(3))
def test_what_is_learnt_of_gender_is_the_same_however_the_examples_came(seed: int) -> None:
    _, one = learnt(examples(0, 1), 1)
    random = Random(seed)  # noqa: S311  an order, no secret
    said = interleaved([examples(number, 3) for number in range(3)], random)
    _, other = learnt([each for each in said for _ in range(random.choice([1, 2]))], 3, every=17)
    assert one.ensemble.gender is not None
    assert one.ensemble.gender == other.ensemble.gender
    assert one.ensemble.gender.version == one.ensemble.version


@pytest.mark.usefixtures("soon")
def test_the_model_of_gender_travels_with_the_others_and_models_of_before_it_have_none() -> None:
    ensemble = learnt(examples(0, 1), 1)[1].ensemble
    scorer = Ensemble(GRID.horizon)
    scorer.restore(ensemble.snapshot(whole=False))
    assert scorer.gender == ensemble.gender is not None
    older = msgspec.msgpack.encode(msgspec.msgpack.decode(ensemble.snapshot())[:-3])
    scorer.restore(older)
    assert scorer.gender is None
    assert scorer.channels is None
    assert scorer.champion == ensemble.champion


@pytest.mark.parametrize("seed", range(3))
def test_what_is_learnt_of_channels_is_the_same_however_the_examples_came(seed: int) -> None:
    _, one = learnt(examples(0, 1), 1)
    random = Random(seed)  # noqa: S311  an order, no secret
    _, other = learnt(interleaved([examples(number, 3) for number in range(3)], random), 3, every=17)
    channels = one.ensemble.channels
    assert channels is not None
    assert channels == other.ensemble.channels
    assert channels.version == one.ensemble.version
    assert {name: arm.lessons for name, arm in channels.arms["silent"].items()} == {"push": 75, "sms": 75}


def test_what_is_learnt_of_channels_travels_with_the_models() -> None:
    ensemble = learnt(examples(0, 1), 1)[1].ensemble
    scorer = Ensemble(GRID.horizon)
    scorer.restore(ensemble.snapshot(whole=False))
    assert scorer.channels == ensemble.channels is not None


def test_a_lesson_of_later_than_an_instant_is_not_learnt_in_its_turn() -> None:
    trainer = Trainer(GRID, 1)
    early, late = lesson(USERS[0], INSTANTS[0]), lesson(USERS[1], INSTANTS[1])
    first = [each for each in examples(0, 1) if each.as_of <= INSTANTS[0] and not isinstance(each, Lesson)]
    for example in (late, early, *first):
        trainer.take(example)
    assert trainer.turn() is not None
    channels = trainer.ensemble.channels
    assert channels is not None
    assert set(channels.arms["silent"]) == {"sms"}


def test_a_lesson_that_is_said_twice_is_learnt_once() -> None:
    said = [each for each in examples(0, 1) for _ in range(2)]
    channels = learnt(said, 1, every=1_000_000)[1].ensemble.channels
    assert channels == learnt(examples(0, 1), 1)[1].ensemble.channels


def test_no_turn_comes_before_the_last_partition_is_done() -> None:
    first, second = (examples(number, 2) for number in range(2))
    trainer = Trainer(GRID, 2)
    for example in (*first, *second[:-1]):
        trainer.take(example)
    assert trainer.due == INSTANTS[0]
    done = []
    while (turn := trainer.turn()) is not None:
        done.append(turn.as_of)
    assert done == INSTANTS[:-1]


def test_a_user_without_a_label_teaches_nothing() -> None:
    said = [each for each in examples(0, 1) if not (isinstance(each, Label) and each.user == USERS[0])]
    assert [len(turn.users) for turn in turns(said, 1)] == [len(USERS)] * len(INSTANTS)


def test_features_of_another_version_are_left_out(expected: list[Turn]) -> None:
    decode = msgspec.json.Decoder(Example).decode
    old = decode(msgspec.json.encode({"kind": "features", "user": "f" * 16, "as_of": INSTANTS[0], "values": VALUES}))
    newer = Features(user="e" * 16, as_of=INSTANTS[0], values=VALUES, catalogue="0" * 16)
    assert [turn.users for turn in turns([old, newer, *examples(0, 1)], 1)] == [turn.users for turn in expected]
