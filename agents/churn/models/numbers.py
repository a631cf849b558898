"""Probabilities and their log-odds, and arrays as plain bytes."""

from math import prod
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["<f4", "<f8", "<i4"]

HALF: Final = 0.5
LEAST: Final = 2e-6
"""No probability is nearer to 0 or 1."""


def likely(p: Vector) -> Vector:
    """Probabilities kept off 0 and 1."""
    return np.clip(p, LEAST, 1.0 - LEAST)


def log_odds(p: Vector) -> Vector:
    """ln(p / (1 - p)), finite."""
    kept = likely(p)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def chance(odds: Vector) -> Vector:
    """The probability of log-odds, kept off 0 and 1."""
    return likely(1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0))))


def log_loss(p: Vector, y: Vector) -> Vector:
    """-ln of the probability given to what came true, one by one."""
    kept = likely(p)
    return np.asarray(-np.log(np.where(y > HALF, kept, 1.0 - kept)))


def total(columns: Matrix, weights: Vector) -> Vector:
    """Each row's weighted sum, added column by column: the same bits for a row alone as among many."""
    found = np.zeros(len(columns))
    for place, weight in enumerate(weights):
        found += columns[:, place] * weight
    return found


class Array(Struct, array_like=True, frozen=True):
    """An array as its shape, the kind of its numbers (little-endian) and their bytes, row by row.

    Raises ValueError if bytes and shape differ; msgspec.ValidationError where it is decoded.
    """

    shape: tuple[int, ...]
    kind: Kind
    data: bytes

    def __post_init__(self) -> None:
        """Check that there are as many bytes as the shape says."""
        if min(self.shape, default=0) < 0 or prod(self.shape) * int(self.kind[-1]) != len(self.data):
            raise ValueError(f"{len(self.data)} bytes are no array of {self.shape} numbers of {self.kind[-1]} bytes")

    @classmethod
    def of(cls, values: NDArray[np.generic], kind: Kind = "<f8") -> "Array":
        """The array as bytes."""
        return cls(values.shape, kind, np.ascontiguousarray(values, dtype=kind).tobytes())

    def array(self) -> NDArray[np.float64]:
        """The array again, as doubles."""
        return np.frombuffer(self.data, dtype=self.kind).reshape(self.shape).astype(np.float64)
