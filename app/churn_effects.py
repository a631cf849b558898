"""What the champion looks at: how much each topic moves the scores of today's users, and which way."""

from typing import Final

import numpy as np

from agents.churn.catalogue import PLACE
from agents.churn.ensemble import Ensemble
from agents.churn.models.numbers import Matrix, Vector
from agents.churn.reasons import TOPICS
from app.churn_data import Effect

MOST_USERS: Final = 200


def effects(ensemble: Ensemble, x: Matrix) -> list[Effect]:
    """The strongest first. `x`: everyone's features, of which some are taken evenly."""
    if not len(x):
        return []
    some = x[:: -(-len(x) // MOST_USERS)]
    found = [{reason.topic: reason.contribution for reason in ensemble.reasons(user)} for user in some]
    every = [_effect(topic, np.array([user[topic] for user in found]), some) for topic in TOPICS]
    return sorted(every, key=lambda each: -each.effect)


def _effect(topic: str, contributions: Vector, x: Matrix) -> Effect:
    correlations = {name: _correlation(x[:, PLACE[name]], contributions) for name in TOPICS[topic]}
    feature = max(correlations, key=lambda name: abs(correlations[name]))
    is_told = correlations[feature] != 0.0
    return Effect(
        topic=topic,
        effect=round(float(np.abs(contributions).mean()), 6),
        feature=feature if is_told else None,
        correlation=correlations[feature] if is_told else None,
        features=list(TOPICS[topic]),
    )


def _correlation(feature: Vector, contributions: Vector) -> float:
    """Pearson's, and 0 where one of both never changes."""
    if not np.ptp(feature) or not np.ptp(contributions):
        return 0.0
    return round(float(np.corrcoef(feature, contributions)[0, 1]), 6)
