"""Which inputs of the rules an event may change."""

from typing import Final

from agents.rules.inputs import Input
from schemas.events import AnyEvent, Cart, Click, Message, Order, Profile, Tag

_INPUTS: Final[dict[type, int]] = {
    Click: int(Input.CLICKS | Input.INTERESTS | Input.ACTIVITY),
    Cart: int(Input.CARTS | Input.CART | Input.INTERESTS | Input.ACTIVITY),
    Order: int(Input.ORDERS | Input.INTERESTS | Input.ACTIVITY),
    Profile: int(Input.PROFILE | Input.ACTIVITY),
    Message: 0,
    Tag: int(Input.TAGS),
}
_DONE: Final = int(Input.DONE)
_UNCOUNTED: Final = frozenset({None, "view", "add"})
"""Actions that are not counted by themselves."""


def inputs_of(event: AnyEvent) -> int:
    """The inputs that an event may change, as one number; none for a message."""
    inputs = _INPUTS[type(event)]
    if isinstance(event, Order):
        return inputs | _DONE if event.coupon_id is not None or event.status == "returned" else inputs
    return inputs if getattr(event, "action", None) in _UNCOUNTED else inputs | _DONE
