"""Rows of the ledger: what follows from counts, divided as it is asked for, and as people read it."""

import io
from typing import Final

import pytest
from rich.cells import cell_len
from rich.console import Console

from app.ledger import Lift, lines
from app.ledger_rows import LedgerRow, reasons_of, rows, rows_by_day
from app.ledger_table import HALF, WIDE, show
from app.ledger_words import lift_text, money_text, percent, reasons_text
from schemas.times import DAY_MS
from tables.ledger import Entry, Ledger

NOON: Final = 19_723 * DAY_MS + DAY_MS // 2  # 2024-01-01T12:00:00Z
A, B = ("silent", "a", "email"), ("silent", "b", "sms")


def ledger() -> Ledger:
    """Of one campaign two variants on two days, and one decision without either."""
    kept = Ledger()
    for number in range(10):
        kept.count(NOON + number % 2 * DAY_MS, A if number < 6 else B, 1, "eligible", "triggered")
    kept.count(NOON, A, 2, "eligible", "held_out")
    kept.count(NOON, A, 3, "recalled")
    kept.count(NOON, A, 1, "held_recalled")
    kept.count(NOON, A, 5, "first")
    kept.count(NOON, A, 2, "held_first")
    kept.count(NOON, A, 1, "first_recalled", "held_first_recalled")
    kept.count(NOON, A, 60, "cost")
    kept.count(NOON, ("silent", "", ""), 1, "suppressed", reasons=("no_consent", "unreachable"))
    kept.count(NOON, ("lost", "", ""), 1, "deferred", reasons=("quiet_hours",))
    return kept


def test_shares_and_costs_are_of_those_triggered_and_of_those_recalled() -> None:
    row = rows(lines(ledger().totals))[1]
    assert (row.campaign, row.part) == ("silent", "")
    assert (row.eligible, row.triggered, row.held_out, row.suppressed) == (12, 10, 2, 1)
    assert (row.recall_rate, row.held_recall_rate) == (0.3, 0.5)
    assert (row.cost_per_user, row.cost_per_recalled) == (6, 20)
    assert row.lift is not None
    assert row.lift.value == pytest.approx(1 / 5 - 1 / 2)
    assert row.reasons == {"no_consent": 1, "unreachable": 1}


def test_of_nothing_there_is_no_share_no_lift_and_no_cost() -> None:
    row = LedgerRow.of(Entry(), "silent")
    assert (row.recall_rate, row.lift, row.cost_per_user, row.cost_per_recalled) == (None, None, None, None)


def test_a_campaign_is_divided_as_it_is_asked_for() -> None:
    kept = ledger()
    by_variant = {(row.campaign, row.part): row.triggered for row in rows(lines(kept.totals), "variant")}
    assert by_variant == {("silent", "a"): 6, ("silent", "b"): 4, ("silent", ""): 0, ("lost", ""): 0}
    by_channel = {row.part: row.triggered for row in rows(lines(kept.totals), "channel") if row.campaign == "silent"}
    assert by_channel == {"email": 6, "sms": 4, "": 0}
    by_day = {row.part: row.triggered for row in rows_by_day([kept.days, kept.days]) if row.campaign == "silent"}
    assert by_day == {"2024-01-01": 10, "2024-01-02": 10}


def test_adding_up_a_ledger_leaves_it_as_it_was() -> None:
    kept = ledger()
    before = rows_by_day([kept.days])
    rows_by_day([kept.days, kept.days])
    assert rows_by_day([kept.days]) == before


def test_what_was_deferred_held_out_or_cancelled_is_no_reason_of_those_suppressed() -> None:
    entry = Entry(deferred=4, reasons={"quiet_hours": 5, "expired": 1, "control": 3, "corrected": 2, "erased": 1})
    assert reasons_of(entry) == {"expired": 1, "quiet_hours": 1}
    assert reasons_of(Entry(reasons={"budget": 1, "no_consent": 7})) == {"no_consent": 7, "budget": 1}
    assert list(reasons_of(Entry(reasons={"budget": 1, "no_consent": 7}))) == ["no_consent", "budget"]


def test_numbers_are_written_as_people_read_them() -> None:
    assert (percent(0.1234), percent(0.0), percent(None)) == ("12.3%", "0.0%", "-")
    assert (money_text(123_456.4), money_text(None)) == ("1,234.56", "-")
    assert lift_text(Lift(-0.012, -0.03, 0.005)) == "-1.2 (-3.0 to +0.5)"
    assert lift_text(Lift(-0.012, -0.03, 0.005), with_limits=False) == "-1.2"
    assert reasons_text({}) == "-"


@pytest.mark.parametrize("width", [80, HALF, WIDE])
def test_the_tables_fit_and_cut_no_number(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, highlight=False, force_terminal=False)
    entry = Entry()
    for name in ("eligible", "triggered", "sent", "delivered", "opened", "clicked"):
        setattr(entry, name, 98_765)
    entry.held_out, entry.recalled, entry.held_recalled = 12_345, 7_654, 1_234
    entry.first, entry.first_recalled, entry.held_first, entry.held_first_recalled = 98_765, 7_654, 12_345, 1_234
    entry.cost, entry.revenue, entry.suppressed = 123_456_789, 1_234_567_890, 23
    entry.reasons = {"not_in_audience": 1_000_000, "frequency_cap": 500_000}
    show(console, [LedgerRow.of(entry, "cart_abandoned"), LedgerRow.of(entry, "[bold]\x1b[2J" + "x" * 60)])
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert all(cell_len(line) <= width for line in told.splitlines())
    assert "\x1b" not in told
    for text in (
        "98,765",
        "12,345",
        "7,654",
        "1,234,567.89",
        "12,345,678.90",
        "not_in_audience",
        "-2.2 (-2.8 to -1.7)",
    ):
        assert text in told, text
