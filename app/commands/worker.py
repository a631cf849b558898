"""`rekindle worker`."""

import asyncio
import gc
import logging
import os
import sys
from typing import Annotated, Final, Literal

import typer

from agents.rules.rulebook import Rulebook
from app.commands.console import complain, fail
from app.commands.rules_option import rules_in_force
from app.settings import Settings, SettingsError, load, shown

STALLED_EXIT: Final = 1
GC_THRESHOLDS: Final = (50_000, 5, 1_000_000)
"""Rows hold no cycles: only young objects are searched for some. A look at millions of old ones would take seconds."""

LogLevel = Literal["debug", "info", "warning", "error"]


def settings_help() -> str:
    """Every setting with its default, for the help text."""
    lines = [
        f"- `REKINDLE_{name.upper()}` ({shown(name, field.default) or 'none'}): {field.description}"
        for name, field in Settings.model_fields.items()
    ]
    return "Settings, from the environment or from rekindle.toml:\n\n" + "\n".join(lines)


def worker(
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes on this machine; each takes a share of the partitions.")
    ] = 1,
    log_level: Annotated[LogLevel, typer.Option(help="What is logged to stderr.")] = "info",
) -> None:
    """Process events from Kafka, until SIGTERM or Ctrl-C.

    Creates the topics that are missing. The web view is at REKINDLE_WEB_PORT; of several workers each takes the next
    port. Exit code 0 after a signal, 2 where something has to be mended by a person, 1 where a restart may help.
    """
    from app.live.pool import Pool

    log(log_level)
    try:
        settings = load()
    except SettingsError as error:
        fail(str(error))
    rulebook = rules_in_force(None, settings)
    if workers == 1:
        _run(settings, rulebook)
    raise typer.Exit(Pool(workers, settings.web_port, ["--log-level", log_level]).run())


def _run(settings: Settings, rulebook: Rulebook) -> None:
    """Run one worker, and leave at once: threads of libraries may not end by themselves after a fault."""
    from app.live.worker import StalledError, Worker, WorkerError
    from app.topics import BrokerError

    gc.set_threshold(*GC_THRESHOLDS)
    code = 0
    try:
        asyncio.run(Worker(settings, rulebook).run())
    except (WorkerError, BrokerError) as error:
        complain(str(error))
        code = 2
    except StalledError as error:
        logging.getLogger(__name__).critical("%s; this process ends, to be started anew", error)
        code = STALLED_EXIT
    except Exception:
        logging.getLogger(__name__).exception("an error that should not happen")
        code = STALLED_EXIT
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def log(level: LogLevel) -> None:
    """Log to stderr, without what others may not read, and without repeats."""
    from app.discreet import DiscreetFormatter
    from app.repeats import RepeatsFilter

    handler = logging.StreamHandler()
    handler.setFormatter(DiscreetFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper() if level == "debug" else "WARNING", handlers=[handler])
    logging.getLogger("app").setLevel(level.upper())
    if level != "debug":
        handler.addFilter(RepeatsFilter())
        logging.getLogger("app.live.lane").setLevel("WARNING")  # Faust tells there of each service that it starts
