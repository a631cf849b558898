"""The row: all that Rekindle knows of one user, bounded in size.

Fields are only ever appended, each with a default, so that a row which an older version wrote still loads (see codec).
"""

from typing import Final, TypeAlias

from msgspec import Struct, field

from schemas.events import Scalar
from schemas.money import Minor
from schemas.times import NEVER, Millis
from tables.arrivals import Arrivals
from tables.lifecycle import Lifecycle
from tables.orders import Orders
from tables.panes import Panes

MAX_ATTRIBUTES: Final = 32
MAX_CART_ITEMS: Final = 8
MAX_TAGS: Final = 64


class Register(Struct, array_like=True, gc=False):
    """A value that the newest event by (ts, event_id) decides, whatever arrives last."""

    value: Scalar | list[str]
    ts: Millis
    event_id: str


Registers: TypeAlias = dict[str, Register]


class ManualTag(Struct, array_like=True, gc=False):
    """A tag set by hand: the newest event's value, when it ends, and the change that said the end."""

    value: Scalar
    ts: Millis
    event_id: str
    expires_at: Millis = NEVER
    ended_sequence: int | None = None


class FirstActivity(Struct, array_like=True, frozen=True, gc=False):
    """The least activity by (ts, event_id, type)."""

    ts: Millis
    event_id: str
    type: str


class CartItem(Struct, array_like=True, gc=False):
    """The newest word on one item: put in (with its price) or taken out."""

    ts: Millis
    event_id: str
    quantity: int
    price: Minor | None = None


class Totals(Struct, array_like=True, gc=False):
    """Counts over the whole life; spend in minor units, returns taken off; the greatest of the orders forgotten."""

    clicks: int = 0
    carts: int = 0
    orders: int = 0
    spend: Minor = 0
    returns: int = 0
    max_old_order: Minor = 0


class Row(Struct, array_like=True):
    """One user. `due` is when a timer is set to look at the row: never later than its next real due time."""

    due: Millis = NEVER
    sequence: int = 0
    erased_at: Millis | None = None
    arrivals: Arrivals = field(default_factory=Arrivals)
    first: FirstActivity | None = None
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    purchase: Lifecycle = field(default_factory=Lifecycle)
    totals: Totals = field(default_factory=Totals)
    days: Panes = field(default_factory=list)
    hours: Panes = field(default_factory=list)
    orders: Orders = field(default_factory=dict)
    cart: dict[str, CartItem] = field(default_factory=dict)
    cart_closed_at: Millis | None = None
    registered_at: Millis | None = None
    attributes: Registers = field(default_factory=dict)
    consent: Registers = field(default_factory=dict)
    reachable: Register | None = None
    messages: dict[str, int] = field(default_factory=dict)
    tags: dict[str, ManualTag] = field(default_factory=dict)

    @property
    def max_order(self) -> Minor:
        """The greatest purchase that was not cancelled, in minor units."""
        kept = (order.amount for order in self.orders.values() if order.is_purchased and not order.is_cancelled)
        return max(self.totals.max_old_order, *kept, 0)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known but that (and when) the user was erased."""
        return not self.arrivals and not self.tags
