"""Where the demo shows how things stand: a live picture on a terminal, plain lines elsewhere."""

from typing import Final, Protocol, Self

from rich.console import Console
from rich.live import Live

from app.demo.moment import Moment
from app.demo.player import Act
from app.demo.terminal import picture, plain_line
from app.printable import printable

PLAIN_EVERY_S: Final = 5.0

_NEWEST: Final = 10
_LEAST_NEWEST: Final = 3
_OTHER_LINES: Final = 10
"""Lines of the picture that show no changes, and one for the cursor."""


class Screen(Protocol):
    """Where moments are shown."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, moment: Moment, now: float) -> None:
        """Show how things stand."""


def screen(console: Console) -> Screen:
    """A live picture on a terminal, plain lines elsewhere."""
    return LiveScreen(console) if console.is_terminal else PlainScreen(console)


class LiveScreen:
    """One picture that changes in its place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, moment: Moment, now: float) -> None:  # noqa: ARG002  a plain screen looks at the clock
        """Draw the moment."""
        campaigns = moment.summary.campaigns if moment.summary else ()
        lines = self._console.height - _OTHER_LINES - (len(campaigns) + 1 if campaigns else 0)
        newest = max(_LEAST_NEWEST, min(_NEWEST, lines))
        self._live.update(picture(moment, newest, self._console.width), refresh=True)


class PlainScreen:
    """A line every few seconds if something is new, and one for each new act of the replay."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._act: Act | None = None
        self._last = ""
        self._due = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, moment: Moment, now: float) -> None:
        """Print a line if it is time."""
        if self._act is None:
            self._print(f"{printable(moment.label)} -> {moment.url}")
        line = plain_line(moment)
        if moment.act is not self._act or (now >= self._due and line != self._last):
            self._print(line)
            self._act, self._last, self._due = moment.act, line, now + PLAIN_EVERY_S

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
