"""Limits that contradict each other are refused, in words."""

import pytest

from agents.limits import DEFAULT_LIMITS, Limits, Span
from schemas.times import DAY_MS


def test_the_defaults_are_30_60_and_7_days() -> None:
    assert (
        Limits(
            lifecycle=Span(30 * DAY_MS, 60 * DAY_MS),
            purchase=Span(30 * DAY_MS, 60 * DAY_MS),
            allowed_lateness_ms=7 * DAY_MS,
            max_ahead_ms=3 * 365 * DAY_MS,
        )
        == DEFAULT_LIMITS
    )


@pytest.mark.parametrize("lost_ms", [30, 29])
def test_silent_must_come_before_lost(lost_ms: int) -> None:
    with pytest.raises(ValueError, match=r"^silent_after \(30ms\) must be less than lost_after \(\d+ms\)$"):
        Limits(lifecycle=Span(30, lost_ms), allowed_lateness_ms=1)


def test_silent_must_come_before_lost_for_orders_too() -> None:
    with pytest.raises(ValueError, match=r"^purchase_silent_after \(2d\) must be less than purchase_lost_after"):
        Limits(purchase=Span(2 * DAY_MS, DAY_MS), allowed_lateness_ms=1)


@pytest.mark.parametrize("lateness_ms", [30, 31])
def test_lateness_must_be_less_than_the_silent_limit(lateness_ms: int) -> None:
    with pytest.raises(ValueError, match=r"must be less than silent_after \(30ms\)"):
        Limits(lifecycle=Span(30, 60), allowed_lateness_ms=lateness_ms)


def test_lateness_must_be_less_than_the_silent_limit_of_orders_too() -> None:
    with pytest.raises(ValueError, match=r"allowed_lateness \(7d\) must be less than purchase_silent_after \(7d\)"):
        Limits(purchase=Span(7 * DAY_MS, 8 * DAY_MS))


def test_limits_may_nearly_touch() -> None:
    limits = Limits(lifecycle=Span(2, 3), purchase=Span(2, 3), allowed_lateness_ms=1)
    assert limits.lifecycle == limits.purchase
