"""What the champion is compared with, each with all examples that have matured by then.

Recency alone (logistic regression on its logarithm) and boosting are fitted anew at every instant, BG/NBD too, to
everyone's history up to then; the online logistic regression is the ensemble's, which sees each example once.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from agents.churn.catalogue import PLACE
from agents.churn.horizon import Horizon
from agents.churn.models.bgnbd import BgNbd
from agents.churn.models.logistic import Logistic
from agents.churn.models.numbers import Matrix, Vector, likely
from agents.churn.models.recency import expected
from agents.churn.prequential import Instant
from bench.parts.instants import Cut, Users

Said: TypeAlias = dict[str, Vector]
RECENCY: Final = "recency alone"
ONLINE: Final = "online logistic regression"
BG_NBD: Final = "BG/NBD fitted on the past"
BOOSTING: Final = "boosting refitted on all"
BASELINES: Final = (RECENCY, ONLINE, BG_NBD, BOOSTING)
_RECENCY: Final = slice(PLACE["recency"], PLACE["recency"] + 1)


def baselines(cut: Cut, horizon: Horizon) -> Iterator[tuple[Said, bool]]:
    """What each says at each instant, and whether any label had matured: before, all but BG/NBD guess from recency."""
    online, bg_nbd = Logistic(horizon), BgNbd(horizon)
    matured: list[tuple[Matrix, Vector]] = []
    for instant in cut.instants:
        for old in cut.instants[len(matured) :]:
            if old.as_of + horizon.length_ms > instant.as_of:
                break
            matured.append((old.x, cut.labels(old.who, old.as_of, horizon.length_ms)))
            online.learn(*matured[-1], old.as_of)
        bg_nbd.refit(instant.x, instant.as_of)
        yield _said(instant, matured, online, bg_nbd, horizon), bool(matured)


def _said(
    instant: Instant[Users], matured: list[tuple[Matrix, Vector]], online: Logistic, bg_nbd: BgNbd, horizon: Horizon
) -> Said:
    x, guess = instant.x, expected(instant.x, horizon.days)
    said = {RECENCY: guess, ONLINE: guess, BG_NBD: bg_nbd.predict(x), BOOSTING: guess}
    if matured:
        past, labels = (np.concatenate(each) for each in zip(*matured, strict=True))
        if 0 < labels.sum() < len(labels):
            alone = LogisticRegression().fit(past[:, _RECENCY], labels)
            boosting = HistGradientBoostingClassifier(random_state=0).fit(past, labels)
            said[RECENCY] = alone.predict_proba(x[:, _RECENCY])[:, 1]
            said[ONLINE] = online.predict(x)
            said[BOOSTING] = boosting.predict_proba(x)[:, 1]
    return {name: likely(p) for name, p in said.items()}
