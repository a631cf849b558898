"""What messaging systems read: triggers, and the decision behind each one, also not to send."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from schemas.events import RecallChannel, Scalar, UserId
from schemas.times import Millis

Outcome: TypeAlias = Literal["triggered", "held_out", "suppressed", "deferred", "cancelled", "shadow"]
Reason: TypeAlias = Literal[
    "no_consent",
    "unreachable",
    "quiet_hours",
    "frequency_cap",
    "not_in_audience",
    "expired",
    "budget",
    "muted",
]


class RecallTrigger(Struct, kw_only=True, frozen=True):
    """Send this (rev 0), or do not any more (rev 1 of the same id). Drop an (id, rev) that was seen before."""

    id: str
    rev: Annotated[int, Meta(ge=0, le=1)]
    user_id: UserId
    campaign: str
    variant: str | None
    reason: str
    recall_channel: RecallChannel
    offer: str | None
    at: Millis
    expires_at: Millis
    test: bool
    churn_risk: float | None
    profile: dict[str, Scalar]
    cause: str


class RecallDecision(Struct, kw_only=True, frozen=True):
    """What was decided for one user and campaign, and why."""

    id: str
    user_id: UserId
    campaign: str
    outcome: Outcome
    reasons: list[Reason]
