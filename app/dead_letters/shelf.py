"""The topics of dead letters and of marks, read as far as they are committed."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.committed import Progress, committed
from app.dead_letters.letter import Letter, Place, letter_of
from app.dead_letters.marks import Marks
from app.settings import Settings
from app.topics import BrokerError, TopicsError, admin, one_line, output_name, partition_counts, redriven_name
from schemas.topics import DEAD_LETTERS


class Shelf(NamedTuple):
    """The letters that were kept, one a place, the oldest first; all marks; and how many records are no letters."""

    letters: list[Letter]
    marks: Marks
    unreadable: int


def read_shelf(
    settings: Settings, keep: Callable[[Letter], Letter | None], progress: Progress, newest: int | None = None
) -> Shelf:
    """All that is there. `keep`: what to keep of a letter, for payloads may be large.

    `newest`: only the letters of so many offsets before the end of each partition.

    Raises BrokerError, and TopicsError where there is no topic of dead letters.
    """
    name = output_name(settings, DEAD_LETTERS)
    with admin(settings) as client:
        counts = partition_counts(client, [name, redriven_name(settings)])
    if name not in counts:
        raise TopicsError(f"there is no topic {name}", "a worker makes it; or set REKINDLE_TOPIC_PREFIX")
    try:
        return asyncio.run(_read(settings, counts, keep, progress, newest))
    except KafkaError as error:
        raise BrokerError(f"{name} cannot be read ({one_line(error)})", "try again when the broker is up") from None


async def _read(
    settings: Settings,
    counts: dict[str, int],
    keep: Callable[[Letter], Letter | None],
    progress: Progress,
    newest: int | None,
) -> Shelf:
    found: dict[Place, Letter] = {}
    unreadable = 0
    name = output_name(settings, DEAD_LETTERS)
    async for record in committed(settings.kafka_connection, _places(name, counts[name]), progress, newest):
        letter = letter_of(record.timestamp, record.value)
        if letter is None:
            unreadable += 1
        elif letter.place not in found and (kept := keep(letter)):
            found[letter.place] = kept
    marks = await read_marks(settings, counts.get(redriven_name(settings), 0))
    return Shelf(sorted(found.values(), key=lambda each: (each.at, each.place)), marks, unreadable)


async def read_marks(settings: Settings, partitions: int) -> Marks:
    """All marks; none where their topic is not there yet, with no partition. Raises KafkaError, BrokerError."""
    marks = Marks()
    async for record in committed(settings.kafka_connection, _places(redriven_name(settings), partitions)):
        marks.read(record.key, record.value)
    return marks


def _places(topic: str, partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(partitions)]
