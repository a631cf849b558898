"""The lane of a user: the one partition of each topic in which all of theirs lies."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition

from app.settings import Settings
from app.topics import TopicsError, admin, changelog_name, input_names, output_name, partition_counts
from schemas.events import UserId
from schemas.partitioner import partition_of
from schemas.topics import TAG_CHANGES, Topic


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

    def places(self, topics: Collection[str]) -> list[TopicPartition]:
        """The user's partition of each of some topics."""
        return [TopicPartition(topic, self.partition) for topic in topics]


def lane_of(settings: Settings, user_id: UserId) -> Lane:
    """Where all of a user lies.

    Raises BrokerError where Kafka is away, TopicsError where there is no such system.
    """
    changelog, changes, inputs = changelog_name(settings), output_name(settings, TAG_CHANGES), input_names(settings)
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
