"""A guess at what a user does not state, as a model said it."""

from msgspec import Struct

from schemas.times import Millis


class Guess(Struct, array_like=True, frozen=True, gc=False):
    """P(female) by what was known at `as_of`, and the version of the model that says so."""

    p_female: float
    as_of: Millis
    version: str
