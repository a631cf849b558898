"""The lengths of time that decide who is silent, who is lost, and what is too late or too far ahead."""

from typing import Final

from msgspec import Struct

from agents.churn.grid import Grid
from schemas.times import DAY_MS, Millis, format_span


class Span(Struct, frozen=True, gc=False):
    """After how long without activity a user is silent, and lost."""

    silent_ms: Millis = 30 * DAY_MS
    lost_ms: Millis = 60 * DAY_MS


class Limits(Struct, frozen=True, gc=False):
    """All limits; raises ValueError where they contradict each other.

    >>> Limits(allowed_lateness_ms=30 * DAY_MS)
    Traceback (most recent call last):
        ...
    ValueError: allowed_lateness (30d) must be less than silent_after (30d): else the past can't be corrected
    """

    lifecycle: Span = Span()
    purchase: Span = Span()
    allowed_lateness_ms: Millis = 7 * DAY_MS
    max_ahead_ms: Millis = 3 * 365 * DAY_MS
    portraits: bool = True
    """Whether users' portraits are kept; only rules ask for them."""
    churn: Grid | None = None
    """When users are sampled for models of churn; None: never."""

    def __post_init__(self) -> None:
        """Check them."""
        for prefix, span in (("", self.lifecycle), ("purchase_", self.purchase)):
            _check(prefix, span, self.allowed_lateness_ms)


def _check(prefix: str, span: Span, allowed_lateness_ms: Millis) -> None:
    silent, lost = format_span(span.silent_ms), format_span(span.lost_ms)
    if span.silent_ms >= span.lost_ms:
        raise ValueError(f"{prefix}silent_after ({silent}) must be less than {prefix}lost_after ({lost})")
    if allowed_lateness_ms >= span.silent_ms:
        lateness = format_span(allowed_lateness_ms)
        raise ValueError(
            f"allowed_lateness ({lateness}) must be less than {prefix}silent_after ({silent}):"
            " else the past can't be corrected"
        )


DEFAULT_LIMITS: Final = Limits()
