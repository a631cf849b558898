"""The tag `gender`, given what the model said of a user and when: the profile counts first, then the newest guess.

```
            midnight   midnight        midnight
login  guess .9   |  guess .78  |  "m"  ""  |           the word that was taken back leaves the guess
          female      female      male  female
```
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from app.rules_file import load_rules
from schemas.events import AnyEvent
from schemas.times import DAY_MS, Millis
from tables.guess import Guess
from tests.agents.drive import Story, click, day, erased, profile
from tests.oracle import effective
from tests.tags_oracle import FEMALE, MALE

SAID: Final = (0.05, 0.14, 0.15, 0.2, 0.24, 0.25, 0.5, 0.74, 0.75, 0.8, 0.84, 0.85, 0.95)
WORDS: Final = ("f", " Man", "diverse", None, "")
FEMALE_FROM: Final = {"female": 0.75, None: 0.85, "male": 0.8}
MALE_BELOW: Final = {"female": 0.2, None: 0.15, "male": 0.25}
"""By the tag at the end of the day before."""
BOOK: Final = load_rules()


class Deed(NamedTuple):
    """A word of the profile, or a guess, or (neither) a click."""

    at: Millis
    word: tuple[str | None, ...] = ()
    p_female: float | None = None


@st.composite
def deeds(draw: st.DrawFn) -> list[Deed]:
    found, at = [], day(0)
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from((1, DAY_MS // 2, DAY_MS, 5 * DAY_MS)))
        kind = draw(st.integers(0, 4))
        word = (draw(st.sampled_from(WORDS)),) if kind == 0 else ()
        found.append(Deed(at, word, draw(st.sampled_from(SAID)) if kind > 1 else None))
    return found


def told(found: Sequence[Deed]) -> Story:
    """A partition that was told all this, in order."""
    story = Story(rulebook=BOOK)
    story.apply(profile(day(0), kind="login"))
    for number, (at, word, p_female) in enumerate(found):
        if p_female is not None:
            story.watermark(at + 1)
            story.partition.guess("u", Guess(p_female, at, f"v{number}"))
        else:
            happened: AnyEvent = profile(at, f"{number}", attributes={"gender": word[0]}) if word else click(at)
            story.apply(happened)
    story.watermark(found[-1].at + DAY_MS)
    return story


def true(found: Sequence[Deed], before: str | None) -> str | None:
    """By all that was said up to now, and the tag at the end of the day before."""
    word = next((str(each.word[0] or "").strip().lower() for each in reversed(found) if each.word), "")
    p = next((each.p_female for each in reversed(found) if each.p_female is not None), None)
    if word:
        return "female" if word in FEMALE else "male" if word in MALE else None
    if p is None:
        return None
    return "female" if p >= FEMALE_FROM[before] else "male" if p < MALE_BELOW[before] else None


@given(deeds())
def test_the_tag_is_what_the_profile_states_and_else_what_the_newest_guess_is_sure_of(found: list[Deed]) -> None:
    story = told(found)
    said = msgspec.json.decode(msgspec.json.encode(story.changes))
    changes = effective(said, BOOK.names).get("u", {}).get("gender", [])
    before: str | None = None
    for end in range(day(1, -1), found[-1].at + DAY_MS, DAY_MS):
        known = [each for each in found if each.at <= end]
        before = true(known, before)
        event(f"{before}, {'stated' if any(each.word for each in known) else 'guessed at'}")
        assert next((to for at, _, to in reversed(changes) if at <= end), None) == before


@given(deeds())
def test_a_change_by_a_guess_names_the_version_that_said_it(found: list[Deed]) -> None:
    said = {each.at: f"gender:logistic@v{number}" for number, each in enumerate(found) if each.p_female is not None}
    for change in told(found).changes:
        if change.tag == "gender":
            assert change.cause == (said[change.at] if change.at in said else f"profile:{_word_at(found, change.at)}")


def _word_at(found: Sequence[Deed], at: Millis) -> int:
    return next(number for number, each in enumerate(found) if each.at == at)


@pytest.mark.parametrize("after", [(), (profile(day(9), kind="login"),)])
def test_who_is_erased_has_no_gender_any_more(after: tuple[AnyEvent, ...]) -> None:
    story = told([Deed(day(1), p_female=0.95)])
    story.apply(erased(day(8)), *after)
    story.watermark(day(10))
    assert [(change.from_, change.to) for change in story.changes if change.tag == "gender"][-1] == ("female", None)
    assert story.row().guess is None
    story.partition.guess("v", Guess(0.9, day(9), "v"))
    assert story.partition.table.get("v") is None
