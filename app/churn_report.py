"""How good the predictions of a backtest were: of every model, by time, and of whichever was believed."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from agents.churn import quality
from agents.churn.models.numbers import Vector
from agents.churn.trainer import Turn
from app.churn_data import CHAMPION, CalibrationBin, Churn, Gain, Instant, Model, Scores
from app.churn_effects import effects
from app.predictions import Predictions
from schemas.times import format_span

SHARES: Final = (0.05, 0.1, 0.2, 0.3, 0.5)
_DIGITS: Final = 6


def churn(predictions: Predictions) -> Churn:
    """What was said, and how much of it came true."""
    turns, ensemble, grid = predictions.turns, predictions.trainer.ensemble, predictions.grid
    labels = [np.array(predictions.labels(turn), dtype=float) for turn in turns]  # None becomes not a number
    waited = sum(turn.as_of < turns[0].as_of + grid.wait_ms(grid.horizon_ms) for turn in turns)
    models = [model(name, [turn.said[name] for turn in turns], labels, waited) for name in ensemble.names]
    return Churn(
        every=format_span(grid.every_ms),
        horizon=format_span(grid.horizon_ms),
        predictions=sum(len(turn.users) for turn in turns),
        share_inactive=_share(np.concatenate([np.empty(0), *labels])),
        champion=model(CHAMPION, [turn.said[turn.champion] for turn in turns], labels, waited),
        models=sorted(models, key=lambda each: each.scores.log_loss or 0.0),
        instants=[_instant(turn, y) for turn, y in zip(turns, labels, strict=True)],
        effects=effects(ensemble, turns[-1].x) if turns else [],
        drifts=ensemble.drifts,
        weights={name: round(weight, _DIGITS) for name, weight in ensemble.weights.items()},
    )


def model(name: str, said: Sequence[Vector], labels: Sequence[Vector], waited: int) -> Model:
    """One model, from its scores at each instant and what came true: 1 inactive, 0 active, else not known.

    `waited`: at so many instants no label of the horizon was known yet.
    """
    known = [(p[~np.isnan(y)], y[~np.isnan(y)]) for p, y in zip(said, labels, strict=True)]
    each = [_scores(*scored) for scored in known]
    whole = _pooled(known)
    return Model(
        name=name,
        scores=_scores(*whole),
        scores_informed=_scores(*_pooled(known[waited:])),
        calibration=[
            CalibrationBin(p_inactive=_rounded(p), share_inactive=_rounded(share), labelled=labelled)
            for p, share, labelled in quality.calibration(*whole)
        ],
        gains=[_gain(share, known) for share in SHARES],
        auc=[scores.auc for scores in each],
        log_loss=[scores.log_loss for scores in each],
    )


def _pooled(known: Sequence[tuple[Vector, Vector]]) -> tuple[Vector, Vector]:
    none = np.empty(0)
    return np.concatenate([none, *(p for p, _ in known)]), np.concatenate([none, *(y for _, y in known)])


def _scores(p: Vector, y: Vector) -> Scores:
    if not len(y):
        return Scores(labelled=0, auc=None, log_loss=None, brier=None, calibration_error=None)
    found = quality.quality(p, y)
    return Scores(
        labelled=len(y),
        auc=None if np.isnan(found.auc) else _rounded(found.auc),
        log_loss=_rounded(found.log_loss),
        brier=_rounded(found.brier),
        calibration_error=_rounded(found.ece),
    )


def _gain(share: float, known: Sequence[tuple[Vector, Vector]]) -> Gain:
    """At each instant by itself, as a campaign would; then all instants together."""
    away = sum(float(y.sum()) for _, y in known)
    if not away:
        return Gain(share=share, found=None, best=None, lift=None)
    found = sum(quality.found_in_top(p, y, share) for p, y in known)
    best = sum(min(share * len(y), float(y.sum())) for _, y in known)
    by_chance = share * away
    return Gain(share=share, found=_rounded(found / away), best=_rounded(best / away), lift=_rounded(found / by_chance))


def _instant(turn: Turn, y: Vector) -> Instant:
    return Instant(
        as_of=turn.as_of,
        users=len(turn.users),
        labelled=int((~np.isnan(y)).sum()),
        share_inactive=_share(y),
        p_inactive=_rounded(turn.said[turn.champion].mean()),
        champion=turn.champion,
    )


def _share(labels: Vector) -> float | None:
    known = labels[~np.isnan(labels)]
    return _rounded(known.mean()) if len(known) else None


def _rounded(figure: float | np.floating) -> float:
    return round(float(figure), _DIGITS)
