"""An online forest: river's aggregated Mondrian forest (Mourtada, Gaiffas and Scornet 2021) on a bounded sample.

It learns some examples of each instant, one by one. It is a function of the examples it has learnt since it was last
grown anew, which are kept: so a snapshot is those, and no object of river's.
"""

from math import exp
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from river.forest import AMFClassifier

from agents.churn.horizon import Horizon
from agents.churn.models.design import RAW, Scale
from agents.churn.models.model import Model
from agents.churn.models.numbers import HALF, Array, Matrix, Vector, likely
from agents.churn.models.recency import expected
from agents.churn.models.trees import Trees
from schemas.times import Millis

TREES: Final = 10
AN_INSTANT: Final = 100
"""So many examples of an instant are learnt."""
MOST: Final = 2_000
"""When the forest has learnt so many, it is grown anew from the newer half."""
PRIOR_USERS: Final = 100.0


class _State(Struct, array_like=True):
    scale: Scale | None
    x: Array
    y: Array
    trees: Trees


class Forest(Model):
    """Ten trees, exported after each instant."""

    name: ClassVar[str] = "forest"

    def __init__(self, horizon: Horizon) -> None:
        self._days = horizon.days
        self._scale: Scale | None = None
        self._x: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._y = np.zeros(0)
        self._forest = _planted()
        self._trees = Trees.none()

    def learn(self, x: Matrix, y: Vector, as_of: Millis) -> None:  # noqa: ARG002  all models have the same methods
        """Learn some of them, taken evenly over the order of users."""
        if not len(y):
            return
        self._scale = self._scale or Scale.of(x)
        rows = np.arange(min(len(y), AN_INSTANT)) * len(y) // min(len(y), AN_INSTANT)
        fresh, labels = self._seen(x[rows]).astype(np.float32), y[rows]
        self._x = np.concatenate([self._x, fresh]) if len(self._x) else fresh
        self._y = np.concatenate([self._y, labels])
        if len(self._y) > MOST:
            self._x, self._y = self._x[-MOST // 2 :], self._y[-MOST // 2 :]
            self._forest, fresh, labels = _planted(), self._x, self._y
        _teach(self._forest, fresh, labels)
        self._trees = exported(self._forest)

    def predict(self, x: Matrix) -> Vector:
        """The mean of the trees; of few examples, near to what recency alone lets expect."""
        prior = expected(x, self._days)
        if self._scale is None or not self._trees.roots:
            return likely(prior)
        found = self._trees.total(self._seen(x).astype(np.float32).astype(np.float64)) / TREES
        return likely((len(self._y) * found + PRIOR_USERS * prior) / (len(self._y) + PRIOR_USERS))

    def _seen(self, x: Matrix) -> Matrix:
        return (self._scale or Scale.of(x)).apply(x)[:, RAW:]

    def snapshot(self, *, whole: bool = True) -> bytes:
        """The trees, and the examples they were grown from."""
        x, y = (self._x, self._y) if whole else (self._x[:0], self._y)
        return msgspec.msgpack.encode(_State(self._scale, Array.of(x, "<f4"), Array.of(y, "<f4"), self._trees))

    def restore(self, snapshot: bytes) -> None:
        """Take them over, and grow the forest again."""
        state = msgspec.msgpack.decode(snapshot, type=_State)
        self._scale, self._trees = state.scale, state.trees
        self._x, self._y = state.x.array().astype(np.float32), state.y.array()
        self._forest = _planted()
        _teach(self._forest, self._x, self._y[: len(self._x)])


def _planted() -> Any:
    """River has no types."""
    return AMFClassifier(n_estimators=TREES, seed=0)


def _teach(forest: Any, x: NDArray[np.float32], y: Vector) -> None:
    for row, label in zip(x.tolist(), y.tolist(), strict=True):
        forest.learn_one(dict(enumerate(row)), label > HALF)


def exported(forest: Any) -> Trees:
    """Its trees, each leaf with the aggregated chance of True."""
    roots: list[int] = []
    rows: list[list[float]] = []
    for tree in forest:
        roots.append(len(rows))
        _export(tree, rows)
    return Trees.of(roots, np.array(rows, dtype=np.float64).reshape(-1, 5))


def _export(tree: Any, rows: list[list[float]]) -> None:
    """Nodes in preorder, without recursion: a tree may be deep. A leaf's value is what river would answer there."""
    waiting: list[tuple[Any, tuple[Any, ...], int, int]] = [(tree._root, (), -1, 0)]  # noqa: SLF001  no other way
    while waiting:
        node, above, parent, side = waiting.pop()
        place = len(rows)
        if parent >= 0:
            rows[parent][side] = place
        if node.is_leaf:
            rows.append([0.0, 0.0, 0.0, 0.0, _answer(tree, node, above)])
            continue
        rows.append([float(node.feature), float(node.threshold), 0.0, 0.0, 0.0])
        left, right = node.children
        waiting += [(right, (*above, node), place, 3), (left, (*above, node), place, 2)]


def _answer(tree: Any, leaf: Any, above: tuple[Any, ...]) -> float:
    """A leaf's share of True, mixed with those of all nodes above it by their weights."""
    positive = tree._class_to_idx.get(True)  # noqa: SLF001  likewise
    if positive is None:
        return 0.0
    found = _share(tree, leaf, positive)
    for node in reversed(above):
        weight = exp(node.weight - node.log_weight_tree)
        found = 0.5 * weight * _share(tree, node, positive) + (1.0 - 0.5 * weight) * found
    return found


def _share(tree: Any, node: Any, positive: int) -> float:
    """With Dirichlet's prior, as river smooths it."""
    hits = node.counts[positive] if positive < len(node.counts) else 0
    return float((hits + tree.dirichlet) / (node.n_samples + tree.dirichlet * len(tree._classes)))  # noqa: SLF001
