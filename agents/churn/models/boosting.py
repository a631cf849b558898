"""Gradient boosting: scikit-learn's, small and held back, refitted on matured examples, exported as plain trees."""

from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from msgspec import Struct
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from agents.churn.horizon import Horizon
from agents.churn.models.beyond import BeyondBgNbd
from agents.churn.models.bgnbd import BgNbd
from agents.churn.models.numbers import Matrix, Vector
from agents.churn.models.reservoir import Part
from agents.churn.models.trees import Trees
from agents.churn.models.trust import Trust
from schemas.times import Millis

CAPACITY: Final = 24_000
LEAST: Final = 200
"""Fewer examples are not worth a tree."""
_SHAPE: Final[dict[str, Any]] = {
    "max_leaf_nodes": 8,
    "min_samples_leaf": 100,
    "max_iter": 60,
    "learning_rate": 0.1,
    "max_bins": 32,
    "max_features": 0.3,
    "l2_regularization": 10.0,
    "early_stopping": False,
    "random_state": 0,
}


class Grown(Struct, array_like=True, frozen=True):
    """Trees, and what is added to all their log-odds."""

    base: float = 0.0
    trees: Trees = Trees.none()


class _State(Struct, array_like=True):
    grown: Grown
    trust: Trust
    ripeness: float
    parts: list[Part]


class Boosting(BeyondBgNbd):
    """One that learns labels of the whole horizon."""

    name: ClassVar[str] = "boosting"

    def __init__(self, horizon: Horizon, bg_nbd: BgNbd) -> None:
        super().__init__(horizon, bg_nbd, CAPACITY)
        self._grown = Grown()

    def refit(self, x: Matrix, as_of: Millis) -> None:  # noqa: ARG002  all models have the same methods
        """Grow all trees anew."""
        if len(self._known) < LEAST:
            return
        known = self._known.examples()
        if 0 < known.y.sum() < len(known.y):
            self._grown = _grow(self._seen(known.x), known.y)
            self._ripen()

    def _said(self, x: Matrix) -> tuple[Vector, Vector]:
        seen = self._seen(x)
        return seen[:, -1], self._grown.base + self._grown.trees.total(seen)

    def _seen(self, x: Matrix) -> Matrix:
        """The features, and the log-odds of BG/NBD."""
        return np.column_stack([x, self._bg_nbd.odds(x, self._days)])

    def snapshot(self, *, whole: bool = True) -> bytes:
        """The trees and the trust, and the examples."""
        parts = self._known.parts() if whole else []
        return msgspec.msgpack.encode(_State(self._grown, self._trust, self._ripeness, parts))

    def restore(self, snapshot: bytes) -> None:
        """Take them over."""
        state = msgspec.msgpack.decode(snapshot, type=_State)
        self._grown, self._trust, self._ripeness = state.grown, state.trust, state.ripeness
        self._known.restore(state.parts)


class StepsBoosting(Boosting):
    """One that learns labels of one step, and chains them."""

    name: ClassVar[str] = "boosting_steps"
    span = "step"


def _grow(seen: Matrix, y: Vector) -> Grown:
    """One thread: sums over threads depend on their number in the last bits, and those turn splits over."""
    with threadpool_limits(1):
        return Grown(*exported(HistGradientBoostingClassifier(**_SHAPE).fit(seen, y)))


def exported(model: HistGradientBoostingClassifier) -> tuple[float, Trees]:
    """What it adds to all log-odds, and its trees."""
    roots: list[int] = []
    rows: list[tuple[float, ...]] = []
    for (tree,) in model._predictors:  # noqa: SLF001  scikit-learn has no other way to its trees
        roots.append(start := len(rows))
        for node in tree.nodes:
            down = (0, 0) if node["is_leaf"] else (start + int(node["left"]), start + int(node["right"]))
            threshold = 0.0 if node["is_leaf"] else float(node["num_threshold"])
            rows.append((float(node["feature_idx"]), threshold, *down, float(node["value"])))
    base = float(np.ravel(model._baseline_prediction)[0])  # noqa: SLF001  likewise
    return base, Trees.of(roots, np.array(rows, dtype=np.float64).reshape(-1, 5))
