"""The check of the workers: whether any run, and how far behind they are."""

from collections import Counter
from typing import Any

from kafka.admin import KafkaAdminClient
from kafka.errors import GroupIdNotFoundError
from kafka.protocol.consumer import OffsetSpec
from kafka.structs import TopicPartition

from app.doctor.check import Check, Level
from app.settings import Settings
from app.topics import input_names, partition_counts


def group(client: KafkaAdminClient, settings: Settings) -> Check:
    """Whether workers run, and how far behind they are."""
    lag = _lag(client, settings)
    behind = ", ".join(f"{name} {number:,}" for name, number in lag.items())
    lagging = f"; lag: {behind}" if behind else ""
    try:
        found = client.describe_groups([settings.app_id])[settings.app_id]
    except GroupIdNotFoundError:
        found = {"members": [], "group_state": "Dead"}
    except ValueError:  # kafka-python does not understand the permissions that the embedded broker tells
        return Check("group", Level.OK, f"the broker does not tell who is in {settings.app_id}{lagging}")
    members = len(found["members"])
    if not members:
        return Check("group", Level.WARNING, f"no worker is in {settings.app_id}{lagging}", "start a worker")
    workers = "1 worker" if members == 1 else f"{members} workers"
    return Check("group", Level.OK, f"{settings.app_id}: {workers}, {found['group_state'].lower()}{lagging}")


def _lag(client: KafkaAdminClient, settings: Settings) -> dict[str, int]:
    """How many records of each input topic the group has not committed yet."""
    counts = partition_counts(client, list(input_names(settings)))
    places = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
    if not places:
        return {}
    try:
        committed: dict[Any, Any] = client.list_group_offsets({settings.app_id: places})[settings.app_id]
    except GroupIdNotFoundError:
        committed = {}
    ends = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    starts = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
    lag: Counter[str] = Counter(dict.fromkeys(counts, 0))
    for place in places:
        done = committed[place].offset if place in committed else -1
        # the embedded broker counts the last batch as one record, so what was read may lie beyond the end
        lag[place.topic] += max(0, ends[place].offset - (done if done >= 0 else starts[place].offset))
    return dict(lag)
