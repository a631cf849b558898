"""When two values of a tag are the same."""

from schemas.events import Scalar


def same(one: Scalar, other: Scalar) -> bool:
    """Equal, and of one JSON type.

    >>> same(1, 1.0), same(1, True)
    (True, False)
    """
    return one is other or (isinstance(one, bool) == isinstance(other, bool) and one == other)
