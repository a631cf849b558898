"""What counts as stated, and what is a word that says neither."""

from typing import Any

import pytest

from agents.gender.stated import gender_of, word_on_gender
from tests.agents.drive import Story, day, profile


@pytest.mark.parametrize(
    ("word", "gender"),
    [
        *((word, "female") for word in ("f", "F", "female", " Woman\t", "W", "女")),
        *((word, "male") for word in ("m", "MALE", "man ", "男")),
        *((word, None) for word in ("", "x", "females", "diverse", "fm", 1, 0, True, 2.0, None, ["f"])),
    ],
)
def test_a_word_means_female_male_or_neither(word: Any, gender: str | None) -> None:
    assert gender_of(word) == gender


@pytest.mark.parametrize(
    ("words", "known"), [((), None), (("f",), "f"), (("f", "x"), "x"), (("f", None), None), (("f", " "), None)]
)
def test_the_newest_word_of_the_profile_counts_and_an_empty_one_takes_it_back(
    words: tuple[str | None, ...], known: str | None
) -> None:
    story = Story()
    story.apply(profile(day(0), kind="login"))
    for number, word in enumerate(words, start=1):
        story.apply(profile(day(number), attributes={"gender": word}))
    assert word_on_gender(story.row()) == known
