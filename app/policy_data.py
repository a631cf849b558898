"""How channels could be chosen, judged off-line: what report.json tells of it."""

from typing import Annotated

from msgspec import Meta, Struct

from app.report_types import Count, Positive


class PolicyValue(Struct, kw_only=True, frozen=True):
    """What a way to choose channels is worth a decision, in currency units, by two estimators."""

    policy: Annotated[str, Meta(description="logged, in_order, uniform, learned, or a channel: that one where open")]
    inverse_propensity: float
    inverse_propensity_error: Annotated[Positive, Meta(description="standard error")]
    doubly_robust: float
    doubly_robust_error: Annotated[Positive, Meta(description="standard error")]


class CampaignPolicies(Struct, kw_only=True, frozen=True):
    """The decisions of a campaign of which all is known, and what each policy would have made of them."""

    campaign: str
    decisions: Count
    users: Count
    policies: list[PolicyValue]


class Policies(Struct, kw_only=True, frozen=True):
    """Campaigns whose channels are chosen by chance."""

    is_from_log: Annotated[bool, Meta(description="false: from this backtest, in which nobody answers to messages")]
    campaigns: list[CampaignPolicies]
