"""A file of rules: which tags there are, and what makes them so. One struct a table; each description says what fits.

The structs are the contract of the file; what expressions may say is checked where they are compiled (agents/rules).
"""

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field

from schemas.campaigns import CampaignTables, RecallTable
from schemas.events import ManualTagName
from schemas.rule_words import Count, Expression, Flag, Priority, Share, Span, TagValue, Words

RuleName = Annotated[
    ManualTagName,
    Meta(
        description="a name of 1 to 64 characters with neither a slash nor a space"
        " (lifecycle and lifecycle.purchase are taken)"
    ),
]
ManualTags = Annotated[
    list[RuleName], Meta(max_length=1_000, description="a list of tags that are only set by hand, for rules to read")
]
Dimension = Literal["category", "brand", "channel", "price_band", "hour"]

if TYPE_CHECKING:
    Shares: TypeAlias = dict[str, float]
else:
    Shares = dict[str, Share]


class TagKind(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What kind of statement a tag makes: said by users or concluded; once and for all or as of now; how certain."""

    origin: Literal["explicit", "implicit"] = "implicit"
    change: Literal["static", "dynamic"] = "dynamic"
    basis: Literal["fact", "model", "prediction"] = "fact"


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """A value, and when it holds."""

    value: TagValue
    when: Expression


class Band(Struct, frozen=True, forbid_unknown_fields=True):
    """A value for the scores below a limit that no band before it has; the last band has no limit.

    A band without a value says nothing: it is where a score does not tell enough.
    """

    value: TagValue | UnsetType = UNSET
    below: Annotated[float, Meta(description="a number")] | UnsetType = UNSET


Values = Annotated[list[Choice], Meta(min_length=1, max_length=50, description="a list of 1 to 50 values")]
Bands = Annotated[list[Band], Meta(min_length=2, max_length=50, description="a list of 2 to 50 bands")]
Positive = Annotated[float, Meta(ge=0, le=2**53, description="a number from 0")]
GroupName = Annotated[str, Meta(min_length=1, max_length=64, description="a name of 1 to 64 characters")]


class TagRule(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One tag. It has one of five forms: `when`, `value`, `values`, `score` with `bands`, or `prefer`."""

    name: RuleName
    doc: Words = ""
    kind: TagKind = TagKind()
    version: Count = 1
    when: Expression | UnsetType = UNSET
    value: Expression | UnsetType = UNSET
    values: Values | UnsetType = UNSET
    score: Expression | UnsetType = UNSET
    bands: Bands | UnsetType = UNSET
    prefer: Dimension | UnsetType = UNSET
    min_actions: Count | UnsetType = UNSET
    min_share: Share | UnsetType = UNSET
    min_lift: Positive | UnsetType = UNSET
    hysteresis: Positive | UnsetType = UNSET
    else_: TagValue | UnsetType = field(name="else", default=UNSET)
    only: Expression | UnsetType = UNSET
    ttl: Span | UnsetType = UNSET
    group: GroupName | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    daily: Flag | UnsetType = UNSET
    enabled: Flag = True


class Population(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Shares of a whole population by dimension and value: what a user's shares are compared with."""

    category: Shares = {}
    brand: Shares = {}
    channel: Shares = {}
    price_band: Shares = {}
    hour: Shares = {}


MAX_TAGS = 1_000
Tags = Annotated[list[TagRule], Meta(max_length=MAX_TAGS, description=f"at most {MAX_TAGS:,} tables [[tag]]")]


class RulesFile(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A whole file: tags that rules give, what they refer to, and campaigns that their changes start."""

    version: Count = 1
    manual: ManualTags = []
    population: Population = Population()
    tag: Tags = []
    recall: RecallTable = RecallTable()
    campaign: CampaignTables = []
