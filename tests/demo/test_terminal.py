"""The picture in the terminal: right at 80 and 120 columns, before and after the first event, for any user id."""

import io
from typing import Final

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from app.demo.moment import Moment, Rate
from app.demo.player import Act
from app.demo.screen import screen
from app.demo.terminal import STAYS_UP, picture
from app.ledger_rows import LedgerRow
from app.live.status import Summary
from schemas.changes import TagChange
from tables.ledger import Entry

NOON: Final = 1_704_110_400_000  # 2024-01-01T12:00:00Z
URL: Final = "http://127.0.0.1:6066"
LABEL: Final = "UCI Online Retail, a year of real orders; clicks and carts are simulated"
WIDTHS: Final = pytest.mark.parametrize("width", [80, 120])


def change(user_id: str = "generated-0001") -> TagChange:
    return TagChange(
        id=f"{user_id}/lifecycle.purchase/{NOON}/1",
        user_id=user_id,
        tag="lifecycle",
        from_="unactivated",
        to="active",
        at=NOON,
        cause="click:generated-0001-1-1",
        rule_version=1,
    )


def summary(*newest: TagChange) -> Summary:
    return Summary(
        events=12_345,
        watermark=NOON,
        lag=678,
        users={"lifecycle": {"active": 1_500, "silent": 400}, "lifecycle.purchase": {"unactivated": 9, "lost": 77}},
        counters={},
        partitions={"running": 4},
        store=True,
        newest=newest,
    )


def moment(act: Act, known: Summary | None = None) -> Moment:
    return Moment(label=LABEL, url=URL, act=act, sent=50, total=200, rate=1_234.4, summary=known)


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, height=24, highlight=False, force_terminal=False)


def drawn(width: int, shown: Moment) -> list[str]:
    console = terminal(width)
    console.print(picture(shown))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@WIDTHS
def test_before_the_first_event_it_says_what_it_waits_for(width: int) -> None:
    lines = drawn(width, moment(Act.WAITING, Summary.of([], [], store=True)))
    assert lines == [LABEL, URL, "waiting for the worker ..."]
    assert drawn(width, moment(Act.READING)) == [LABEL, URL, "reading the history ..."]


@WIDTHS
def test_it_tells_how_far_it_is_who_is_in_which_state_and_what_changed(width: int) -> None:
    lines = drawn(width, moment(Act.REPLAYING, summary(*[change()] * 10)))
    assert len(lines) == 18
    assert all(cell_len(line) <= width for line in lines)
    assert "25% 50 of 200 events sent" in lines[2]
    assert lines[3] == "1,234 events/s, 12,345 in all, lag 678; event time 2024-01-01 12:00 UTC"
    assert lines[4].split()[2:] == ["unactivated", "active", "silent", "lost"]
    assert lines[5].split() == ["All", "activity", "0", "1,500", "400", "0"]
    assert lines[6].split() == ["Orders", "9", "0", "0", "77"]
    assert "01-01 12:00 generated-0001 All activity unactivated -> active click, generated" in lines[8]


@WIDTHS
def test_after_the_end_it_says_that_the_page_stays_up(width: int) -> None:
    assert STAYS_UP in drawn(width, moment(Act.FINISHED, summary()))


@WIDTHS
def test_long_ids_and_control_characters_do_no_harm(width: int) -> None:
    lines = drawn(width, moment(Act.REPLAYING, summary(change("\x1b[2J\u202e" + "x" * 128), change("[bold]漢字"))))
    assert all(cell_len(line) <= width for line in lines)
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)
    assert lines[-2].endswith("click, generated")
    assert "[bold]漢字" in lines[-1]


def test_without_redis_it_says_so() -> None:
    assert "Redis is not there" in drawn(80, moment(Act.REPLAYING, replace(summary(), store=False)))


def test_where_there_is_no_terminal_it_prints_a_line_now_and_then() -> None:
    console = terminal(80)
    busy = moment(Act.REPLAYING, summary())
    with screen(console) as shown:
        for now, each in [
            (0.0, moment(Act.READING)),
            (1.0, moment(Act.READING)),
            (2.0, busy),
            (3.0, busy),
            (7.0, moment(Act.REPLAYING, replace(summary(), events=20_000))),
            (8.0, moment(Act.FINISHED, summary())),
            (20.0, moment(Act.FINISHED, summary())),
        ]:
            shown.show(each, now)
    assert isinstance(console.file, io.StringIO)
    told = "2024-01-01 12:00 UTC  12,345 events (1,234/s)  1,500 active, 400 silent  lag 678"
    assert console.file.getvalue().splitlines() == [
        f"{LABEL} -> {URL}",
        "reading the history ...",
        f"replaying: 25%  {told}",
        f"replaying: 25%  {told.replace('12,345', '20,000')}",
        f"{STAYS_UP}  {told}",
    ]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate()
    assert rate.of(0, 10.0) == 0
    assert rate.of(100, 11.0) == 100
    assert [rate.of(100, now) for now in (12.0, 13.0, 14.0, 15.0)][-1] == 0
    assert rate.of(0, 16.0) == 0


def campaigns() -> list[LedgerRow]:
    entry = Entry(eligible=12_138, held_out=1_348, triggered=10_790, sent=10_573, opened=2_502, recalled=163)
    entry.suppressed, entry.cost, entry.revenue, entry.held_recalled = 4_351, 22_371, 7_720_100, 46
    entry.first, entry.first_recalled, entry.held_first, entry.held_first_recalled = 10_790, 163, 1_348, 46
    return [LedgerRow.of(entry, name) for name in ("cart_abandoned", "\x1b[2Ja-very-long-name-of-a-campaign")]


@pytest.mark.parametrize("width", [80, 120, 240])
def test_the_ledger_fits_and_cuts_no_number(width: int) -> None:
    console = terminal(width)
    shown = moment(Act.REPLAYING, replace(summary(change()), campaigns=campaigns()))
    console.print(picture(shown, 10, width))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    assert "\x1b" not in "".join(lines)
    row = next(line for line in lines if line.startswith("cart_abandoned"))
    for text in ("1,348", "4,351", "10,790", "10,573", "2,502", "163", "1.5%", "-1.9", "77,201"):
        assert text in row, (text, row)
    assert any("generated-0001" in line for line in lines)


def test_before_a_campaign_has_decided_anything_there_is_no_ledger() -> None:
    assert "campaign" not in "".join(drawn(80, moment(Act.REPLAYING, summary())))
