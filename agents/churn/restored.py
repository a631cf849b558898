"""Models from what a trainer published of them."""

import msgspec

from agents.churn.ensemble import Ensemble
from agents.churn.horizon import horizon
from agents.churn.snapshot import Snapshot, SnapshotError


def restored(snapshot: Snapshot) -> Ensemble:
    """The models of a snapshot. Raises SnapshotError for what this version cannot read."""
    ensemble = Ensemble(horizon(snapshot.horizon_ms, snapshot.every_ms))
    try:
        ensemble.restore(snapshot.body)
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise SnapshotError(f"the models cannot be read ({error})") from error
    return ensemble
