"""How sure a difference between two models is."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.churn.models.numbers import Vector, log_loss
from agents.churn.quality import auc

ROUNDS: Final = 200


class Gain(NamedTuple):
    """How much the first is better than the second, with a 95 % interval over users."""

    mean: float
    low: float
    high: float


def gains(ours: Vector, theirs: Vector, y: Vector, user: NDArray[np.int64]) -> tuple[Gain, Gain]:
    """What we gain over them in AUC and in log loss; users are drawn again and again, each with all examples."""
    random, users = np.random.default_rng(0), int(user.max()) + 1
    better = log_loss(theirs, y) - log_loss(ours, y)
    found = []
    for _ in range(ROUNDS):
        weight = random.multinomial(users, np.full(users, 1 / users))[user].astype(np.float64)
        found.append((auc(ours, y, weight) - auc(theirs, y, weight), float((weight * better).sum() / weight.sum())))
    in_auc, in_loss = np.array(found).T
    ones = np.ones(len(y))
    return _gain(auc(ours, y, ones) - auc(theirs, y, ones), in_auc), _gain(float(better.mean()), in_loss)


def _gain(mean: float, drawn: Vector) -> Gain:
    return Gain(mean, *np.quantile(drawn, (0.025, 0.975)).tolist())
