"""What messaging systems read: triggers, and the decision behind each one, also not to send."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

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
    "paused",
    "outdated",
    "superseded",
    "outranked",
    "control",
    "corrected",
    "erased",
    "failed",
]
_AT: Final = "event time of the decision, ms"
_POLICY: Final = "version of the models that the choice went by; uniform: there were none"
_CAUSE: Final = "id of the tag change that it follows from, or `run:` and the id of a run"


class RecallTrigger(Struct, kw_only=True, frozen=True):
    """Send this (rev 0), or do not any more (rev 1 of the same id). Drop an (id, rev) that was seen before."""

    id: Annotated[str, Meta(description="user_id/campaign/at/sequence number: deterministic, never reused")]
    rev: Annotated[int, Meta(ge=0, le=1)]
    user_id: UserId
    campaign: str
    variant: str | None
    reason: Annotated[str, Meta(description="what the user has become, such as `lifecycle: silent`")]
    recall_channel: RecallChannel
    offer: str | None
    at: Annotated[Millis, Meta(description=_AT)]
    expires_at: Annotated[Millis, Meta(description="not to be sent from then on, ms")]
    test: bool
    churn_risk: Annotated[float | None, Meta(description="P(no activity within the horizon), where it is known")]
    profile: dict[str, Scalar]
    cause: Annotated[str, Meta(description=_CAUSE)]


class RecallDecision(Struct, kw_only=True, frozen=True):
    """What was decided for one user and campaign, and why. One that led to a trigger has its id."""

    id: Annotated[str, Meta(description="user_id/campaign/at/sequence number: deterministic, never reused")]
    user_id: UserId
    campaign: str
    outcome: Outcome
    reasons: list[Reason]
    at: Annotated[Millis, Meta(description=_AT)]
    cause: Annotated[str, Meta(description=_CAUSE)]
    campaign_version: int
    variant: str | None
    recall_channel: RecallChannel | None
    until: Annotated[Millis, Meta(description="deferred: decided again then, ms")] | UnsetType = UNSET
    cancels: Annotated[str, Meta(description="cancelled: id of the decision that is taken back")] | UnsetType = UNSET
    propensities: (
        Annotated[dict[str, float], Meta(description="with how much chance each channel was chosen")] | UnsetType
    ) = UNSET
    policy: (
        Annotated[str, Meta(description="version of the models by which the channel was chosen; `uniform`: none yet")]
        | UnsetType
    ) = UNSET
