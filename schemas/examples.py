"""What models learn from: what was known of a user at an instant, and later whether the user came back in time."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct
from xxhash import xxh3_64_hexdigest

from schemas.events import RecallChannel, UserId
from schemas.money import Minor
from schemas.times import Millis

UserKey: TypeAlias = Annotated[str, Meta(description="xxh3 of the user_id, 64 bits in hex")]
Tastes: TypeAlias = Annotated[dict[int, int], Meta(description="thousandths of actions, by bucket of what was seen")]


class Features(Struct, kw_only=True, frozen=True, tag_field="kind", tag="features", gc=False):
    """What was known of a user at an instant of the grid."""

    user: UserKey
    as_of: Annotated[Millis, Meta(description="instant of the grid, ms")]
    values: Annotated[list[float], Meta(description="in the order of docs/churn.md")]
    catalogue: Annotated[str, Meta(description="fingerprint of the names of the features, in hex")] = ""


class Label(Struct, kw_only=True, frozen=True, tag_field="kind", tag="label", gc=False):
    """Whether a user of whom features were taken had no activity within a span of time after them."""

    user: UserKey
    as_of: Annotated[Millis, Meta(description="instant of the features, ms")]
    span_ms: Millis
    inactive: bool


class Stated(Struct, kw_only=True, frozen=True, tag_field="kind", tag="stated", gc=False):
    """What somebody who states a gender had looked at by an instant of the grid."""

    user: UserKey
    as_of: Annotated[Millis, Meta(description="instant of the grid, ms")]
    female: bool
    tastes: Tastes


class Lesson(Struct, kw_only=True, frozen=True, tag_field="kind", tag="lesson", gc=False):
    """What a trigger has brought, on a channel that was chosen by chance."""

    user: UserKey
    at: Annotated[Millis, Meta(description="of the decision, ms")]
    as_of: Annotated[Millis, Meta(description="known from then on: end of the window and allowed lateness, ms")]
    campaign: str
    channel: RecallChannel
    propensities: Annotated[dict[str, float], Meta(description="chance of each open channel, in the campaign's order")]
    context: Annotated[dict[str, float], Meta(description="what was known of the user at the decision")]
    reward: Annotated[Minor, Meta(description="value of the recall, and revenue, less cost; in minor units")]


class Swept(Struct, kw_only=True, frozen=True, tag_field="kind", tag="swept", gc=False):
    """All examples and labels of a partition up to an instant have been said."""

    partition: int
    as_of: Annotated[Millis, Meta(description="instant of the grid, ms")]


Example: TypeAlias = Features | Label | Stated | Lesson | Swept


def user_key(user_id: UserId) -> UserKey:
    """The name of a user among the examples."""
    return xxh3_64_hexdigest(user_id.encode())
