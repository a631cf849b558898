"""What every model can do."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, TypeAlias

from agents.churn.models.numbers import Matrix, Vector
from schemas.times import Millis

Span: TypeAlias = Literal["horizon", "step"]


class Model(ABC):
    """P(no activity within the horizon), learnt from what has come true.

    The same calls in the same order give the same bits. `span`: whether it learns labels of the whole horizon, or
    those of one step of it.
    """

    name: ClassVar[str]
    span: Span = "horizon"

    @abstractmethod
    def learn(self, x: Matrix, y: Vector, as_of: Millis) -> None:
        """Take in the matured examples of one instant (rows of FEATURES, in order of user; 1: no activity)."""

    @abstractmethod
    def predict(self, x: Matrix) -> Vector:
        """P(inactive) of each row, within (1e-6, 1 - 1e-6), also before anything was learnt."""

    @abstractmethod
    def snapshot(self, *, whole: bool = True) -> bytes:
        """All that `restore` needs, in MessagePack; without what only further learning needs unless `whole`."""

    @abstractmethod
    def restore(self, snapshot: bytes) -> None:
        """Become what was said in a snapshot. Raises msgspec.MsgspecError or ValueError for what is none."""

    def refit(self, x: Matrix, as_of: Millis) -> None:  # noqa: B027  most models have nothing to do here
        """Settle what was learnt; `x`: the features of everyone at the newest instant, whose labels nobody knows."""
