"""Event time in and out of the ways in which people write it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import (
    DAY_MS,
    HOUR_MS,
    MAX_TS,
    MINUTE_MS,
    NEVER,
    RFC_3339,
    SECOND_MS,
    format_span,
    parse_instant,
    parse_span,
    to_datetime,
    to_millis,
)

DECEMBER: Final = 1_291_161_600_000  # 2010-12-01T00:00:00Z
offsets: Final = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
believable: Final = st.integers(1, MAX_TS - 1)


def test_the_units_and_bounds_are_what_their_names_say() -> None:
    assert (SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS) == (1_000, 60_000, 3_600_000, 86_400_000)
    assert to_datetime(MAX_TS) == datetime(2100, 1, 1, tzinfo=UTC)
    assert NEVER > MAX_TS + MAX_TS
    assert NEVER.bit_length() == 63


@pytest.mark.parametrize(
    ("fraction", "ms"),
    [("", 0), (".0", 0), (".000999999", 0), (".001", 1), (".0019999999999", 1), (".999999", 999), (".9999999999", 999)],
)
def test_parts_of_a_millisecond_are_cut_off(fraction: str, ms: int) -> None:
    assert to_millis(f"2010-12-01T00:00:00{fraction}Z") == DECEMBER + ms


@given(believable, offsets)
def test_a_time_survives_in_rfc_3339_with_any_offset(ts: int, offset: timezone) -> None:
    text = to_datetime(ts).astimezone(offset).isoformat(timespec="milliseconds")
    assert to_millis(text) == to_millis(text.lower()) == ts
    assert re.match(RFC_3339, text)


@given(believable, offsets)
def test_a_time_survives_as_text(ts: int, offset: timezone) -> None:
    assert parse_instant(str(ts)) == ts
    assert parse_instant(to_datetime(ts).astimezone(offset).isoformat()) == ts


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        ("1", 1),
        ("1291161600000", DECEMBER),
        (" 1291161600000\n", DECEMBER),
        ("4102444799999", MAX_TS - 1),
        ("2010-12-01T00:00:00Z", DECEMBER),
        (" 2010-12-01T00:00:00Z ", DECEMBER),
        ("2010-12-01T08:00:00+08:00", DECEMBER),
        ("2010-12-01T05:45:00+05:45", DECEMBER),
        ("2010-11-30T20:30:00-03:30", DECEMBER),
        ("2010-12-01T00:00:00.0019Z", DECEMBER + 1),
        ("2010-12-01T00:00:00.001999999Z", DECEMBER + 1),
        ("1970-01-01T00:00:00.001Z", 1),
        ("2099-12-31T23:59:59.999999Z", MAX_TS - 1),
    ],
)
def test_an_instant_is_milliseconds_or_rfc_3339(text: str, ts: int) -> None:
    assert parse_instant(text) == ts


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is not a time: write it as 2026-01-31T12:00:00Z, with another offset, or as ms since 1970"),
        ("yesterday", "'yesterday' is not a time"),
        ("-5", "is not a time"),
        ("1.5", "is not a time"),
        ("1e12", "is not a time"),
        ("²", "is not a time"),
        ("2010-02-30T00:00:00Z", "is not a time"),
        ("2010-12-01T00:00:00+24:00", "is not a time"),
        ("2010-12-01T00:00:00", "has no offset: write it as 2026-01-31T12:00:00Z"),
        (" 2010-12-01T00:00:00 ", "has no offset: write it as"),
        ("2010-12-01", "has no offset: write it as"),
        ("9" * 5000, "lies outside"),
        ("0", r"'0' lies outside 1970 to 2100 \(times are in milliseconds\)"),
        ("4102444800000", "lies outside"),
        ("1291161600000000", "lies outside"),
        ("1970-01-01T00:00:00Z", "lies outside"),
        ("1969-12-31T23:59:59.999999Z", "lies outside"),
        ("2100-01-01T00:00:00Z", "lies outside"),
        ("2200-01-01T00:00:00Z", "lies outside"),
        ("0001-01-01T00:00:00+23:59", "lies outside"),
    ],
)
def test_what_is_no_instant_is_refused_in_a_sentence(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "span_ms"),
    [
        ("15d", 15 * DAY_MS),
        ("12h", 12 * HOUR_MS),
        ("90m", 90 * MINUTE_MS),
        ("30s", 30 * SECOND_MS),
        ("100ms", 100),
        ("0d", 0),
        ("007s", 7_000),
        (" 15 d ", 15 * DAY_MS),
    ],
)
def test_a_span_is_a_whole_number_and_a_unit(text: str, span_ms: int) -> None:
    assert parse_span(text) == span_ms


@pytest.mark.parametrize(
    "text", ["", "15", "d", "1.5d", "-1d", "+1d", "1d2h", "1 d 2", "1D", "1w", "1min", "1 m s", "P1D", "9" * 5000 + "d"]
)
def test_what_is_no_span_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time: write a whole number and a unit") as caught:
        parse_span(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("span_ms", "text"),
    [
        (0, "0d"),
        (1, "1ms"),
        (999, "999ms"),
        (1_000, "1s"),
        (61_000, "61s"),
        (60_000, "1m"),
        (90 * MINUTE_MS, "90m"),
        (24 * HOUR_MS, "1d"),
        (25 * HOUR_MS, "25h"),
        (3 * 365 * DAY_MS, "1095d"),
        (DAY_MS + 1, "86400001ms"),
    ],
)
def test_a_span_is_written_in_its_largest_exact_unit(span_ms: int, text: str) -> None:
    assert format_span(span_ms) == text


@given(
    st.integers(0, NEVER)
    | st.builds(int.__mul__, st.integers(0, 10_000), st.sampled_from([SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS]))
)
def test_a_span_survives_as_text(span_ms: int) -> None:
    assert parse_span(format_span(span_ms)) == span_ms
