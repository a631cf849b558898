"""`rekindle replay`."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.commands.console import STDERR, Files, Format, fail, instant, span
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.settings import SettingsError, load
from schemas.times import DAY_MS, SECOND_MS, Millis

_INTERRUPTED: Final = 130

if TYPE_CHECKING:
    from app.history.history import History
    from app.replay.replay import Replay


def _speed(text: str) -> float:
    """How much event time passes in a second, in seconds."""
    try:
        speed = float(text)
    except ValueError:
        return span(text) / SECOND_MS
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(f"{text!r} is no speed: write seconds of event time per second, or 1d, 12h or 90m")
    return speed


def replay(
    files: Files,
    speed: Annotated[
        float | None,
        typer.Option(
            parser=_speed,
            metavar="SPEED",
            help="Event time per second: seconds, or 1d, 12h or 90m. Default: as fast as it goes.",
        ),
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", min=0.001, metavar="N", help="Events per second, at most.")
    ] = None,
    until: Annotated[
        Millis | None,
        typer.Option(
            parser=instant,
            metavar="TIME",
            help="Leave later events out, and say at the end that all is there until then: 2011-12-10T00:00:00Z, or"
            " ms. Default: the last event.",
        ),
    ] = None,
    tick_every: Annotated[
        Millis | None,
        typer.Option(
            parser=span,
            metavar="SPAN",
            help="How often, in event time, every topic is told how far time has come. Default: 1d.",
        ),
    ] = None,
    file_format: Format = FileFormat.WIRE,
) -> None:
    """Send a history to Kafka, as its producers would have.

    Each event goes to the topic of its type, sorted by time; topics that are missing are made.
    """
    from app.history.history import History
    from app.replay.bars import ReplayBars
    from app.replay.pace import Pace
    from app.replay.replay import Replay
    from app.topics import BrokerError

    bars = ReplayBars(STDERR)
    try:
        settings = load()
        history = History(
            files,
            dead_letters=lambda _: None,  # they have no user to be sent for; the history counts them
            file_format=file_format,
            until=until,
            max_ahead_ms=settings.max_ahead,
            progress=bars.show,
        )
    except (HistoryError, SettingsError) as error:
        fail(str(error))
    work = Replay(settings, history, pace=Pace(speed=speed, rate=rate), until=until, tick_every=tick_every or DAY_MS)
    try:
        with bars:
            work.run()
    except (HistoryError, BrokerError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        STDERR.print(f"rekindle: interrupted; {work.sent:,} events were sent", highlight=False)
        raise typer.Exit(_INTERRUPTED) from None
    _show(work, history)


def _show(work: "Replay", history: "History") -> None:
    """One line of what was sent, and one for each kind of record that was not."""
    rate = f", {work.sent / work.elapsed_s:,.0f} events/s" if work.elapsed_s else ""
    typer.echo(f"{work.sent:,} events and {work.ticks:,} ticks sent ({work.elapsed_s:.1f} s{rate})")
    left_out = {
        "dead letters, which cannot be sent": history.dead,
        "ticks of the history, which has its own": history.ticks,
        "events after --until, left out": history.after_until,
        **history.skipped,
    }
    for what, count in left_out.items():
        if count:
            typer.echo(f"- {what}: {count:,}")
