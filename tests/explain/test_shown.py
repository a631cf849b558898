"""An explanation on a terminal: who it is, the tags, and nothing wider than the terminal."""

from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from app.explain.explanation import Explanation
from app.explain.shown import WIDTH, show
from schemas.events import AnyEvent
from schemas.times import DAY_MS
from tests.agents.drive import cart, click, day, erased, message, order, tag
from tests.explain.people import explained, rules_file

BUYER: list[AnyEvent] = [
    *(order(day(number), order_id=f"o{number}", total=100) for number in range(8)),
    order(day(8), order_id="o1", status="returned", total=10),
    cart(day(8), item_id="x" * 120),
    tag(day(9), tag="friend", value="gold", ttl_ms=30 * DAY_MS),
]


def screen(told: Explanation, width: int = 100) -> str:
    """What a terminal of that width shows."""
    text = StringIO()
    show(Console(file=text, width=width, highlight=False), told)
    return text.getvalue()


def test_it_begins_with_who_this_is() -> None:
    lines = screen(explained(BUYER, day(10))).splitlines()
    assert lines[:5] == [
        "User u, as of 2024-01-11 00:00 UTC (a test)",
        "Came first on 2024-01-01 00:00 UTC, and last on 2024-01-09 00:00 UTC, 2 days ago.",
        "8 orders (1 return) for 790.00, the greatest 100.00. 0 clicks, 1 cart event.",
        "All activity: active since 2024-01-01 00:00 UTC; silent on 2024-02-08 00:00 UTC if nothing happens.",
        "Orders: active since 2024-01-01 00:00 UTC; silent on 2024-02-07 00:00 UTC if nothing happens.",
    ]


def test_tags_come_by_kind_and_those_without_a_value_are_named_at_the_end() -> None:
    text = screen(explained(BUYER, day(10)))
    places = [text.index(part) for part in ("Set by hand", "friend: gold", "Facts", "tier: ordinary", "Models")]
    assert places == sorted(places)
    assert text.rpartition("\n\n")[2].startswith("Without a value (--all shows why): campaigns.joined, ")


def test_a_tag_whose_time_to_live_is_over_says_so_at_the_end() -> None:
    events: list[AnyEvent] = [*BUYER, tag(day(9, 1), tag="guest", value="silver", ttl_ms=1)]
    text = " ".join(screen(explained(events, day(10))).split())
    assert "guest (was silver, and its time to live is over)" in text


def test_a_block_tells_what_it_means_the_rule_the_numbers_and_the_events(tmp_path: Path) -> None:
    rules = rules_file(
        tmp_path, 'name = "often"\nversion = 2\ndoc = "Orders often."\nwhen = "orders(30d) > 3"\nttl = "90d"'
    )
    lines = screen(explained(BUYER, day(10), rules)).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("often: "))
    assert [line.rstrip() for line in lines[start : start + 8]] == [
        "often: yes, since 2024-01-04 00:00 UTC, by an order",
        "  means  Orders often.",
        "  rule   version 2: yes when orders(30d) > 3; ends after 90d",
        "  saw    8 orders in the last 30 days",
        "  events the 5 events shown for rfm.recency and 4 more",
        "  until  2024-04-03 23:59 UTC",
        "  again  looked at again on 2024-01-31 00:00 UTC, if nothing happens",
        "",
    ]


def test_events_that_were_shown_are_not_shown_again() -> None:
    text = screen(explained(BUYER, day(10)))
    assert text.count("paid order o7: 100.00") < 4
    assert "the 5 events shown for " in text


def test_all_shows_the_valueless_with_what_they_saw() -> None:
    text = screen(explained(BUYER, day(10), with_all=True))
    assert "cart.abandoned: yes" in text
    assert "shopping_style: none" in text
    assert "0 clicks ever" in text
    assert "Without a value" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal_or_a_hundred(width: int) -> None:
    text = screen(explained(BUYER, day(10), with_all=True), width)
    assert max(cell_len(line) for line in text.splitlines()) <= min(width, WIDTH)


def test_nothing_in_a_history_or_a_rule_can_move_the_cursor_or_be_taken_for_a_style(tmp_path: Path) -> None:
    evil = "[red]a\x1b[2J"
    rules = rules_file(tmp_path, 'name = "[bold]"\ndoc = "[red]\\u001b[2J"\nvalue = "top(category)"')
    events: list[AnyEvent] = [click(day(1), category=evil, item_id=evil), tag(day(2), tag=evil, value=evil, actor=evil)]
    text = screen(explained(events, day(3), rules, with_all=True))
    assert "\x1b" not in text
    assert "[bold]: [red]a" in text


def test_the_erased_and_the_unseen_are_told_in_one_sentence() -> None:
    assert "Erased on request on 2024-01-10 00:00 UTC: nothing from before is known." in screen(
        explained([*BUYER, erased(day(9))], day(10))
    )
    assert "No activity is known." in screen(explained([message(day(1))], day(3)))
