"""Campaigns in a file of rules: on which change, to whom, on which channels. A struct a table, as in schemas/rules.py.

The descriptions say what fits, in messages and in the JSON Schema; what each key means stands in docs/recall.md.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field

from schemas.events import RecallChannel
from schemas.money import MAX_AMOUNT
from schemas.rule_words import Count, Expression, Flag, Priority, Share, Span, TagValue, Words

MAX_CAMPAIGNS: Final = 100
MAX_CAP: Final = 20
"""A row remembers so many triggers of its user."""
LONGEST_CAP: Final = "60d"
LONGEST_WINDOW: Final = "30d"
LONGEST_EXPIRY: Final = "90d"
LONGEST_AFTER: Final = "90d"

Choose: TypeAlias = Literal["in_order", "learned"]
Mode: TypeAlias = Literal["on", "shadow", "paused"]

Name = Annotated[
    str,
    Meta(
        pattern=r"^[^/\s]{1,64}(?![\s\S])", description="a name of 1 to 64 characters with neither a slash nor a space"
    ),
]
Named = Annotated[str, Meta(min_length=1, max_length=128, description="a name of 1 to 128 characters")]
Wait = Annotated[
    str,
    Meta(
        pattern=r"^(0|[1-9][0-9]{0,8}) *(ms|s|m|h|d)(?![\s\S])",
        description='a length of time, such as "3d" or "12h", or "0d"',
    ),
]
QuietHours = Annotated[
    str,
    Meta(
        pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]|none)(?![\s\S])",
        description='hours of the day, such as "21:00-09:00", or "none"',
    ),
]
Offer = Annotated[str, Meta(min_length=1, max_length=1_000, description="a text of 1 to 1,000 characters")]
Cost = Annotated[float, Meta(ge=0, le=1_000_000, description="money from 0 to 1,000,000, with two places at most")]
Value = Annotated[float, Meta(ge=0, le=1_000_000, description="money from 0 to 1,000,000, with two places at most")]
Budget = Annotated[float, Meta(gt=0, le=MAX_AMOUNT, description="money above 0, with two places at most")]
Weight = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1,000,000")]
TimeZone = Annotated[
    str,
    Meta(min_length=1, max_length=64, description='the name of a time zone, such as "Europe/Berlin", or "+05:30"'),
]
Profile = Annotated[list[Named], Meta(max_length=32, description="a list of at most 32 names of attributes or tags")]
if TYPE_CHECKING:
    Instant: TypeAlias = datetime
else:
    Instant = Annotated[
        datetime, Meta(tz=True, description="a time with an offset, such as 2026-01-31T12:00:00Z, from 1970 to 2100")
    ]


class OnTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The change that starts a campaign: a tag comes to a value; then so long a wait."""

    tag: Named
    to: TagValue | UnsetType = UNSET
    after: Wait = "0d"


class CapTable(Struct, frozen=True, forbid_unknown_fields=True):
    """So many triggers a user at the most, within such a length of time."""

    max: Annotated[int, Meta(ge=1, le=MAX_CAP, description=f"a whole number from 1 to {MAX_CAP}")]
    per: Span


class ChannelTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A channel, and what a message on it costs."""

    channel: RecallChannel
    cost: Cost = 0.0
    offer: Offer | UnsetType = UNSET
    window: Span = "24h"


class VariantTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A version of the message, for its part of all weights."""

    name: Name
    weight: Weight = 1
    offer: Offer | UnsetType = UNSET


Channels = Annotated[list[ChannelTable], Meta(min_length=1, max_length=8, description="a list of 1 to 8 channels")]
Variants = Annotated[list[VariantTable], Meta(max_length=20, description="a list of at most 20 variants")]


class CampaignTable(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One campaign. All but `name` and `channels` may be left out; who only switches one off needs `name` alone."""

    name: Name
    doc: Words = ""
    version: Count = 1
    on: OnTable | UnsetType = UNSET
    audience: Expression | UnsetType = UNSET
    channels: Channels | UnsetType = UNSET
    choose: Choose = "in_order"
    value: Value = 1.0
    fallback: Flag = False
    variants: Variants = []
    offer: Offer | UnsetType = UNSET
    expiry: Span = "3d"
    priority: Priority = 0
    slot: Name = "recall"
    hold_out: Share = 0.0
    budget: Budget | UnsetType = UNSET
    cap: CapTable | UnsetType = UNSET
    quiet_hours: QuietHours | UnsetType = UNSET
    mode: Mode = "on"
    test: Flag = False
    mute_before: Instant | UnsetType = UNSET
    enabled: Flag = True


def _profile() -> list[str]:
    return ["name", "language", "region", "prefers.category", "tier"]


class RecallTable(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What holds for all campaigns."""

    control: Share = 0.0
    cap: CapTable = CapTable(max=3, per="7d")
    quiet_hours: QuietHours = "21:00-09:00"
    timezone: TimeZone = "UTC"
    profile: Profile = field(default_factory=_profile)
    mute_before: Instant | UnsetType = UNSET


CampaignTables = Annotated[
    list[CampaignTable], Meta(max_length=MAX_CAMPAIGNS, description=f"at most {MAX_CAMPAIGNS:,} tables [[campaign]]")
]
