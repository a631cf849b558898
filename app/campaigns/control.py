"""The control topic for a command: what was told so far, and one more word."""

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from app.committed import committed
from app.settings import Delivery, Settings
from app.topics import PATIENCE_S, BrokerError, admin, control_name, one_line, partition_counts, prepare
from schemas.control import Command, Pause, Resume, Run, Told, control_record, read_control
from schemas.times import SECOND_MS, Millis

Found = TypeVar("Found")


class Standing(NamedTuple):
    """Campaigns that are paused, and since when; runs by id, in the order in which they were told."""

    paused: dict[str, Millis]
    runs: dict[str, Run]


def standing(settings: Settings) -> Standing:
    """What was told so far.

    Raises BrokerError.
    """
    with admin(settings) as client:
        if not partition_counts(client, [control_name(settings)]):
            return Standing({}, {})
    return asyncio.run(_guarded(_read(settings), settings))


def tell(settings: Settings, command: Command) -> None:
    """Write a command where all workers hear it; topics that are missing are made.

    Raises BrokerError; then it may have been written, or not.
    """
    prepare(settings)
    asyncio.run(_guarded(_send(settings, command), settings))


async def _guarded(work: Coroutine[Any, Any, Found], settings: Settings) -> Found:
    try:
        return await work
    except (KafkaError, TimeoutError) as error:
        why = one_line(error) or type(error).__name__
        advice = "see docs/security.md for the rights that are needed, or try again when the broker is up"
        raise BrokerError(f"{control_name(settings)} cannot be used ({why})", advice) from None


async def _read(settings: Settings) -> Standing:
    place = TopicPartition(control_name(settings), 0)
    records = committed(settings.kafka_connection, [place])
    return standing_of([read_control(record.offset, record.value) async for record in records])


def standing_of(told: Iterable[Told]) -> Standing:
    """What commands come to, in the order of their topic."""
    found = Standing({}, {})
    for each in told:
        match each.command:
            case Pause(campaign, at):
                found.paused.setdefault(campaign, at)
            case Resume(campaign):
                found.paused.pop(campaign, None)
            case Run() as run:
                found.runs.setdefault(run.id, run)
    return found


async def _send(settings: Settings, command: Command) -> None:
    producer = AIOKafkaProducer(
        **settings.kafka_connection.options(),
        enable_idempotence=settings.delivery is Delivery.EXACTLY_ONCE,
        acks="all",
        request_timeout_ms=PATIENCE_S * SECOND_MS,
    )
    key, value = control_record(command)
    try:
        async with asyncio.timeout(4 * PATIENCE_S):
            await producer.start()
            await producer.send_and_wait(control_name(settings), value, key, partition=0)
    finally:
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(producer.stop(), PATIENCE_S)
