"""The row: all that Rekindle knows of one user, bounded in size.

Fields are only ever appended, each with a default, so that a row which an older version wrote still loads (see codec).
"""

from typing import Final, TypeAlias

from msgspec import Struct, field

from schemas.events import Scalar
from schemas.money import Minor
from schemas.times import NEVER, Millis
from tables.arrivals import Arrivals
from tables.guess import Guess
from tables.lifecycle import Lifecycle
from tables.orders import Forgotten, Orders
from tables.packed import Packed
from tables.panes import Panes, Window
from tables.portraits import Portraits
from tables.purchases import Purchases
from tables.recalls import Recalls
from tables.rule_tags import PackedRuleTags, RuleTags
from tables.score import Score

MAX_ATTRIBUTES: Final = 32
MAX_CART_ITEMS: Final = 8
MAX_CHANNELS: Final = 8
MAX_TAGS: Final = 64


class Register(Struct, array_like=True, gc=False):
    """A value that the newest event by (ts, event_id) decides, whatever arrives last."""

    value: Scalar | list[str]
    ts: Millis
    event_id: str


Registers: TypeAlias = dict[str, Register]


class ManualTag(Struct, array_like=True, gc=False):
    """A tag set by hand: the newest event's value, when it ends, and the change that said the end, and to what."""

    value: Scalar
    ts: Millis
    event_id: str
    expires_at: Millis = NEVER
    ended_sequence: int | None = None
    ended_to: Scalar = None


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


Cart: TypeAlias = dict[str, CartItem]
Tags: TypeAlias = dict[str, ManualTag]


class Totals(Struct, array_like=True, gc=False):
    """Counts over the whole life; spend in minor units, returns taken off; the greatest of the orders forgotten."""

    clicks: int = 0
    carts: int = 0
    orders: int = 0
    spend: Minor = 0
    returns: int = 0
    max_old_order: Minor = 0


class Row(Struct, array_like=True, gc=False):
    """One user. `due` is when a timer is set to look at the row: never later than its next real due time.

    `orders`, `cart`, `attributes` and `tags` are unpacked copies: who changes one assigns it again.
    `rules_at`: the last instant for which the rules were worked out, by the rulebook that has that mark; `rules_since`:
    the first one; `rules_dues`: by rule, when time alone may change its answer, `rules_due`: the first of these times;
    `rules_daily`: what has changed of which the daily rules have to know (inputs, as agents/rules/inputs.py numbers
    them) at `rules_day_end`. `calm_for`: by preference, before the user has done so many actions (and before
    `calm_until`) it cannot change. `purchases`: what `orders` and `forgotten` come to (None: not worked out since).
    `returns`: the first activity after each of the last instants of the churn grid; `sampled`: the last instant as of
    which the user was sampled ahead of the others. `look_days`: on how many UTC days there was a click or a cart event.
    `nights` to `evenings`: activities by quarter of the UTC day, from midnight on, plain numbers as nearly every event
    counts there; `channels`: those that tell theirs, by channel.
    `recall_due`: when a campaign decides next, or what came of a trigger is settled; `recall_until`: later activity
    says nothing of any trigger.
    """

    due: Millis = NEVER
    sequence: int = 0
    erased_at: Millis | None = None
    arrivals: Arrivals = field(default_factory=Arrivals)
    first: FirstActivity | None = None
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    purchase: Lifecycle = field(default_factory=Lifecycle)
    totals: Totals = field(default_factory=Totals)
    day_window: Window = field(default_factory=Window)
    hour_window: Window = field(default_factory=Window)
    packed_orders: bytes | None = None
    packed_cart: bytes | None = None
    cart_closed_at: Millis | None = None
    registered_at: Millis | None = None
    packed_attributes: bytes | None = None
    consent: Registers = field(default_factory=dict)
    reachable: Register | None = None
    messages: dict[str, int] = field(default_factory=dict)
    packed_tags: bytes | None = None
    rules_mark: int = 0
    rules_at: Millis = 0
    rules_since: Millis = NEVER
    rules_due: Millis = NEVER
    rules_daily: int = 0
    rules_day_end: Millis = NEVER
    packed_rule_tags: PackedRuleTags = field(default_factory=dict)
    portraits: Portraits = field(default_factory=Portraits)
    forgotten: Forgotten | None = None
    last_cart: Millis | None = None
    calm_for: dict[str, int] = field(default_factory=dict)
    calm_until: Millis = 0
    returns: dict[Millis, Millis] = field(default_factory=dict)
    sampled: Millis = 0
    score: Score | None = None
    look_days: int = 0
    rules_dues: dict[str, Millis] = field(default_factory=dict)
    purchases: Purchases | None = None
    guess: Guess | None = None
    nights: int = 0
    mornings: int = 0
    afternoons: int = 0
    evenings: int = 0
    channels: dict[str, int] = field(default_factory=dict)
    packed_recalls: bytes | None = None
    recall_due: Millis = NEVER
    recall_until: Millis = 0

    orders = Packed[Orders](Orders, dict)
    cart = Packed[Cart](Cart, dict)
    attributes = Packed[Registers](Registers, dict)
    tags = Packed[Tags](Tags, dict)
    recalls = Packed[Recalls](Recalls, Recalls)

    @property
    def rule_tags(self) -> RuleTags:
        """The tags that rules give; who changes one sets it again."""
        return RuleTags(self.packed_rule_tags)

    @property
    def days(self) -> Panes:
        """The panes of days, unpacked."""
        return self.day_window.panes()

    @property
    def hours(self) -> Panes:
        """The panes of hours, unpacked."""
        return self.hour_window.panes()

    @property
    def day_parts(self) -> tuple[int, int, int, int]:
        """Activities by quarter of the UTC day."""
        return self.nights, self.mornings, self.afternoons, self.evenings

    @property
    def max_order(self) -> Minor:
        """The greatest purchase that was not cancelled, in minor units."""
        kept = (order.amount for order in self.orders.values() if order.is_purchased and not order.is_cancelled)
        return max(self.totals.max_old_order, *kept, 0)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known but that (and when) the user was erased."""
        return not self.arrivals and self.packed_tags is None
