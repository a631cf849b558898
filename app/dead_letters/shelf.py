"""The topics of dead letters and of marks, read as far as they are committed."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NamedTuple, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app.dead_letters.letter import Letter, Place, letter_of
from app.dead_letters.marks import Marks
from app.live.outputs import DEAD_LETTERS
from app.settings import Settings
from app.topics import BrokerError, TopicsError, admin, one_line, output_name, partition_counts, redriven_name

SILENT_S: Final = 30
"""So long a broker may give nothing while there is more to read."""

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many records were read, of how many."""

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs is raised too, and told in one line by us


class Shelf(NamedTuple):
    """The letters that were kept, one a place, the oldest first; all marks; and how many records are no letters."""

    letters: list[Letter]
    marks: Marks
    unreadable: int


def read_shelf(settings: Settings, keep: Callable[[Letter], Letter | None], progress: Progress) -> Shelf:
    """All that is there. `keep`: what to keep of a letter, for payloads may be large.

    Raises BrokerError, and TopicsError where there is no topic of dead letters.
    """
    name = output_name(settings, DEAD_LETTERS)
    with admin(settings) as client:
        counts = partition_counts(client, [name, redriven_name(settings)])
    if name not in counts:
        raise TopicsError(f"there is no topic {name}", "a worker makes it; or set REKINDLE_TOPIC_PREFIX")
    try:
        return asyncio.run(_read(settings, counts, keep, progress))
    except KafkaError as error:
        raise BrokerError(f"{name} cannot be read ({one_line(error)})", "try again when the broker is up") from None


async def _read(
    settings: Settings, counts: dict[str, int], keep: Callable[[Letter], Letter | None], progress: Progress
) -> Shelf:
    found: dict[Place, Letter] = {}
    unreadable = 0
    name = output_name(settings, DEAD_LETTERS)
    async for record in committed(settings, name, counts[name], progress):
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
    async for record in committed(settings, redriven_name(settings), partitions, lambda _done, _total: None):
        marks.read(record.key, record.value)
    return marks


async def committed(settings: Settings, topic: str, partitions: int, progress: Progress) -> AsyncIterator[Any]:
    """The committed records of a topic up to its present end, each partition's in order.

    The embedded broker's end lies in its last batch, which is read to its own end.

    Raises KafkaError, and BrokerError where nothing more comes.
    """
    places = [TopicPartition(topic, number) for number in range(partitions)]
    if not places:
        return
    async with AIOKafkaConsumer(
        **settings.kafka_connection.options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=8 * 2**20,
    ) as consumer:
        consumer.assign(places)
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        total = sum(ends.values()) - sum(begins.values())
        for place, begin in begins.items():
            consumer.seek(place, begin)
        heard_at, done = time.monotonic(), 0
        while behind := [place for place in places if await consumer.position(place) < ends[place]]:
            if time.monotonic() - heard_at > SILENT_S:
                raise BrokerError(f"the broker gives nothing more of {topic}", "see its log, and try again")
            for records in (await consumer.getmany(*behind, timeout_ms=200)).values():
                heard_at = time.monotonic()
                for record in records:
                    yield record
                done += len(records)
            progress(min(done, total), total)
