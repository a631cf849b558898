"""The ledger of a live system as it was last committed, read from its changelog. Nothing is written."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.committed import Progress, committed
from app.partition_count import check_marker
from app.settings import Settings
from app.topics import BrokerError, TopicsError, admin, changelog_name, one_line, partition_counts
from tables.changelog import Restore, is_user
from tables.ledger import Day, read_days


def read_ledger(settings: Settings, progress: Progress) -> list[Mapping[int, Day]]:
    """The days of each partition, by number of days since 1970.

    Raises BrokerError where Kafka is away or gives nothing, TopicsError where there is no such system, UnreadableError
    for what this version cannot read.
    """
    name = changelog_name(settings)
    with admin(settings) as client:
        counts = partition_counts(client, [name])
    if name not in counts:
        raise TopicsError(
            f"there is no topic {name}",
            "a worker makes it; set REKINDLE_APP_ID and REKINDLE_TOPIC_PREFIX as the workers have them",
        )
    try:
        return asyncio.run(_read(settings, name, counts[name], progress))
    except KafkaError as error:
        raise BrokerError(f"{name} cannot be read ({one_line(error)})", "try again when the broker is up") from None


async def _read(settings: Settings, name: str, partitions: int, progress: Progress) -> list[Mapping[int, Day]]:
    restores: dict[int, Restore] = defaultdict(Restore)
    places = [TopicPartition(name, number) for number in range(partitions)]
    async for record in committed(settings.kafka_connection, places, progress):
        if not is_user(record.key):
            restores[record.partition].read([(record.key, record.value)])
    for restore in restores.values():
        if restore.marker is not None:
            check_marker(restore.marker, partitions)
    return [read_days(restore.days) for restore in restores.values()]
