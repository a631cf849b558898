"""Whose tastes are taken: of those who state a gender, and of those who say nothing while a model speaks."""

from typing import Final

import pytest

from agents.gender.sample import Sample, sample
from agents.gender.tastes import tastes_of
from tables.guess import Guess
from tables.row import Row
from tests.agents.drive import Story, click, day, profile

GUESS: Final = Guess(0.5, 0, "v")


def row_of(word: str | None, clicks: int = 20) -> Row:
    """Of a user who last did something on day 3."""
    story = Story()
    story.apply(profile(day(0), attributes={"gender": word}))
    story.apply(*(click(day(3, number - clicks + 1), f"{number}", category="shoes") for number in range(clicks)))
    return story.row()


# word, guesses, something was done since, guessed before -> taken as (None: not taken; "": as somebody to guess at)
CASES: Final = [
    ("f", False, True, False, "female"),
    ("m", True, True, True, "male"),
    ("f", True, False, False, None),
    (None, False, True, False, None),
    (None, False, True, True, None),
    (None, True, True, True, ""),
    (None, True, False, False, ""),
    (None, True, False, True, None),
    ("diverse", True, True, False, None),
    ("diverse", True, False, False, None),
]


@pytest.mark.parametrize(("word", "guesses", "is_fresh", "is_guessed", "taken"), CASES)
def test_tastes_are_taken_where_they_are_of_use(
    word: str | None, *, guesses: bool, is_fresh: bool, is_guessed: bool, taken: str | None
) -> None:
    row = row_of(word)
    row.guess = GUESS if is_guessed else None
    found = sample(row, day(3, -1 if is_fresh else 0), guesses=guesses)
    tastes = tastes_of(row)
    assert tastes is not None
    assert found == (None if taken is None else Sample(tastes, taken or None))  # type: ignore[arg-type]  # as in CASES


def test_of_who_has_done_little_nothing_is_taken() -> None:
    assert sample(row_of("f", clicks=19), day(2), guesses=True) is None
