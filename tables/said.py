"""What was said of a tag, as long as it may have to be taken back."""

from typing import Generic, TypeVar

from msgspec import Struct

from schemas.times import Millis

Value = TypeVar("Value")


class Said(Struct, Generic[Value], array_like=True, frozen=True, gc=False):
    """A change that was said and may still be withdrawn; sequence 0: it was not said."""

    at: Millis
    from_: Value | None
    to: Value | None
    sequence: int
