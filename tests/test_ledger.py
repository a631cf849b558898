"""The ledger as it is shown: lines that add up, and intervals that agree with those of the literature."""

import pytest

from app.ledger import added, entry_of, lift, lines, rate, wilson
from tables.ledger import Entry, Key


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombes_first_paper(part: int, whole: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3."""
    assert [round(limit, 4) for limit in wilson(part, whole)] == [low, high]


@pytest.mark.parametrize(
    ("treated", "held", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_lift_has_the_interval_of_newcombes_second_paper(
    treated: tuple[int, int], held: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10."""
    entry = Entry(first_recalled=treated[0], first=treated[1], held_first_recalled=held[0], held_first=held[1])
    found = lift(entry)
    assert found is not None
    assert found.value == pytest.approx(treated[0] / treated[1] - held[0] / held[1])
    assert [round(found.low, 4), round(found.high, 4)] == [low, high]


def test_there_is_no_lift_and_no_rate_of_nobody() -> None:
    assert lift(Entry(triggered=5, recalled=1)) is None
    assert lift(Entry(held_out=5, held_recalled=1)) is None
    assert (rate(0, 0), rate(1, 4)) == (None, 0.25)


def test_lines_hold_what_was_counted_and_add_up() -> None:
    one: dict[Key, Entry] = {
        ("b", "", "sms"): Entry(triggered=2, cost=10, reasons={"no_consent": 1}),
        ("a", "x", "push"): Entry(held_out=1, reasons={"control": 1}),
    }
    other: dict[Key, Entry] = {("b", "", "sms"): Entry(triggered=1, sent=1, reasons={"no_consent": 2, "muted": 1})}
    first, second = lines(one)
    assert [each.campaign for each in (first, second)] == ["a", "b"]
    assert (second.counts, second.reasons) == ({"triggered": 2, "cost": 10}, {"no_consent": 1})
    assert entry_of(second) == one["b", "", "sms"]
    both = added([lines(one), lines(other)])
    assert both[1].counts == {"triggered": 3, "sent": 1, "cost": 10}
    assert both[1].reasons == {"muted": 1, "no_consent": 3}
    assert one["b", "", "sms"].triggered == 2
