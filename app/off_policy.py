"""What another policy would have brought, from decisions that were drawn by chance with known propensities.

Inverse propensity scoring (Horvitz and Thompson 1952) and the doubly robust estimator (Dudik, Langford and Li 2011).
Standard errors take the decisions about one user together, as they are not independent.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]


class Estimate(NamedTuple):
    """A value a decision, and its standard error."""

    value: float
    error: float


class Logged(NamedTuple):
    """A line a decision: the place of the channel that was chosen, with how much chance, its reward, and whose it is.

    `users`: numbers from 0 on.
    """

    chosen: Places
    propensity: Numbers
    reward: Numbers
    users: Places


def inverse_propensity(logged: Logged, target: Numbers) -> Estimate:
    """The value of a policy that chooses each channel with the chances in `target`: a line a decision."""
    return _mean(_ratio(logged, target) * logged.reward, logged.users)


def doubly_robust(logged: Logged, target: Numbers, expected: Numbers) -> Estimate:
    """Likewise, about what each channel was `expected` to bring by a model that knew nothing of the decision's reward.

    It is unbiased however wrong that model is, and varies the less the better it is.
    """
    lines = np.arange(len(logged.chosen))
    surprise = logged.reward - expected[lines, logged.chosen]
    return _mean((target * expected).sum(axis=1) + _ratio(logged, target) * surprise, logged.users)


def _ratio(logged: Logged, target: Numbers) -> Numbers:
    ratio: Numbers = target[np.arange(len(logged.chosen)), logged.chosen] / logged.propensity
    return ratio


def _mean(values: Numbers, users: Places) -> Estimate:
    mean = float(values.mean())
    by_user = np.bincount(users, values - mean)
    return Estimate(mean, float(np.sqrt((by_user**2).sum())) / len(values))
