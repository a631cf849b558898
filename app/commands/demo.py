"""`rekindle demo`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from app.commands.console import Format, complain, fail
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.settings import SettingsError, load

_WORKER_ENDED: Final = 1


def demo(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="A history of your own. Default: the UCI Online Retail year from ../shared, or a generated one.",
            show_default=False,
        ),
    ] = None,
    file_format: Format = FileFormat.WIRE,
    seconds: Annotated[float, typer.Option(min=1, max=86_400, help="How long the replay takes, about.")] = 60,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Of the page. Default: 6066, or a free one.", show_default=False),
    ] = None,
) -> None:
    """Show it all at work on this machine, until Ctrl-C: needs no Docker, no Java, no network.

    Starts a broker, a store and a worker, replays a history in about a minute, and shows who is active, silent or
    lost, here and on a page in the browser. All of it is in memory, and gone afterwards.
    """
    from rich.console import Console

    from app.demo.demo import WorkerEndedError, run
    from app.demo.embedded import EmbeddedError
    from app.demo.story import own_story, shop_story
    from app.topics import BrokerError

    try:
        settings = load()
        story = own_story(files, file_format, settings.max_ahead) if files else shop_story()
        settings = settings.model_copy(update={"web_port": _port(port, settings.web_port)})
        run(story, settings, seconds, Console(highlight=False))
    except (HistoryError, SettingsError, EmbeddedError, BrokerError) as error:
        fail(str(error))
    except WorkerEndedError as error:
        complain(str(error))
        raise typer.Exit(_WORKER_ENDED) from None
    except KeyboardInterrupt:
        typer.echo("stopped: worker, store and broker are gone")


def _port(wanted: int | None, usual: int) -> int:
    """The port of the page: what was asked for, else the usual one, else a free one."""
    from app.demo.embedded import HOST, free_port
    from app.ports import problem

    if wanted is None:
        return free_port() if problem(HOST, usual) else usual
    if problem(HOST, wanted):
        fail(f"port {wanted} is taken; give another to --port, or none")
    return wanted
