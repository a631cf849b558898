"""How good scores are: AUC, log loss, Brier score, calibration, and how many of those who stay away they find."""

from math import ceil
from typing import Final, NamedTuple

import numpy as np

from agents.churn.models.numbers import Vector, log_loss

BINS: Final = 20


class Quality(NamedTuple):
    """AUC (higher is better), log loss, Brier score and expected calibration error (lower is better)."""

    auc: float
    log_loss: float
    brier: float
    ece: float


class Bin(NamedTuple):
    """Examples of like scores: the mean score, the share of them that stayed away, and how many they are."""

    p_inactive: float
    share_inactive: float
    examples: int


def quality(p: Vector, y: Vector) -> Quality:
    """All four, each example weighing the same. There has to be one; AUC as `auc`."""
    brier = float(((p - y) ** 2).mean())
    return Quality(auc(p, y, np.ones(len(y))), float(log_loss(p, y).mean()), brier, calibration_error(p, y))


def auc(p: Vector, y: Vector, weight: Vector) -> float:
    """The chance that who stays away has a higher score than who comes back, ties counting half.

    Not a number where nobody stays away, or nobody comes back.

    >>> auc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([0.0, 1.0, 0.0, 1.0]), np.ones(4))
    0.875
    """
    _, rank = np.unique(p, return_inverse=True)
    away, back = np.bincount(rank, weight * y), np.bincount(rank, weight * (1.0 - y))
    pairs = float(away.sum() * back.sum())
    below = np.cumsum(back) - back / 2
    return float((away * below).sum()) / pairs if pairs else float("nan")


def calibration(p: Vector, y: Vector) -> list[Bin]:
    """Scores against what came true, in 20 bins of as many examples each; fewer where there are fewer examples."""
    bins = np.array_split(np.argsort(p, kind="stable"), BINS)
    return [Bin(float(p[rows].mean()), float(y[rows].mean()), len(rows)) for rows in bins if len(rows)]


def calibration_error(p: Vector, y: Vector) -> float:
    """The mean distance of score and share, over the bins of `calibration`."""
    return sum(abs(each.p_inactive - each.share_inactive) * each.examples for each in calibration(p, y)) / len(p)


def found_in_top(p: Vector, y: Vector, share: float) -> float:
    """How many of those who stay away are among this share of all, those with the highest scores.

    Of equal scores as many as chance would take; a part of an example counts as that part.

    >>> found_in_top(np.array([0.9, 0.4, 0.4, 0.1]), np.array([1.0, 1.0, 0.0, 0.0]), 0.5)
    1.5
    """
    taken = share * len(p)
    edge = np.sort(p)[-ceil(taken)] if taken else np.inf
    above, equal = p > edge, p == edge
    left_over = (taken - above.sum()) * y[equal].mean() if taken else 0.0
    return float(y[above].sum() + left_over)
