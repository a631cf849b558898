"""Matured examples to learn from again: those of the last instants, fewer of each the older it is."""

from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agents.churn.models.numbers import Array, Matrix, Vector
from schemas.times import DAY_MS, Millis

_KEPT: Final = 0.95
"""Of what an instant may hold, the one before it may hold so much."""
_ROUNDING: Final = 1e-6


class Examples(NamedTuple):
    """Rows of features, their labels, and how many days before the newest of them they were."""

    x: Matrix
    y: Vector
    days_ago: Vector


class Part(Struct, array_like=True, frozen=True):
    """The examples of one instant, as stored."""

    as_of: Millis
    x: Array
    y: Array


class Reservoir:
    """At most `capacity` examples, and at least one of each instant it still knows.

    While there is room, all stay. When there is none, each instant is thinned evenly, over the order of users, to its
    share of the room, which is greatest for the newest. Numbers are kept in single precision.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._parts: list[tuple[Millis, NDArray[np.float32], NDArray[np.float32]]] = []

    def __len__(self) -> int:
        return sum(len(y) for _, _, y in self._parts)

    @property
    def instants(self) -> int:
        """Of how many instants there are examples."""
        return len(self._parts)

    def add(self, x: Matrix, y: Vector, as_of: Millis) -> None:
        """Take in the examples of an instant, newer than those known."""
        if len(y):
            self._parts.append((as_of, x.astype(np.float32), y.astype(np.float32)))
            if len(self) > self._capacity:
                self._thin()

    def examples(self) -> Examples:
        """All of them, oldest first. Raises ValueError if there are none."""
        newest = self._parts[-1][0]
        days = [np.full(len(y), (newest - as_of) / DAY_MS) for as_of, _, y in self._parts]
        x = np.concatenate([x for _, x, _ in self._parts]).astype(np.float64)
        y = np.concatenate([y for _, _, y in self._parts]).astype(np.float64)
        return Examples(x, y, np.concatenate(days))

    def parts(self) -> list[Part]:
        """What is stored of them."""
        return [Part(as_of, Array.of(x, "<f4"), Array.of(y, "<f4")) for as_of, x, y in self._parts]

    def restore(self, parts: list[Part]) -> None:
        """Become what was stored."""
        self._parts = [
            (part.as_of, part.x.array().astype(np.float32), part.y.array().astype(np.float32)) for part in parts
        ]

    def _thin(self) -> None:
        """Bring each instant down to its share; what one needs less of is left to the older."""
        shares = _KEPT ** np.arange(len(self._parts))
        room, left, kept = float(self._capacity), float(shares.sum()), []
        for (as_of, x, y), share in zip(reversed(self._parts), shares.tolist(), strict=True):
            most = int(room * share / left + _ROUNDING)
            if not most:
                break
            rows = np.arange(min(most, len(y))) * len(y) // min(most, len(y))
            kept.append((as_of, x[rows], y[rows]))
            room, left = room - len(rows), left - share
        self._parts = kept[::-1]
