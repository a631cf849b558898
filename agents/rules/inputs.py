"""Inputs: the parts of a row that an event may change and a rule may read."""

from enum import IntFlag, auto
from typing import Final


class Input(IntFlag):
    """What a rule reads of a row. A rule is looked at when an event changed one of its inputs.

    >>> bool(Input.CLICKS & (Input.CLICKS | Input.ORDERS))
    True
    """

    CLICKS = auto()
    CARTS = auto()
    ORDERS = auto()
    INTERESTS = auto()
    """Counts by category, brand, channel, price band and hour."""
    PREFERENCES = auto()
    """The same, as far as preferences go by them: they know how many actions make no difference."""
    DONE = auto()
    """Counts of actions: searches, reviews, coupons, ..."""
    CART = auto()
    """The open cart."""
    PROFILE = auto()
    """Attributes, consent, where the user can be reached, when they registered."""
    TAGS = auto()
    """Tags: of other rules, set by hand, or a lifecycle."""
    FIRST = auto()
    """The first activity."""
    ACTIVITY = auto()
    """The last activity."""
    SCORE = auto()
    """How likely the user is to stay away, by the churn model."""
    TIME = auto()
    """That time passes: windows move, and what was is longer ago."""
    GUESS = auto()
    """Which gender the model takes a user for who states none. (Last: rows keep these numbers.)"""


FIRST: Final = int(Input.FIRST)
TIME: Final = int(Input.TIME)
SCORE: Final = int(Input.SCORE)
GUESS: Final = int(Input.GUESS)
PREFERENCES: Final = int(Input.PREFERENCES)
TAGS: Final = int(Input.TAGS)
ALL_INPUTS: Final = int(sum(Input))
"""As if everything had changed."""
