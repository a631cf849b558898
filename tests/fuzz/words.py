"""Times, spans and money as people and producers write them."""

from typing import Final

from hypothesis import strategies as st

from schemas.money import MAX_AMOUNT, to_minor
from schemas.times import MAX_TS, format_span, parse_instant, parse_span, to_datetime, to_millis
from tests.fuzz.mutate import alone, batches
from tests.fuzz.target import Target

_SEEDS: Final = (
    b"2024-02-29T00:00:00Z", b"2024-02-29t00:00:00.123456789+05:45", b"0001-01-01T00:00:00+23:59", b"20240229T000000Z",
    b"9999-12-31T23:59:59.999999-23:59", b"1709164800000", b"2024-W09-4T00:00Z", b"15d", b"12 h", b"90m", b"100ms",
    "\u0663d".encode(), "\uff12\uff10\uff12\uff14".encode(), "1\xb2".encode(),
)  # fmt: skip
_damaged: Final = batches(*_SEEDS).map(lambda values: [value.decode(errors="surrogateescape") for value in values])
_texts: Final = _damaged | alone(st.text(max_size=12))


def check_text(text: str) -> None:
    """A time within range, a span that is written alike, or a ValueError with a sentence."""
    for parse in (to_millis, parse_instant, parse_span):
        try:
            value = parse(text)
        except ValueError as error:
            assert str(error)
            assert "\n" not in str(error)
            continue
        if parse is parse_span:
            assert parse_span(format_span(value)) == value if value else format_span(value)
        else:
            assert 0 < value < MAX_TS
            assert to_millis(to_datetime(value).isoformat()) == value


def check_amount(amount: float) -> None:
    """To the nearest hundredth, within what a double can tell."""
    assert abs(to_minor(amount) - amount * 100) <= 0.5
    assert to_minor(to_minor(amount) / 100) == to_minor(amount)


WORDS: Final = (
    Target("times and spans", _texts, check_text),
    Target("money", st.lists(st.floats(0, MAX_AMOUNT)), check_amount),
)
