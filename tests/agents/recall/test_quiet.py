"""Quiet hours on the user's clock: over midnight, in any zone, and where clocks are put on and back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.recall.campaign import Quiet
from agents.recall.quiet import end_of_quiet

NIGHT = Quiet(21 * 60, 9 * 60)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
    "Africa/Casablanca", "Pacific/Apia", "+05:30", "Mars/Olympus")  # fmt: skip


def ms(text: str, zone: str = "UTC", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2024-05-01T20:59:59.999", None),
        ("2024-05-01T21:00", "2024-05-02T09:00"),
        ("2024-05-01T23:59:59.999", "2024-05-02T09:00"),
        ("2024-05-02T00:00", "2024-05-02T09:00"),
        ("2024-05-02T08:59:59.999", "2024-05-02T09:00"),
        ("2024-05-02T09:00", None),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
def test_they_begin_with_their_first_minute_and_end_before_their_last(at: str, end: str | None, zone: str) -> None:
    assert end_of_quiet(NIGHT, ms(at, zone), zone) == (None if end is None else ms(end, zone))


def test_within_a_day_and_none_at_all() -> None:
    lunch = Quiet(12 * 60, 13 * 60 + 30)
    assert end_of_quiet(lunch, ms("2024-05-01T12:10"), "UTC") == ms("2024-05-01T13:30")
    assert end_of_quiet(lunch, ms("2024-05-01T13:30"), "UTC") is None
    assert end_of_quiet(Quiet(60, 60), ms("2024-05-01T01:00"), "UTC") is None


def test_the_night_in_which_clocks_are_put_on_is_an_hour_shorter_and_the_other_one_longer() -> None:
    for evening, hours in (("2024-03-30T21:00", 11), ("2024-10-26T21:00", 13)):
        begin = ms(evening, "Europe/Berlin")
        assert end_of_quiet(NIGHT, begin, "Europe/Berlin") == begin + hours * 3_600_000


def test_an_end_that_the_clock_shows_twice_is_the_next_of_both() -> None:
    early = Quiet(22 * 60, 2 * 60 + 30)
    first, second = (ms("2024-10-27T02:30", "Europe/Berlin", fold) for fold in (0, 1))
    assert second - first == 3_600_000
    assert end_of_quiet(early, first - 1, "Europe/Berlin") == first
    assert end_of_quiet(early, second - 60_000, "Europe/Berlin") == second


def test_an_end_that_the_clock_never_shows_comes_half_an_hour_after_it_was_put_on() -> None:
    early = Quiet(22 * 60, 2 * 60 + 30)
    at = ms("2024-03-31T01:59", "Europe/Berlin")
    assert end_of_quiet(early, at, "Europe/Berlin") == ms("2024-03-31T03:30", "Europe/Berlin")


@settings(max_examples=600)
@given(
    st.integers(0, 2_000_000_000_000), st.integers(0, 1439), st.integers(0, 1439), st.sampled_from(ZONES),
    st.booleans(),
)  # fmt: skip
def test_their_end_is_later_in_no_quiet_hours_and_within_a_day_or_so(
    at: int, start: int, end: int, zone: str, near: bool
) -> None:
    if near:
        at = ms("2024-10-27T00:00") + at % 14_400_000
    until = end_of_quiet(Quiet(start, end), at, zone)
    if until is not None:
        assert at < until <= at + 26 * 3_600_000
        assert end_of_quiet(Quiet(start, end), until, zone) is None
    local = datetime.fromtimestamp(at / 1000, UTC)
    minute = local.hour * 60 + local.minute
    if zone == "UTC":
        is_quiet = start <= minute < end if start <= end else not end <= minute < start
        assert (until is not None) == is_quiet
