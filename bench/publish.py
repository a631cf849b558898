"""Fills the input topics with generated load, in large batches."""

import asyncio

import msgspec
from aiokafka import AIOKafkaProducer

from app.settings import Settings
from bench.load import payloads
from schemas.partitioner import partition_of
from schemas.times import DAY_MS
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE

BATCH_BYTES = 500_000


def publish(settings: Settings, events: int, users: int, days: int = 90) -> None:
    """Send events in the order of time, a tick to every topic-partition each day, and one at the end."""
    lanes: dict[tuple[str, int], list[tuple[bytes | None, bytes]]] = {
        (topic, number): [] for topic in INPUT_TOPICS for number in range(settings.partitions)
    }
    day, event = 0, {}
    for payload in payloads(events, users, days):
        event = msgspec.json.decode(payload)
        if event["ts"] // DAY_MS > day:
            day = event["ts"] // DAY_MS
            _tick(lanes, day * DAY_MS - 1)
        key = event["user_id"].encode()
        lanes[TOPIC_OF_TYPE[event["type"]], partition_of(key, settings.partitions)].append((key, payload))
    _tick(lanes, event["ts"])
    asyncio.run(_send(settings, lanes))


def _tick(lanes: dict[tuple[str, int], list[tuple[bytes | None, bytes]]], ts: int) -> None:
    for lane in lanes.values():
        lane.append((None, b'{"type":"tick","ts":%d}' % ts))


async def _send(settings: Settings, lanes: dict[tuple[str, int], list[tuple[bytes | None, bytes]]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka, acks="all", max_batch_size=BATCH_BYTES) as producer:
        sent = []
        for (topic, number), records in lanes.items():
            batch = producer.create_batch()
            for key, value in records:
                if batch.append(timestamp=None, key=key, value=value) is None:
                    sent.append(await producer.send_batch(batch, settings.topic_prefix + topic, partition=number))
                    batch = producer.create_batch()
                    batch.append(timestamp=None, key=key, value=value)
            sent.append(await producer.send_batch(batch, settings.topic_prefix + topic, partition=number))
        await asyncio.gather(*sent)
