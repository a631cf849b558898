"""Profiles: the newest word on each attribute, on consent and on reachability."""

from itertools import permutations
from typing import Any

import pytest

from tables.row import MAX_ATTRIBUTES, Register
from tests.agents.drive import Story, day, profile


def values(story: Story) -> dict[str, object]:
    return {name: register.value for name, register in story.row().attributes.items()}


# day        0                  1               2
#            region north       gender f        region south
def test_the_newest_word_on_each_attribute_wins_in_every_order() -> None:
    words = [
        profile(day(0), "a", attributes={"region": "north", "user_type": 1}),
        profile(day(1), "b", attributes={"gender": "f"}),
        profile(day(2), "c", attributes={"region": "south"}),
    ]
    for arrivals in permutations(words):
        story = Story()
        story.apply(*arrivals, now=day(2))
        assert values(story) == {"region": "south", "user_type": 1, "gender": "f"}
        assert story.row().attributes["region"] == Register("south", day(2), "c")


def test_a_null_is_a_word_too() -> None:
    story = Story()
    story.apply(profile(day(0), attributes={"region": "north"}), profile(day(1), attributes={"region": None}))
    assert values(story) == {"region": None}


@pytest.mark.parametrize("kind", ["registered", "login", "updated", "consent", None])
def test_whatever_its_kind_a_profile_tells_what_it_carries(kind: str | None) -> None:
    story = Story()
    fields: dict[str, Any] = {"attributes": {"region": "north"}, "consent": {"sms": True}, "reachable": ["sms"]}
    story.apply(profile(day(0), kind=kind, **fields))
    row = story.row()
    assert values(story) == {"region": "north"}
    assert row.consent["sms"].value is True
    assert row.reachable == Register(["sms"], day(0), "0d")


def test_attributes_are_bounded_to_those_with_the_newest_words() -> None:
    story = Story()
    for number in range(MAX_ATTRIBUTES + 8):
        story.apply(profile(day(0, number), f"{number}", attributes={f"a{number}": number}))
    assert set(values(story).values()) == set(range(8, MAX_ATTRIBUTES + 8))


def test_consent_is_kept_for_each_channel() -> None:
    story = Story()
    story.apply(
        profile(day(1), "b", kind="consent", consent={"sms": False}),
        profile(day(0), "a", kind="consent", consent={"sms": True, "email": True}),
        now=day(1),
    )
    assert story.row().consent == {"sms": Register(False, day(1), "b"), "email": Register(True, day(0), "a")}


@pytest.mark.parametrize("turned", [False, True])
def test_reachability_is_one_sorted_word(turned: bool) -> None:
    words = [
        profile(day(0), "a", reachable=["phone"]),
        profile(day(1), "b", reachable=["sms", "email", "sms"]),
        profile(day(2), "c"),
    ]
    story = Story()
    story.apply(*(words[::-1] if turned else words), now=day(2))
    assert story.row().reachable == Register(["email", "sms"], day(1), "b")


def test_to_be_reachable_nowhere_is_a_word_too() -> None:
    story = Story()
    story.apply(profile(day(0), reachable=["sms"]), profile(day(1), "b", reachable=[]))
    assert story.row().reachable == Register([], day(1), "b")


@pytest.mark.parametrize("turned", [False, True])
def test_the_earliest_registration_counts(turned: bool) -> None:
    words = [profile(day(n), f"{n}", kind="registered") for n in (1, 2)]
    story = Story()
    story.apply(*(words[::-1] if turned else words))
    assert story.row().registered_at == day(1)


def test_a_login_is_no_registration() -> None:
    story = Story()
    story.apply(profile(day(0), kind="login"))
    assert story.row().registered_at is None
