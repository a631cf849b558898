"""What a person sees of the demo in the terminal: a picture, or a plain line where there is none."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from app.demo.labels import cause_in_words
from app.demo.moment import Moment
from app.demo.player import Act
from app.ledger_table import NARROW, SHORT_NAME, WIDE, full, table
from app.live.status import Summary
from app.population import LIFECYCLES, STATES
from app.printable import printable
from app.wording import scope
from schemas.changes import TagChange
from schemas.events import Scalar
from schemas.times import Millis, to_datetime

COLOURS: Final[dict[Scalar, str]] = {
    "unactivated": "bright_black",
    "active": "bright_blue",
    "silent": "yellow",
    "lost": "magenta",
}
_CHANGE_COLUMNS: Final = {"newest": 11, "user": 15, "of": 12, "from -> to": 21, "why": 16}
STAYS_UP: Final = "replay finished; the page stays up until Ctrl-C"


def plain_line(moment: Moment) -> str:
    """A moment as one line."""
    parts = [_act(moment)]
    if moment.summary is not None and moment.has_begun:
        users = moment.summary.users.get(LIFECYCLES[0], {})
        parts += [
            _event_time(moment.summary.watermark),
            f"{moment.summary.events:,} events ({moment.rate:,.0f}/s)",
            ", ".join(f"{users[state]:,} {state}" for state in STATES if users.get(state)),
            f"lag {moment.summary.lag:,}",
        ]
    return "  ".join(filter(None, parts))


def picture(moment: Moment, newest: int = 10, width: int = 80) -> RenderableType:
    """A moment as a picture, with so many of the newest changes; the ledger has more columns where it is wide."""
    parts: list[RenderableType] = [
        Text(printable(moment.label), style="bold", overflow="ellipsis", no_wrap=True),
        Text(moment.url, style="underline"),
        _progress(moment),
    ]
    summary = moment.summary
    if summary is None or not moment.has_begun:
        return Group(*parts)
    return Group(
        *parts,
        _figures(moment, summary),
        _users(summary),
        *_campaigns(summary, width),
        _changes(summary.newest[:newest]),
    )


def _campaigns(summary: Summary, width: int) -> Iterator[RenderableType]:
    if summary.campaigns:
        yield (
            full(summary.campaigns, width)
            if width >= WIDE
            else table(summary.campaigns, NARROW, gap=1, name=SHORT_NAME)
        )


def _act(moment: Moment) -> str:
    if moment.act is Act.REPLAYING and moment.total:
        return f"{moment.act}: {100 * moment.sent // moment.total}%"
    return STAYS_UP if moment.act is Act.FINISHED else f"{moment.act} ..."


def _progress(moment: Moment) -> RenderableType:
    if moment.act is not Act.REPLAYING:
        return Text(_act(moment), style="green" if moment.act is Act.FINISHED else "dim")
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        ProgressBar(moment.total, moment.sent, width=30),
        f"{100 * moment.sent // max(moment.total, 1)}%",
        Text(f"{moment.sent:,} of {moment.total:,} events sent", style="dim"),
    )
    return grid


def _figures(moment: Moment, summary: Summary) -> RenderableType:
    line = Text.assemble(
        (f"{moment.rate:,.0f}", "bold"),
        " events/s, ",
        (f"{summary.events:,}", "bold"),
        " in all, lag ",
        (f"{summary.lag:,}", "bold"),
        "; event time ",
        (_event_time(summary.watermark), "bold"),
    )
    return line if summary.store else Text.assemble(line, ("\nRedis is not there", "red"))


def _event_time(watermark: Millis) -> str:
    return f"{to_datetime(watermark):%Y-%m-%d %H:%M} UTC" if watermark > 0 else "not known yet"


def _users(summary: Summary) -> Table:
    table = Table("users now", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for state in STATES:
        table.add_column(Text(state, style=COLOURS[state]), justify="right")
    for tag in LIFECYCLES:
        users = summary.users.get(tag, {})
        table.add_row(scope(tag).title, *(Text(f"{users.get(state, 0):,}", style=COLOURS[state]) for state in STATES))
    return table


def _changes(changes: Iterable[TagChange]) -> Table:
    """The newest changes; what is widest still fits 80 columns."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for name, width in _CHANGE_COLUMNS.items():
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=width)
    for change in changes:
        table.add_row(*_row(change))
    return table


def _row(change: TagChange) -> Sequence[RenderableType]:
    return (
        f"{to_datetime(change.at):%m-%d %H:%M}",
        Text(printable(change.user_id)),
        Text(printable(scope(change.tag).title)),
        Text.assemble(_value(change.from_), " -> ", _value(change.to)),
        Text(printable(cause_in_words(change.cause)), style="dim"),
    )


def _value(value: Scalar) -> tuple[str, str]:
    return ("-" if value is None else printable(str(value)), COLOURS.get(value, ""))
