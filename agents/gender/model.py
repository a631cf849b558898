"""The gender model: online logistic regression (river's, by AdaGrad) over the tastes of those who state it.

A model that has met somebody knows that user by heart. So there are two, each learning half of the users (by their
key) and judged by the other half: whoever says nothing has been met by neither, and is guessed at by both.
"""

from collections.abc import Iterable
from math import log
from typing import Any, Final

from river.linear_model import LogisticRegression
from river.optim import AdaGrad

from agents.gender.voice import Voice, Weights, chance, seen_in
from schemas.examples import Stated, UserKey

MIN_USERS: Final = 50
"""Nothing is said before so many of each gender were met."""
WORTH: Final = 0.9
"""Nor while the log loss is not so much less than that of always saying what share of them is female."""
KEPT: Final = 0.9
"""So much an instant's losses weigh at the next one."""
_RATE: Final = 0.3
_INTERCEPT_RATE: Final = 0.05


class GenderModel:
    """Learns instant by instant; the same examples in the same order give the same bits."""

    def __init__(self) -> None:
        self._halves = (_untaught(), _untaught())
        self._met: dict[bool, set[UserKey]] = {True: set(), False: set()}
        self._stated = {True: 1.0, False: 1.0}
        self.loss = 0.0
        self.base_loss = 0.0

    @property
    def speaks(self) -> bool:
        """Whether what it says is worth more than saying the same of everybody."""
        return min(map(len, self._met.values())) >= MIN_USERS and self.loss < WORTH * self.base_loss

    def learn(self, stated: Iterable[Stated]) -> None:
        """Be judged by each example of one instant, in the order of users, and then learn it."""
        self.loss, self.base_loss = self.loss * KEPT, self.base_loss * KEPT
        for each in stated:
            seen, half = seen_in(each.tastes), int(each.user, 16) % 2
            self._judge(chance(_weights(self._halves[1 - half]).odds(seen)), is_female=each.female)
            self._halves[half].learn_one(seen, each.female)
            if len(met := self._met[each.female]) < MIN_USERS:
                met.add(each.user)

    def _judge(self, p_female: float, *, is_female: bool) -> None:
        share = self._stated[True] / (self._stated[True] + self._stated[False])
        self.loss -= log(p_female if is_female else 1.0 - p_female)
        self.base_loss -= log(share if is_female else 1.0 - share)
        self._stated[is_female] += 1.0

    def voice(self, version: str) -> Voice | None:
        """What is to be said by it; None while it has nothing to say."""
        first, second = self._halves
        return Voice(version, (_weights(first), _weights(second))) if self.speaks else None


def _untaught() -> Any:
    """River has no types."""
    return LogisticRegression(AdaGrad(_RATE), intercept_lr=_INTERCEPT_RATE)


def _weights(model: Any) -> Weights:
    return Weights(float(model.intercept), dict(model.weights))
