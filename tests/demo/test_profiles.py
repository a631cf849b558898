"""Simulated profiles: one a user, before all else of theirs, the same each time, labelled, and no activity."""

from collections import Counter
from typing import get_args

from agents.recall.campaign import Quiet
from agents.recall.quiet import end_of_quiet
from app.demo.generated import generated_events
from app.demo.labels import cause_in_words
from app.demo.profiles import TIMEZONES, profile, with_profiles
from schemas.events import Profile, ReachChannel, cause_of
from schemas.times import DAY_MS

NOON = 1_704_110_400_000  # 2024-01-01T12:00:00Z


def test_every_user_has_one_profile_and_it_comes_first() -> None:
    events = generated_events(50)
    told = list(with_profiles(events, "generated"))
    assert [event for event in told if not isinstance(event, Profile)] == events
    seen: set[str] = set()
    for event in told:
        assert isinstance(event, Profile) == (event.user_id not in seen)
        seen.add(event.user_id)
    assert told == list(with_profiles(events, "generated"))


def test_a_profile_says_that_it_is_made_up_and_is_no_activity() -> None:
    made = profile("17850", NOON, "simulated")
    assert made.event_id == "simulated-profile-17850"
    assert made.session_id == "simulated"
    assert cause_in_words(cause_of(made)) == "profile, simulated"
    assert not made.is_activity


def test_most_users_agreed_to_something_and_some_to_nothing() -> None:
    made = [profile(f"u{number}", NOON, "simulated") for number in range(2_000)]
    agreed = Counter(channel for each in made for channel, is_agreed in (each.consent or {}).items() if is_agreed)
    assert all(400 < agreed[channel] < 1_600 for channel in ("sms", "email", "push"))
    assert any(not any((each.consent or {}).values()) for each in made)
    assert all(set(each.consent or {}) == set(get_args(ReachChannel)) for each in made)
    assert {len(each.reachable or []) for each in made} >= {1, 2, 3}


def test_every_time_zone_is_one_that_quiet_hours_know() -> None:
    made = [profile(f"u{number}", NOON, "simulated") for number in range(500)]
    assert {(each.attributes or {})["country"] for each in made} == set(TIMEZONES)
    night = Quiet(21 * 60, 9 * 60)
    ends = {country: end_of_quiet(night, NOON - DAY_MS // 2, zone) for country, (zone, _) in TIMEZONES.items()}
    assert ends["GB"] == NOON - DAY_MS // 2 + 9 * DAY_MS // 24
    assert ends["DE"] == NOON - DAY_MS // 2 + 8 * DAY_MS // 24
    assert ends["AU"] is None
