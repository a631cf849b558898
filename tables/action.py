"""An action: what one event, or one line of an order, tells of a user's interests."""

from typing import Final, TypeAlias

from msgspec import Struct

from schemas.money import Minor
from schemas.times import Millis

ACTIVE: Final = 0b0001
"""It is activity."""
HOUR: Final = 0b0010
"""It counts in its hour of the day."""
CART: Final = 0b0100
"""It is a cart event."""
BOUGHT: Final = 0b1000
"""It is a purchase in its category."""
PAID: Final = 0b10000
"""Something was paid for it."""


class Spend(Struct, array_like=True, frozen=True, gc=False):
    """What was paid (minor units) in each dimension that the action tells; `hour`: in that of the channel too."""

    category: Minor = 0
    brand: Minor = 0
    price_band: Minor = 0
    hour: Minor = 0


class Action(Struct, array_like=True, frozen=True, gc=False):
    """What was done at a time, by what (None: not told); `what`: of ACTIVE to PAID, `done`: of DONE."""

    ts: Millis
    what: int
    category: str | None = None
    brand: str | None = None
    channel: str | None = None
    price_band: int | None = None
    done: int | None = None
    spend: Spend | None = None


Actions: TypeAlias = list[Action]
