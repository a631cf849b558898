"""The ledger as tables for a terminal: one where it is wide enough, else several below each other."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.table import Table

from app.ledger import money
from app.ledger_rows import LedgerRow
from app.ledger_words import lift_text, money_text, percent, reasons_text
from app.printable import printable
from app.wording import number
from schemas.money import CENTS

WIDE: Final = 232
"""Columns of a terminal that take the whole table."""
HALF: Final = 150
"""Columns that take it in two parts; where there are fewer, it is three."""
_NAME, SHORT_NAME, _TEXT = 24, 14, 15


class Column(NamedTuple):
    """What a column says of a row; text may take several lines."""

    title: str
    text: Callable[[LedgerRow], str]
    is_text: bool = False


DECIDED: Final = (
    Column("eligible", lambda row: number(row.eligible)),
    Column("held out", lambda row: number(row.held_out)),
    Column("triggered", lambda row: number(row.triggered)),
    Column("cancelled", lambda row: number(row.cancelled)),
    Column("suppressed", lambda row: number(row.suppressed)),
    Column("mostly because of", lambda row: reasons_text(row.reasons), is_text=True),
)
MESSAGES: Final = (
    Column("sent", lambda row: number(row.sent)),
    Column("delivered", lambda row: number(row.delivered)),
    Column("opened", lambda row: number(row.opened)),
    Column("clicked", lambda row: number(row.clicked)),
    Column("recalled", lambda row: number(row.recalled)),
    Column("rate", lambda row: percent(row.recall_rate)),
    Column("lift, 95 %", lambda row: lift_text(row.lift)),
)
MONEY: Final = (
    Column("cost", lambda row: money(row.cost)),
    Column("a user", lambda row: money_text(row.cost_per_user)),
    Column("a recall", lambda row: money_text(row.cost_per_recalled)),
    Column("revenue", lambda row: money(row.revenue)),
)
NARROW: Final = (
    Column("held", lambda row: number(row.held_out)),
    Column("supp.", lambda row: number(row.suppressed)),
    Column("trig.", lambda row: number(row.triggered)),
    Column("sent", lambda row: number(row.sent)),
    Column("open", lambda row: number(row.opened)),
    Column("back", lambda row: number(row.recalled)),
    Column("rate", lambda row: percent(row.recall_rate)),
    Column("lift", lambda row: lift_text(row.lift, with_limits=False)),
    Column("cost", lambda row: number(round(row.cost / CENTS))),
    Column("revenue", lambda row: number(round(row.revenue / CENTS))),
)
"""What matters most, in 80 columns: money is rounded."""


def show(console: Console, rows: Sequence[LedgerRow]) -> None:
    """Print all that the ledger tells."""
    console.print(full(rows, console.width))


def full(rows: Sequence[LedgerRow], width: int) -> RenderableType:
    """All columns."""
    if width >= WIDE:
        return table(rows, (*DECIDED, *MESSAGES, *MONEY))
    parts = (DECIDED, (*MESSAGES, *MONEY)) if width >= HALF else (DECIDED, MESSAGES, MONEY)
    name = _NAME if width >= HALF else SHORT_NAME
    return Group(*(table(rows, columns, gap=1, name=name) for columns in parts))


def table(rows: Sequence[LedgerRow], columns: Sequence[Column], gap: int = 2, name: int = _NAME) -> Table:
    """Some columns, so far apart; the first is the campaign, cut to a width, and its part if it has one."""
    found = Table(box=None, padding=(0, gap, 0, 0), header_style="dim")
    found.add_column("campaign", no_wrap=True, overflow="ellipsis", max_width=name)
    if has_parts := any(row.part for row in rows):
        found.add_column("part", no_wrap=True, overflow="ellipsis")
    for column in columns:
        widest = _TEXT if column.is_text else max(len(column.title), *(len(column.text(row)) for row in rows))
        justify: JustifyMethod = "left" if column.is_text else "right"
        found.add_column(column.title, justify=justify, no_wrap=not column.is_text, min_width=widest)
    for row in rows:
        parts = [printable(row.part) or "-"] if has_parts else []
        found.add_row(printable(row.campaign), *parts, *(column.text(row) for column in columns))
    return found
