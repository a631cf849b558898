"""Whose tastes are taken at an instant of the grid: to learn from, or to guess by."""

from typing import NamedTuple

from agents.gender.stated import Gender, gender_of, word_on_gender
from agents.gender.tastes import MIN_ACTIONS, tastes_of
from schemas.examples import Tastes
from schemas.times import Millis
from tables.row import Row


class Sample(NamedTuple):
    """A user's tastes, and the gender that the user states; None: nothing is stated."""

    tastes: Tastes
    stated: Gender | None


def sample(row: Row, since: Millis, *, guesses: bool) -> Sample | None:
    """The sample of one row, if it is worth the unpacking.

    Who states a gender is learnt from after each span of time in which something was done; who says nothing is guessed
    at likewise, and once in any case, while there is a model (`guesses`). Who states anything else is left alone.
    """
    is_fresh = row.lifecycle.last > since
    if row.portraits.added < MIN_ACTIONS or not (is_fresh or (guesses and row.guess is None)):
        return None
    word = word_on_gender(row)
    stated = gender_of(word)
    is_wanted = guesses if word is None else is_fresh and stated is not None
    tastes = tastes_of(row) if is_wanted else None
    return None if tastes is None else Sample(tastes, stated)
