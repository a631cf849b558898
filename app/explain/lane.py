"""The lane of a user: the one partition of each topic in which all of theirs lies, read as far as it is committed."""

import time
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.dead_letters.shelf import SILENT_S, Progress
from app.settings import Settings
from app.topics import BrokerError, TopicsError, admin, changelog_name, input_names, output_name, partition_counts
from schemas.events import UserId
from schemas.partitioner import partition_of
from schemas.topics import Topic

CHANGES: Final[Topic] = "tag-changes"


class Lane(NamedTuple):
    """The number of the partition, of how many; the names on the broker of the topics that are there.

    `inputs`: which input topic each name stands for.
    """

    settings: Settings
    partition: int
    partitions: int
    changelog: str
    inputs: Mapping[str, Topic]
    changes: Collection[str]


def lane_of(settings: Settings, user_id: UserId) -> Lane:
    """Where all of a user lies.

    Raises BrokerError where Kafka is away, TopicsError where there is no such system.
    """
    changelog, changes, inputs = changelog_name(settings), output_name(settings, CHANGES), input_names(settings)
    with admin(settings) as client:
        counts = partition_counts(client, [changelog, changes, *inputs])
    if changelog not in counts:
        raise TopicsError(
            f"there is no topic {changelog}",
            "a worker makes it; set REKINDLE_APP_ID and REKINDLE_TOPIC_PREFIX as the workers have them",
        )
    number = counts[changelog]
    return Lane(
        settings=settings,
        partition=partition_of(user_id.encode(), number),
        partitions=number,
        changelog=changelog,
        inputs={name: topic for name, topic in inputs.items() if counts.get(name) == number},
        changes=[changes] if counts.get(changes) == number else [],
    )


async def committed(lane: Lane, topics: Collection[str], progress: Progress) -> AsyncIterator[Any]:
    """The committed records of some topics, up to their present ends, each topic's in order.

    Raises KafkaError, and BrokerError where nothing more comes.
    """
    places = [TopicPartition(topic, lane.partition) for topic in topics]
    async with AIOKafkaConsumer(
        **lane.settings.kafka_connection.options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=8 * 2**20,
    ) as consumer:
        consumer.assign(places)
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        for place, begin in begins.items():
            consumer.seek(place, begin)
        heard_at = time.monotonic()
        while behind := [place for place in places if await consumer.position(place) < ends[place]]:
            if time.monotonic() - heard_at > SILENT_S:
                raise BrokerError(f"the broker gives nothing more of {behind[0].topic}", "see its log, and try again")
            for records in (await consumer.getmany(*behind, timeout_ms=200)).values():
                heard_at = time.monotonic()
                for record in records:
                    yield record
            left = sum([max(ends[place] - await consumer.position(place), 0) for place in places])
            total = sum(ends.values()) - sum(begins.values())
            progress(total - left, total)
