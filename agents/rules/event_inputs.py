"""Which inputs of the rules an event may change."""

from typing import Final

from agents.rules.inputs import Input
from schemas.events import AnyEvent, Cart, Click, Message, Order, Profile, Tag

_INTERESTS: Final = Input.INTERESTS | Input.PREFERENCES
_INPUTS: Final[dict[type, int]] = {
    Click: int(Input.CLICKS | _INTERESTS | Input.ACTIVITY),
    Cart: int(Input.CARTS | Input.CART | _INTERESTS | Input.ACTIVITY),
    Order: int(Input.ORDERS | _INTERESTS | Input.ACTIVITY),
    Profile: int(Input.PROFILE | Input.ACTIVITY),
    Message: 0,  # but for `unsubscribed`
    Tag: int(Input.TAGS),
}
_DONE: Final = int(Input.DONE)
_ACTIVITY: Final = int(Input.ACTIVITY)
_CONSENT: Final = int(Input.PROFILE)
_UNCOUNTED: Final = frozenset({None, "view", "add"})
"""Actions that are not counted by themselves."""


def inputs_of(event: AnyEvent) -> int:
    """The inputs that an event may change, as one number; none for a message, but that somebody unsubscribed."""
    inputs = _INPUTS[type(event)]
    if isinstance(event, Profile) and event.kind == "login" and not _tells(event):
        return _ACTIVITY
    if isinstance(event, Message):
        return _CONSENT if event.kind == "unsubscribed" else inputs
    if isinstance(event, Order):
        return inputs | _DONE if event.coupon_id is not None or event.status == "returned" else inputs
    return inputs if getattr(event, "action", None) in _UNCOUNTED else inputs | _DONE


def _tells(event: Profile) -> bool:
    return bool(event.attributes or event.consent) or event.reachable is not None
