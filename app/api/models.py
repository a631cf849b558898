"""GET /api/models: the models of churn that score now, each judged by what it said before it knew."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from app.api.route import Asked
from schemas.times import Millis

if TYPE_CHECKING:
    from agents.churn.ensemble import Ensemble


class Member(Struct, kw_only=True, frozen=True):
    """A candidate: its decayed log loss, over so many (decayed) examples; `weight`: what the mix believes of it.

    Null: no example has been judged yet; the mix knows nothing of it.
    """

    name: str
    log_loss: float | None
    examples: float
    weight: float | None


class CalibrationBin(Struct, kw_only=True, frozen=True):
    """Of users with about the same score: how many (decayed), what the mix said, and the share who stayed away."""

    users: float
    said: float
    came_true: float


class CalibrationShown(Struct, kw_only=True, frozen=True):
    """How the mix is stretched and shifted, in log-odds, and what that goes by."""

    slope: float
    shift: float
    bins: list[CalibrationBin]


class Models(Struct, kw_only=True, frozen=True):
    """The newest models that this worker has; nothing but the baseline before there are any.

    - `version`: the instant up to which they have learnt; `champion`: the candidate that scores
    - `horizon_ms`: a score is of no activity for so long
    - `members`: all candidates, the least loss first
    - `drift`: instants (ms) whose examples showed that the champion's loss had changed
    """

    version: str | None
    champion: str
    horizon_ms: Millis | None
    members: list[Member]
    calibration: CalibrationShown | None
    drift: list[Millis]


async def get_models(asked: Asked) -> Models:
    """What the newest models know of themselves."""
    ensemble, grid = asked.sources.ensemble(), asked.sources.settings.grid
    if ensemble is None:
        champion, horizon_ms = ("none", None) if grid is None else ("recency", grid.horizon_ms)
        return Models(
            version=None, champion=champion, horizon_ms=horizon_ms, members=[], calibration=None, drift=[]
        )  # fmt: skip
    return shown(ensemble)


def shown(ensemble: "Ensemble") -> Models:
    """What an ensemble knows of itself."""
    return Models(
        version=ensemble.version,
        champion=ensemble.champion,
        horizon_ms=ensemble.horizon.length_ms,
        members=sorted(_members(ensemble), key=lambda each: (each.log_loss is None, each.log_loss or 0.0, each.name)),
        calibration=_calibration(ensemble),
        drift=ensemble.drifts,
    )


def _members(ensemble: "Ensemble") -> Iterator[Member]:
    for name in ensemble.names:
        loss = ensemble.losses_of(name)
        log_loss = loss.mean if loss.examples else None
        yield Member(name=name, log_loss=log_loss, examples=loss.examples, weight=ensemble.weights.get(name))


def _calibration(ensemble: "Ensemble") -> CalibrationShown:
    known = ensemble.calibration
    bins = [CalibrationBin(users=users, said=said, came_true=true) for users, said, true in known.curve()]
    return CalibrationShown(slope=known.slope, shift=known.shift, bins=bins)
