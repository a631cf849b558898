"""A producer that sends generated events at a steady rate, on top of those that were sent before; prints how many."""

import asyncio
import sys
import time
from itertools import islice

import msgspec

from app.replay.outbox import Outbox
from app.settings import Settings, load
from bench.load import payloads
from schemas.partitioner import partition_of
from schemas.times import DAY_MS
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE

SLICE_S = 0.05


async def send(settings: Settings, users: int, events_a_day: int, rate: int, seconds: float, skip: int) -> None:
    """Send them, with a tick to every topic-partition each day of event time."""
    total = int(rate * seconds)
    days = -(-(skip + total) // events_a_day)
    records = islice(payloads(days * events_a_day, users, days), skip, skip + total)
    outbox, began, sent, day = Outbox(settings), time.monotonic(), 0, 0
    await outbox.start()
    while sent < total:
        due = min(total, int(rate * (time.monotonic() - began)) + 1)
        for payload in islice(records, due - sent):
            event = msgspec.json.decode(payload)
            if event["ts"] // DAY_MS > day:
                day = event["ts"] // DAY_MS
                await tick(outbox, settings, day * DAY_MS - 1)
            key = event["user_id"].encode()
            place = TOPIC_OF_TYPE[event["type"]], partition_of(key, settings.partitions)
            await outbox.put(place, key, payload)
        sent = due
        await outbox.push()
        await asyncio.sleep(SLICE_S)
    await tick(outbox, settings, event["ts"])
    await outbox.flush()
    await outbox.stop()
    print(sent)


async def tick(outbox: Outbox, settings: Settings, ts: int) -> None:
    """A tick to every topic-partition."""
    for topic in INPUT_TOPICS:
        for number in range(settings.partitions):
            await outbox.put((topic, number), None, b'{"type":"tick","ts":%d}' % ts)


if __name__ == "__main__":
    users, events_a_day, rate, seconds, skip = map(int, sys.argv[1:])
    asyncio.run(send(load(), users, events_a_day, rate, seconds, skip))
