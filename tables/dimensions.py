"""Dimensions: by what actions are told apart, and what else is counted of them."""

from typing import Final, Literal, TypeAlias, get_args

Dimension: TypeAlias = Literal["category", "brand", "channel", "price_band", "hour"]
Done: TypeAlias = Literal[
    "search",
    "favorite",
    "share",
    "compare",
    "review",
    "coupon_claim",
    "campaign_join",
    "remove",
    "checkout",
    "coupon_used",
    "return",
]

DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
DONE: Final[dict[str | None, int]] = {name: place for place, name in enumerate(get_args(Done))}
"""What is counted by itself, as the number under which a row keeps it."""

MAX_LABEL: Final = 64
"""Values of category, brand and channel are told apart by so many characters."""
HOURS: Final = 24
BAND_LABELS: Final = ("0-1", *(f"{2**power}-{2 ** (power + 1)}" for power in range(34)))


def band_of(price: float) -> int:
    """The band of a price, as a place in BAND_LABELS: bands end at powers of two, all below 1 is one band.

    >>> [BAND_LABELS[band_of(price)] for price in (0, 0.99, 1, 7.99, 8, 1e10)]
    ['0-1', '0-1', '1-2', '4-8', '8-16', '8589934592-17179869184']
    """
    return int(price).bit_length()
