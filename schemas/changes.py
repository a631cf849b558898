"""Tag changes: every move of every tag, the lifecycles among them."""

from typing import Annotated, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field

from schemas.events import Scalar, UserId
from schemas.times import Millis

TagName: TypeAlias = str

LIFECYCLE: Final[TagName] = "lifecycle"
PURCHASE: Final[TagName] = "lifecycle.purchase"
CHURN_RISK: Final[TagName] = "churn.risk"
BY_TIME: Final = "timer"
"""The cause of a change that no event made, only the passing of time."""
BY_RULES: Final = "rules"
"""The cause of a change that other rules made, when all users were looked at again."""


class TagChange(Struct, kw_only=True, frozen=True, gc=False):
    """One tag of one user went from one value to another at a moment of event time."""

    id: Annotated[str, Meta(description="user_id/tag/at/sequence number: deterministic, never reused")]
    user_id: UserId
    tag: TagName
    from_: Annotated[Scalar, Meta(description="the value before; null: none")] = field(name="from")
    to: Annotated[Scalar, Meta(description="the value after; null: none")]
    at: Annotated[Millis, Meta(description="event time at which it became so, ms")]
    cause: Annotated[
        str,
        Meta(
            description="`type:event_id` of the event, `timer`, `rules` for new rules; `churn:model@version`"
            " or `gender:model@version` for a model's word"
        ),
    ]
    rule_version: Annotated[int, Meta(description="version of the rule that decided; 0: set by hand")]
    corrects: Annotated[str, Meta(description="id of the change that this one withdraws")] | UnsetType = UNSET


def change_id(user_id: UserId, tag: TagName, at: Millis, sequence: int) -> str:
    """A change's id; no tag has a slash, so two changes never share one.

    >>> change_id("u1", "lifecycle", 1_291_161_600_000, 1)
    'u1/lifecycle/1291161600000/1'
    """
    return f"{user_id}/{tag}/{at}/{sequence}"
