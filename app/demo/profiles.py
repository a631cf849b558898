"""Profiles of users of whom a history tells none: simulated, the same in every run, and labelled in every record.

Without consent, and a way to reach somebody, no campaign would speak to anybody. A profile is no activity.
"""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final, get_args

from app.demo.labels import Label, labelled_id
from app.demo.simulated import seeded
from schemas.events import AnyEvent, Profile, ReachChannel

TIMEZONES: Final[dict[str, tuple[str, int]]] = {
    "GB": ("Europe/London", 12),
    "DE": ("Europe/Berlin", 3),
    "FR": ("Europe/Paris", 3),
    "ES": ("Europe/Madrid", 1),
    "US": ("America/New_York", 1),
    "AU": ("Australia/Sydney", 1),
}
"""Of the countries that are made up: the time zone, and of how many users in a score or so."""

_CONSENT: Final[dict[ReachChannel, float]] = {"sms": 0.4, "email": 0.7, "push": 0.35, "wechat": 0.0, "phone": 0.1}
_REACHABLE: Final[dict[ReachChannel, float]] = {"sms": 0.8, "email": 0.95, "push": 0.6, "wechat": 0.0, "phone": 0.8}


def with_profiles(events: Iterable[AnyEvent], label: Label) -> Iterator[AnyEvent]:
    """The events as they are, sorted, and just before each user's first one a profile."""
    known: set[str] = set()
    for event in events:
        if event.user_id not in known:
            known.add(event.user_id)
            yield profile(event.user_id, event.ts, label)
        yield event


def profile(user_id: str, ts: int, label: Label) -> Profile:
    """A country with its time zone, what the user agreed to, and by which channels they can be reached."""
    random = seeded(label, "profile", user_id)
    countries = list(TIMEZONES)
    (country,) = random.choices(countries, [TIMEZONES[each][1] for each in countries])
    return Profile(
        event_id=labelled_id(label, "profile", user_id.removeprefix(f"{label}-")),
        user_id=user_id,
        ts=ts,
        session_id=label,
        kind="updated",
        attributes={"country": country, "timezone": TIMEZONES[country][0]},
        consent={channel: random.random() < _CONSENT[channel] for channel in get_args(ReachChannel)},
        reachable=[channel for channel in get_args(ReachChannel) if _is_reachable(random, channel)],
    )


def _is_reachable(random: Random, channel: ReachChannel) -> bool:
    return random.random() < _REACHABLE[channel]
