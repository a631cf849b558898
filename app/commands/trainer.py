"""`rekindle trainer`."""

import asyncio
from contextlib import suppress
from typing import Annotated

import typer

from app.commands.console import fail
from app.settings import SettingsError, load


def trainer(
    parent: Annotated[int | None, typer.Option(hidden=True, help="End when this process is not the parent.")] = None,
) -> None:
    """Train the churn models on the examples of all partitions, and publish them. Workers start it by themselves.

    There is one for an application: a newer one takes over from an older. Exit code 2 where a person has to mend
    something, 1 where a restart may help.
    """
    from aiokafka.errors import KafkaError, ProducerFenced
    from msgspec import MsgspecError

    from app.churn.train import Training
    from app.commands.worker import log
    from app.topics import BrokerError

    log("info")
    try:
        settings = load()
    except SettingsError as error:
        fail(str(error))
    if settings.grid is None:
        fail("REKINDLE_CHURN is false: there is nothing to train")
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(Training(settings, settings.grid, parent).run())
    except ProducerFenced:
        raise typer.Exit(0) from None
    except MsgspecError as error:
        fail(f"churn-examples holds what no worker of this version wrote ({error}); delete the topic to learn anew")
    except (KafkaError, BrokerError, TimeoutError, OSError) as error:
        fail(f"the trainer cannot go on: {error or type(error).__name__}")
