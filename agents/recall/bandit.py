"""The bandit: a Bayesian linear regression (river's) of the reward for each channel of each campaign.

Contextual bandit with disjoint linear arms, as in Li et al. 2010, with an epsilon-greedy policy over them.
"""

from collections.abc import Iterable
from typing import Any, Final

from river.linear_model import BayesianLinearRegression

from agents.recall.policy import Arm, Policy
from schemas.examples import Lesson
from schemas.money import CENTS

_ONE: Final = ""
"""The name of the feature that is always 1; no number of a context has it."""


class _Learner:
    """What one channel of a campaign brings."""

    def __init__(self) -> None:
        self._model: Any = BayesianLinearRegression()  # river has no types
        self._lessons = 0
        self._names: dict[str, None] = {}
        self._arm: Arm | None = None

    def learn(self, lesson: Lesson) -> None:
        self._model.learn_one({_ONE: 1.0, **lesson.context}, lesson.reward / CENTS)
        self._names.update(dict.fromkeys(lesson.context))
        self._lessons += 1
        self._arm = None

    def arm(self) -> Arm:
        """What it expects of nothing but one number being 1 is that number's weight."""
        if self._arm is None:
            one, *weights = (float(self._model.predict_one({name: 1.0})) for name in (_ONE, *self._names))
            self._arm = Arm(self._lessons, one, dict(zip(self._names, weights, strict=True)))
        return self._arm


class Bandit:
    """Learns lessons one by one; the same in the same order give the same bits."""

    def __init__(self) -> None:
        self._learners: dict[str, dict[str, _Learner]] = {}

    def learn(self, lessons: Iterable[Lesson]) -> None:
        """Learn what channels have brought."""
        for lesson in lessons:
            learners = self._learners.setdefault(lesson.campaign, {})
            learners.setdefault(lesson.channel, _Learner()).learn(lesson)

    def policy(self, version: str) -> Policy | None:
        """What was learnt so far, as a worker needs it; None: nothing was."""
        arms = {
            campaign: {channel: learner.arm() for channel, learner in learners.items()}
            for campaign, learners in self._learners.items()
        }
        return Policy(version, arms) if arms else None
