"""Numbers as people write them."""


def as_written(number: float) -> float:
    """What was worked out of decimal numbers, to twelve places: in binary ones it lies a little beside that.

    >>> 0.1 + 0.02, as_written(0.1 + 0.02)
    (0.12000000000000001, 0.12)
    """
    return round(number, 12)
