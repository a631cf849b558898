"""How likely a user is to stay away, as the models see it, and what makes it so."""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from agents.churn.ensemble import Ensemble
from agents.churn.features import features
from agents.churn.restored import restored
from agents.churn.snapshot import Newest, Record, Snapshot, SnapshotError, records_of
from app.explain import explanation as told
from schemas.times import Millis
from tables.row import Row

SHOWN: Final = 0.05
"""Less than this, in log-odds, is not worth a word."""
_FILE: Final = msgspec.msgpack.Decoder(list[Record])


def outlook(row: Row, as_of: Millis, snapshot: Snapshot) -> told.Outlook | None:
    """The score as of a moment, and its reasons; None for who was never active. Raises SnapshotError."""
    return None if row.first is None else outlook_by(restored(snapshot), row, as_of)


def outlook_by(ensemble: Ensemble, row: Row, as_of: Millis) -> told.Outlook | None:
    """The same by models that are at hand."""
    if row.first is None:
        return None
    x = np.array([features(row, as_of)])
    p_inactive, model, version = ensemble.predict(x)
    found = [each for each in ensemble.reasons(x[0]) if abs(each.contribution) >= SHOWN]
    return told.Outlook(
        p_inactive=float(p_inactive[0]),
        horizon_ms=ensemble.horizon.length_ms,
        model=model,
        model_version=version,
        reasons=[told.Reason(topic=each.topic, contribution=each.contribution) for each in found],
    )


def write_models(snapshot: Snapshot, path: Path) -> None:
    """Keep models in a file. Raises OSError."""
    path.write_bytes(msgspec.msgpack.encode(records_of(snapshot)))


def read_models_file(path: Path) -> Snapshot:
    """The models in a file that a backtest wrote. Raises SnapshotError for what is none, OSError."""
    newest = Newest()
    try:
        newest.read(_FILE.decode(path.read_bytes()))
    except msgspec.MsgspecError:
        raise SnapshotError(f"{path} holds no models: name the models.msgpack of a backtest") from None
    snapshot = newest.snapshot()
    if snapshot is None:
        raise SnapshotError(f"{path} holds no whole models: name the models.msgpack of a backtest")
    return snapshot
