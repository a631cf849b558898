"""The changes that stand, after others were taken back."""

from msgspec import UNSET

from app.explain.standing import newest_standing
from schemas.changes import TagChange, change_id


def change(number: int, at: int, to: str | None, tag: str = "t", corrects: tuple[int, int] | None = None) -> TagChange:
    return TagChange(
        id=change_id("u", tag, at, number), user_id="u", tag=tag, from_=None, to=to, at=at, cause="timer",
        rule_version=1, corrects=change_id("u", tag, corrects[1], corrects[0]) if corrects else UNSET,
    )  # fmt: skip


def test_the_newest_of_each_tag_stands() -> None:
    changes = [change(1, 5, "a"), change(2, 9, "b"), change(3, 7, "c", "other")]
    assert newest_standing(changes) == {"t": changes[1], "other": changes[2]}


def test_what_was_taken_back_does_not_stand() -> None:
    changes = [change(1, 5, "a"), change(2, 9, "b"), change(3, 9, "a", corrects=(2, 9))]
    assert newest_standing(changes) == {"t": changes[0]}


def test_what_was_said_later_of_the_same_instant_stands() -> None:
    changes = [change(2, 5, "b"), change(10, 5, "c"), change(9, 5, "d")]
    assert newest_standing(changes) == {"t": changes[1]}


def test_copies_do_no_harm() -> None:
    changes = [change(1, 5, "a"), change(2, 9, "b"), change(3, 9, "a", corrects=(2, 9))]
    assert newest_standing([*changes, *changes]) == {"t": changes[0]}


def test_of_a_tag_whose_only_change_was_taken_back_nothing_stands() -> None:
    assert newest_standing([change(1, 5, "a"), change(2, 5, None, corrects=(1, 5))]) == {}
