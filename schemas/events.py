"""The events that producers publish: one struct a `type`, each field checked as it is decoded.

Unknown fields are ignored, so that producers can grow; enumerations are closed, so that a misspelt one is noticed.
Optional fields may be absent or null.
"""

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from schemas.money import MAX_AMOUNT, Minor, to_minor
from schemas.times import MAX_TS, RFC_3339, Millis

UserId: TypeAlias = str
Id = Annotated[str, Meta(min_length=1, max_length=128)]
Label = Annotated[str, Meta(max_length=256)]
Amount = Annotated[float, Meta(ge=0, le=MAX_AMOUNT, description="decimal money, two places are kept")]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Scalar: TypeAlias = Label | int | float | bool | None
SmallInt = Annotated[int, Meta(ge=-(2**53), le=2**53)]

if TYPE_CHECKING:
    Ts: TypeAlias = Millis  # decode() has turned the RFC 3339 form into milliseconds before anyone sees it
    Value: TypeAlias = Scalar
else:
    Ts = Annotated[
        Annotated[int, Meta(gt=0, lt=MAX_TS)]
        | Annotated[str, Meta(pattern=RFC_3339, extra_json_schema={"format": "date-time"})],
        Meta(description="event time: milliseconds since 1970, or RFC 3339 with an offset"),
    ]
    Value = Label | SmallInt | float | bool | None

RecallChannel: TypeAlias = Literal["sms", "email", "push", "wechat", "phone", "gift", "coupon", "event"]
ReachChannel: TypeAlias = Literal["sms", "email", "push", "wechat", "phone"]
ClickAction: TypeAlias = Literal[
    "view", "search", "favorite", "share", "compare", "review", "coupon_claim", "campaign_join"
]
CartAction: TypeAlias = Literal["add", "remove", "checkout"]
OrderStatus: TypeAlias = Literal["placed", "paid", "cancelled", "returned"]
ProfileKind: TypeAlias = Literal["registered", "login", "updated", "consent", "erased"]
MessageKind: TypeAlias = Literal["sent", "delivered", "opened", "clicked", "failed", "unsubscribed"]
ManualTagName = Annotated[
    str,
    Meta(
        pattern=r"^(?!lifecycle(\.purchase)?(?![\s\S]))[^/\s]{1,64}(?![\s\S])",
        description="1 to 64 characters, neither a slash nor a space; the lifecycles cannot be set by hand",
    ),
]


class Event(Struct, kw_only=True, gc=False, tag_field="type"):
    """What every event carries: who, when, and an id by which copies are known."""

    event_id: Id
    user_id: Id
    ts: Ts
    channel: Label | None = None
    session_id: Label | None = None
    anonymous_id: Label | None = None


class Click(Event, kw_only=True, gc=False, tag="click"):
    """A look at something, or another light action on it."""

    is_activity: ClassVar[bool] = True

    item_id: Id
    action: ClickAction | None = "view"
    category: Label | None = None
    brand: Label | None = None
    price: Amount | None = None
    query: str | None = None
    coupon_id: Id | None = None


class Cart(Event, kw_only=True, gc=False, tag="cart"):
    """Something put into the cart or taken out, or the cart taken to the till."""

    is_activity: ClassVar[bool] = True

    item_id: Id
    action: CartAction | None = "add"
    quantity: Quantity | None = 1
    price: Amount | None = None
    category: Label | None = None
    brand: Label | None = None


class Item(Struct, kw_only=True, gc=False):
    """One line of an order."""

    item_id: Id
    category: Label | None = None
    brand: Label | None = None
    price: Amount | None = None
    quantity: Quantity | None = 1


class Order(Event, kw_only=True, tag="order"):
    """An order, or a later record of the same `order_id`."""

    order_id: Id
    status: OrderStatus | None = "paid"
    total: Amount | None = None
    discount: Amount | None = None
    coupon_id: Id | None = None
    items: list[Item] | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if self.total is None and (self.amount or 0) > to_minor(MAX_AMOUNT):
            raise ValueError(f"the sum of the items is above {MAX_AMOUNT:.0f}")

    @property
    def is_activity(self) -> bool:
        """Whether something was bought: placed or paid, not cancelled or returned."""
        return self.status is None or self.status in ("paid", "placed")

    @property
    def amount(self) -> Minor | None:
        """The total, which defaults to the items' sum, in minor units; None where neither is told."""
        if self.total is not None:
            return to_minor(self.total)
        priced = [item for item in self.items or () if item.price is not None]
        return sum(to_minor(item.price or 0) * (item.quantity or 1) for item in priced) if priced else None


class Profile(Event, kw_only=True, tag="profile"):
    """What a user is, where they can be reached, and what they agreed to; `erased` ends it all."""

    kind: ProfileKind | None = "updated"
    attributes: Annotated[dict[Id, Value], Meta(max_length=32)] | None = None
    reachable: list[ReachChannel] | None = None
    consent: dict[ReachChannel, bool] | None = None

    @property
    def is_activity(self) -> bool:
        """Whether the user came by: registered or logged in."""
        return self.kind in ("registered", "login")


class Message(Event, kw_only=True, gc=False, tag="message"):
    """What a messaging system reports about a trigger. That a message went out says nothing of the user."""

    is_activity: ClassVar[bool] = False

    kind: MessageKind
    trigger_id: Annotated[str, Meta(min_length=1, max_length=512)]
    campaign: Label | None = None
    recall_channel: RecallChannel | None = None
    cost: Amount | None = None


class Tag(Event, kw_only=True, gc=False, tag="tag"):
    """A tag set by hand; a null value removes it."""

    is_activity: ClassVar[bool] = False

    tag: ManualTagName
    value: Value = None
    ttl_ms: Annotated[int, Meta(ge=1, le=MAX_TS)] | None = None
    actor: Label | None = None


class Tick(Struct, gc=False, tag_field="type", tag="tick"):
    """Says that nothing at or before `ts` is still to come in this topic-partition."""

    ts: Ts


AnyEvent: TypeAlias = Click | Cart | Order | Profile | Message | Tag
Record: TypeAlias = AnyEvent | Tick

TYPE_OF: Final[dict[type[Event], str]] = {
    struct: str(struct.__struct_config__.tag) for struct in (Click, Cart, Order, Profile, Message, Tag)
}

OrderKey: TypeAlias = tuple[Millis, str, str]


def order_key(event: AnyEvent) -> OrderKey:
    """The place of an event among its user's events: (ts, event_id, type)."""
    return event.ts, event.event_id, TYPE_OF[type(event)]


def cause_of(event: AnyEvent) -> str:
    """How a change names the event that caused it: type and event_id, by which copies are known too."""
    return f"{TYPE_OF[type(event)]}:{event.event_id}"
