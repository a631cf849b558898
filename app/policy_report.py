"""Judges policies by what triggers have brought whose channel was drawn by chance.

```
decision 1 |---- window, lateness ----| lesson 1 is learnt
decision 2     |---- window, lateness ----| lesson 2 is learnt
decision 3                                   is expected, and chosen by the learned policy, from lessons 1 and 2
```

At each decision a policy, and what is expected, go by nothing but what was known then: so neither estimate is biased.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import numpy as np

from agents.recall.bandit import Bandit
from agents.recall.policy import UNIFORM
from app.off_policy import Logged, Numbers, doubly_robust, inverse_propensity
from app.policy_data import CampaignPolicies, Policies, PolicyValue
from schemas.examples import Lesson
from schemas.money import CENTS

_DIGITS: Final = 6


class Judge:
    """Judges by the `lessons` of a backtest, or instead by a `log` of live ones."""

    def __init__(self, log: Sequence[Lesson] | None = None) -> None:
        self.lessons: list[Lesson] = []
        self._log = log

    def policies(self) -> Policies:
        """What each policy is worth."""
        if self._log is None:
            return Policies(is_from_log=False, campaigns=judged(self.lessons))
        return Policies(is_from_log=True, campaigns=judged(self._log))


def judged(lessons: Iterable[Lesson]) -> list[CampaignPolicies]:
    """Each campaign by itself, by name; lessons in any order."""
    in_order = sorted(lessons, key=lambda each: (each.campaign, each.at, each.user, each.channel))
    return [_judged(name, list(group)) for name, group in groupby(in_order, key=lambda each: each.campaign)]


def _judged(campaign: str, lessons: Sequence[Lesson]) -> CampaignPolicies:
    channels = list(dict.fromkeys(name for each in lessons for name in each.propensities))
    places, users = {name: place for place, name in enumerate(channels)}, sorted({each.user for each in lessons})
    numbers = {user: number for number, user in enumerate(users)}
    logged = Logged(
        np.array([places[each.channel] for each in lessons]),
        np.array([each.propensities[each.channel] for each in lessons]),
        np.array([each.reward / CENTS for each in lessons]),
        np.array([numbers[each.user] for each in lessons]),
    )
    learned, expected = _foreseen(campaign, lessons, channels)
    targets = {
        "logged": _chances([each.propensities for each in lessons], channels),
        "in_order": _chances([_preferred("", each) for each in lessons], channels),
        "uniform": _chances([_even(each) for each in lessons], channels),
        "learned": learned,
        **{name: _chances([_preferred(name, each) for each in lessons], channels) for name in channels},
    }
    return CampaignPolicies(
        campaign=campaign,
        decisions=len(lessons),
        users=len(users),
        policies=[_value(name, logged, target, expected) for name, target in targets.items()],
    )


def _foreseen(campaign: str, lessons: Sequence[Lesson], channels: Sequence[str]) -> tuple[Numbers, Numbers]:
    """At each decision: the learned policy's chances, and what each channel was expected to bring."""
    bandit, policy = Bandit(), UNIFORM
    waiting = deque(sorted(lessons, key=lambda each: (each.as_of, each.user, each.at, each.channel)))
    chances, expected = [], []
    for each in lessons:
        known = []
        while waiting[0].as_of < each.at:
            known.append(waiting.popleft())
        if known:
            bandit.learn(known)
            policy = bandit.policy("") or UNIFORM
        chances.append(policy.propensities(campaign, list(each.propensities), each.context))
        arms = policy.arms.get(campaign, {})
        expected.append({name: arms[name].value(each.context) for name in each.propensities if name in arms})
    return _chances(chances, channels), _chances(expected, channels)


def _preferred(channel: str, lesson: Lesson) -> dict[str, float]:
    """One channel where it is open, else the first that is."""
    return {channel if channel in lesson.propensities else next(iter(lesson.propensities)): 1.0}


def _even(lesson: Lesson) -> dict[str, float]:
    return dict.fromkeys(lesson.propensities, 1 / len(lesson.propensities))


def _chances(found: Sequence[dict[str, float]], channels: Sequence[str]) -> Numbers:
    return np.array([[each.get(name, 0.0) for name in channels] for each in found])


def _value(name: str, logged: Logged, target: Numbers, expected: Numbers) -> PolicyValue:
    ips, robust = inverse_propensity(logged, target), doubly_robust(logged, target, expected)
    return PolicyValue(
        policy=name,
        inverse_propensity=round(ips.value, _DIGITS),
        inverse_propensity_error=round(ips.error, _DIGITS),
        doubly_robust=round(robust.value, _DIGITS),
        doubly_robust_error=round(robust.error, _DIGITS),
    )
