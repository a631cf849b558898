"""One tag explained: its value, since when, why, and what else has to be said."""

from pathlib import Path

import pytest

from agents.limits import DEFAULT_LIMITS
from app.explain.explain import Basis, explain
from app.explain.explanation import Valueless
from app.explain.written import written
from app.rules_file import load_rules
from schemas.events import AnyEvent
from schemas.times import DAY_MS, HOUR_MS
from tests.agents.drive import cart, click, day, erased, message, order, tag
from tests.explain.people import explained, known, rules_file, tag_of

ORDERS: list[AnyEvent] = [order(day(number), order_id=f"o{number}", total=100) for number in range(8)]


def test_a_tag_tells_since_when_and_by_which_event() -> None:
    told = tag_of(explained(ORDERS, day(10)), "loyalty")
    assert (told.value, told.since, told.because, told.cause) == ("regular", day(4), "by an order", "order:4d")
    assert [event.words for event in told.events] == [f"paid order o{number}: 100.00" for number in (7, 6, 5, 4, 3)]
    assert told.more_events == 3
    assert [number.words for number in told.saw] == ["8 days with an order"]


def test_a_tag_that_time_brought_says_so_and_when_time_comes_next() -> None:
    told = tag_of(explained(ORDERS, day(20)), "rfm.recency")
    assert (told.value, told.since, told.because) == (4, day(14), "as time passed")
    assert told.looks_again_at == day(37)


def test_a_tag_that_reads_others_is_looked_at_again_with_them() -> None:
    told = explained(ORDERS, day(20))
    assert tag_of(told, "rfm.segment").looks_again_at == tag_of(told, "rfm.recency").looks_again_at


def test_events_behind_a_tag_that_reads_others_are_those_behind_the_others() -> None:
    told = explained([*ORDERS, click(day(9))], day(20))
    assert tag_of(told, "rfm.segment").events == tag_of(told, "rfm.monetary").events


def test_a_rule_that_reads_a_lifecycle_is_looked_at_again_when_that_moves(tmp_path: Path) -> None:
    rules = rules_file(tmp_path, 'name = "here"\nwhen = \'tag("lifecycle") == "active"\'')
    told = tag_of(explained(ORDERS, day(20), rules), "here")
    assert (told.value, told.looks_again_at) == (True, day(37))
    assert [event.type for event in told.events] == ["order"] * 5


def test_a_tag_set_by_hand_hides_the_rules_and_says_what_that_would_say() -> None:
    told = tag_of(
        explained([*ORDERS, tag(day(8), tag="loyalty", value="gold", ttl_ms=30 * DAY_MS)], day(10)), "loyalty"
    )
    assert (told.value, told.by_hand, told.rule_says) == ("gold", True, "regular")
    assert (told.since, told.because, told.ends_at) == (day(8), "by hand", day(38))
    assert told.notes == ["Set by hand until 2024-02-08 00:00 UTC, which hides what the rule says: regular."]
    assert [event.words for event in told.events] == ["tag loyalty set to gold by hand, for 30 days"]


def test_a_tag_set_by_hand_that_has_ended_shows_the_rules_again() -> None:
    told = tag_of(explained([*ORDERS, tag(day(8), tag="loyalty", value="gold", ttl_ms=DAY_MS)], day(10)), "loyalty")
    assert (told.value, told.by_hand, told.since, told.because) == ("regular", False, day(9), "as time passed")
    assert (told.ended, told.notes) == (None, ["Set by hand to gold until 2024-01-10 00:00 UTC."])


def test_a_tag_that_only_hands_set_has_no_rule() -> None:
    told = tag_of(explained([*ORDERS, tag(day(8), tag="friend", value=True)], day(10)), "friend")
    assert (told.value, told.rule, told.saw, told.ends_at) == (True, None, [], None)
    assert told.notes == ["Set by hand."]


def test_a_tag_whose_time_to_live_is_over_says_so(tmp_path: Path) -> None:
    rules = rules_file(tmp_path, 'name = "fresh"\nwhen = "orders() > 0"\nttl = "5d"')
    before, after = explained(ORDERS, day(4), rules), explained(ORDERS, day(12), rules, with_all=True)
    assert (tag_of(before, "fresh").value, tag_of(before, "fresh").ends_at) == (True, day(6, -1))
    assert tag_of(before, "fresh").looks_again_at == day(6, -1)
    told = tag_of(after, "fresh")
    assert (told.value, told.ended) == (None, True)
    assert told.notes == ["The time to live of yes is over: it lasts 5 days."]
    assert Valueless(name="fresh", ended=True) in after.valueless


def test_a_tag_that_was_set_by_hand_only_and_has_ended_tells_what_it_was() -> None:
    told = explained([*ORDERS, tag(day(8), tag="friend", value="gold", ttl_ms=DAY_MS)], day(10), with_all=True)
    assert Valueless(name="friend", ended="gold") in told.valueless
    assert tag_of(told, "friend").notes == ["Set by hand to gold until 2024-01-10 00:00 UTC."]


def test_a_tag_that_was_removed_by_hand_is_one_without_a_value() -> None:
    told = explained([*ORDERS, tag(day(8), tag="friend", value="gold"), tag(day(9), tag="friend")], day(10))
    assert Valueless(name="friend", ended=None) in told.valueless


def test_of_a_group_the_one_that_stands_is_named(tmp_path: Path) -> None:
    group = 'group = "offer"\npriority = '
    rules = rules_file(
        tmp_path,
        f'name = "small"\nwhen = "orders() > 0"\n{group}1',
        f'name = "large"\nwhen = "orders() > 3"\n{group}2',
    )
    told = explained(ORDERS, day(10), rules, with_all=True)
    assert tag_of(told, "large").value is True
    assert tag_of(told, "small").value is None
    assert tag_of(told, "small").notes == ["Only one tag of the group offer stands: large."]


def test_without_all_the_valueless_are_only_named() -> None:
    told = explained(ORDERS, day(10))
    valueless = {each.name for each in told.valueless}
    assert "returns.count" in valueless
    assert not {tag.name for tag in told.tags} & valueless
    assert {tag.name for tag in explained(ORDERS, day(10), with_all=True).tags} >= valueless


def test_an_abandoned_cart_tells_what_lies_in_it() -> None:
    told = tag_of(explained([cart(day(1), price=5)], day(3)), "cart.abandoned")
    assert (told.value, told.since, told.because) == (True, day(2), "as time passed")
    assert [number.words for number in told.saw] == [
        "1 item in the open cart",
        "last cart event 48 hours ago (2024-01-02 00:00 UTC)",
    ]
    assert told.ends_at == day(33, -1)


def test_rules_that_have_not_looked_at_a_user_yet_are_told_of(tmp_path: Path) -> None:
    about = known(ORDERS, day(10), load_rules())
    path = rules_file(tmp_path, 'name = "tier"\nversion = 7\nwhen = "orders() > 3"')
    told = explain(about, Basis(load_rules(path), written(path), DEFAULT_LIMITS))
    assert told.notes[0].startswith("The rules read here are not those that looked at this user last")
    tier = tag_of(told, "tier")
    assert (tier.value, tier.rule_says) == ("ordinary", True)
    assert tier.notes == [
        "Looked at now, the rule says: yes.",
        "Version 1 of the rule said so; it is now at version 7.",
    ]


def test_a_tag_of_a_rule_that_is_gone_is_still_told(tmp_path: Path) -> None:
    path = rules_file(tmp_path, 'name = "mine"\nwhen = "orders() > 3"')
    about = known(ORDERS, day(10), load_rules(path))
    told = explain(about, Basis(load_rules(), written(None), DEFAULT_LIMITS))
    assert tag_of(told, "mine").value is True
    assert tag_of(told, "mine").notes == ["There is no rule of this name here."]


def test_who_only_got_messages_was_not_looked_at() -> None:
    told = explained([message(day(1))], day(3))
    assert told.tags == []
    assert told.notes == ["No rule has looked at this user yet: nothing came that rules read, or they are new."]
    assert told.profile.first_activity is None


def test_of_the_erased_nothing_is_told_but_when() -> None:
    told = explained([*ORDERS, erased(day(9))], day(10))
    assert (told.tags, told.valueless, told.notes) == ([], [], [])
    assert (told.profile.erased_at, told.profile.orders) == (day(9), 0)


def test_the_profile_tells_who_this_is() -> None:
    profile = explained([click(day(0, -HOUR_MS)), *ORDERS], day(40)).profile
    assert (profile.first_activity, profile.last_activity) == (day(0, -HOUR_MS), day(7))
    assert (profile.clicks, profile.orders, profile.spend, profile.max_order) == (1, 8, 800.0, 100.0)
    assert [(life.value, life.since, life.changes_at) for life in profile.lifecycles] == [
        ("silent", day(37), day(67)),
        ("silent", day(37), day(67)),
    ]


@pytest.mark.parametrize("as_of", [day(7), day(30), day(90)])
def test_looked_at_again_every_rule_says_what_it_said(as_of: int) -> None:
    told = explained(ORDERS, as_of, with_all=True)
    assert all(tag.rule_says == tag.value for tag in told.tags)
