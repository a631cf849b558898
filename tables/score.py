"""A score: how likely a user is to stay away, as a model said it."""

from msgspec import Struct

from schemas.times import Millis


class Score(Struct, array_like=True, frozen=True, gc=False):
    """P(no activity in (as_of, as_of + horizon]), and the model, of a version, that says so."""

    p_inactive: float
    as_of: Millis
    horizon_ms: Millis
    model: str
    version: str
