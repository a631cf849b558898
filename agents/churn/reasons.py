"""Reasons: what of a user raises a score, and what lowers it, against the average user."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from agents.churn.catalogue import PLACE
from agents.churn.models.numbers import Matrix, Vector, log_odds

TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "time since the last activity": ("last_day", "recency", "order_recency"),
    "time known": ("age_days", "age"),
    "own rhythm": (
        *("gap_mean", "gap_recent", "gap_spread", "gap_last", "gap_longest"),
        *("overdue", "outwaited"),
    ),
    "how often ever": ("repeat_days", "frequency", "order_days", "orders"),
    "how often lately": ("days_10", "days_30", "days_90", "days_270", "orders_40"),
    "clicks": ("clicks_10", "clicks_40", "clicks", "clicks_per_order"),
    "cart": ("carts_40", "cart_open", "cart_recency"),
    "spend": ("spend_40", "spend", "basket", "basket_last", "max_order"),
    "returns": ("returns",),
    "season": ("weekend", "last_year"),
    "channel": ("channels", "channel_main"),
    "hour of the day": ("morning", "afternoon", "evening", "hours_main"),
}
"""Features that say the same in several ways are looked at together; each is in one topic."""


class Reason(NamedTuple):
    """What a topic adds to the log-odds of staying away, against the average user; and the features it is made of."""

    topic: str
    contribution: float
    features: tuple[str, ...]


def reasons(predict: Callable[[Matrix], Vector], user: Vector, average: Vector) -> list[Reason]:
    """The reasons for one user's score, the weightiest first; they add up to the distance from the average user's.

    The average user is turned into this one, topic by topic, from the first on and from the last on; a topic's part is
    the mean of the two turns.
    """
    places = [[PLACE[name] for name in names] for names in TOPICS.values()]
    onward, back = _turned(user, average, places), _turned(user, average, places[::-1])
    odds = log_odds(predict(np.array([*onward, *back])))
    forth, reverse = np.diff(odds[: len(onward)]), np.diff(odds[len(onward) :])[::-1]
    parts = (forth + reverse) / 2
    found = [Reason(topic, float(part), names) for (topic, names), part in zip(TOPICS.items(), parts, strict=True)]
    return sorted(found, key=lambda each: -abs(each.contribution))


def _turned(user: Vector, average: Vector, places: list[list[int]]) -> list[Vector]:
    """The average user, and after each topic became this user's."""
    found = [average.copy()]
    for group in places:
        found.append(found[-1].copy())
        found[-1][group] = user[group]
    return found
