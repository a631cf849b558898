"""Amounts become whole hundredths, and no cent is lost on the way."""

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import MAX_AMOUNT, to_minor

MOST: Final = 10**12


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        (0, 0),
        (-0.0, 0),
        (1, 100),
        (0.01, 1),
        (0.29, 29),  # 0.29 * 100 is 28.999999999999996
        (1.15, 115),
        (4.35, 435),
        (19.99, 1999),
        (0.1 + 0.2, 30),
        (0.004, 0),
        (0.006, 1),
        (2.344999, 234),
        (2.345001, 235),
        (1e-300, 0),
        (9_999_999_999.99, MOST - 1),
        (MAX_AMOUNT, MOST),
    ],
)
def test_an_amount_becomes_the_nearest_hundredth(amount: float, minor: int) -> None:
    assert (to_minor(amount), type(to_minor(amount))) == (minor, int)


@given(st.integers(0, MOST))
def test_an_amount_of_two_places_is_exact(minor: int) -> None:
    assert to_minor(float(Decimal(minor) / 100)) == minor


@given(st.floats(0, MAX_AMOUNT))
def test_no_amount_moves_by_more_than_half_a_hundredth(amount: float) -> None:
    rounding_of_floats = Decimal(amount) * Decimal(2) ** -52 * 100
    assert abs(to_minor(amount) - Decimal(amount) * 100) <= Decimal("0.5") + rounding_of_floats


def test_the_sum_of_a_million_of_the_largest_amounts_stays_within_64_bits() -> None:
    assert 1_000_000 * to_minor(MAX_AMOUNT) < 2**63
