"""Churn scores: said when one crosses a band, not for every event."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.events import UserId
from schemas.times import Millis


class ChurnScore(Struct, kw_only=True, frozen=True, gc=False):
    """P(no activity in (as_of, as_of + horizon_ms]) of one user, and the model that says so."""

    user_id: UserId
    as_of: Millis
    p_inactive: Annotated[float, Meta(ge=0, le=1)]
    horizon_ms: Annotated[int, Meta(gt=0)]
    model: str
    model_version: str
