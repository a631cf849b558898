"""Decision trees as plain arrays, evaluated for many rows at once."""

from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agents.churn.models.numbers import Array, Matrix, Vector


class Trees(Struct, array_like=True, frozen=True):
    """Trees one after another, in one list of nodes.

    A row goes left where its feature is at most the threshold; a leaf has `left` 0. Children come after their parent.
    `roots`: where each tree starts.
    """

    roots: list[int]
    feature: Array
    threshold: Array
    left: Array
    right: Array
    value: Array

    @classmethod
    def none(cls) -> "Trees":
        """No tree."""
        return cls.of([], np.zeros((0, 5)))

    @classmethod
    def of(cls, roots: list[int], nodes: NDArray[np.float64]) -> "Trees":
        """Nodes as rows of feature, threshold, left, right, value."""
        feature, threshold, left, right, value = nodes.T
        whole = [Array.of(each, "<i4") for each in (feature, left, right)]
        return cls(roots, whole[0], Array.of(threshold), whole[1], whole[2], Array.of(value))

    def total(self, x: Matrix) -> Vector:
        """The sum of the trees' values for each row."""
        found = np.zeros(len(x))
        columns = np.ascontiguousarray(x.T)
        feature, left, right = (each.array().astype(np.int64) for each in (self.feature, self.left, self.right))
        threshold, value = self.threshold.array(), self.value.array()
        for root, end in pairwise((*self.roots, len(value))):
            at: dict[int, Vector | np.float64] = {}
            for node in range(end - 1, root - 1, -1):
                if not left[node]:
                    at[node] = value[node]
                else:
                    goes_left = columns[feature[node]] <= threshold[node]
                    at[node] = np.where(goes_left, at.pop(int(left[node])), at.pop(int(right[node])))
            found += at[root]
        return found
