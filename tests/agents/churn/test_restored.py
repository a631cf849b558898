"""Models come back from what a trainer published of them, or are refused in one line."""

import numpy as np
import pytest

from agents.churn.catalogue import FEATURES
from agents.churn.grid import Grid
from agents.churn.restored import restored
from agents.churn.snapshot import Snapshot, SnapshotError
from agents.churn.trainer import Trainer
from schemas.times import DAY_MS

GRID = Grid(15 * DAY_MS, 60 * DAY_MS)


def test_models_come_back_for_the_grid_that_they_were_trained_on() -> None:
    snapshot = Trainer(GRID, 1).snapshot(7)
    assert (snapshot.as_of, snapshot.every_ms, snapshot.horizon_ms) == (7, GRID.every_ms, GRID.horizon_ms)
    ensemble = restored(snapshot)
    assert ensemble.horizon == GRID.horizon
    assert ensemble.predict(np.zeros((1, len(FEATURES)))).model


@pytest.mark.parametrize("body", [b"", b"{}", Trainer(Grid(DAY_MS, DAY_MS), 1).snapshot(7).body])
def test_what_is_no_snapshot_of_these_models_is_refused(body: bytes) -> None:
    with pytest.raises(SnapshotError, match="the models cannot be read"):
        restored(Snapshot(7, GRID.every_ms, GRID.horizon_ms, body))
