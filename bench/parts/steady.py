"""A producer that sends generated events with the time of now, at a steady rate (0: as fast as it can)."""

import asyncio
import sys
import time
from itertools import islice

import msgspec

from app.clock import now
from app.replay.outbox import Outbox
from app.settings import Settings, load
from bench.load import live_events
from schemas.partitioner import partition_of
from schemas.topics import TOPIC_OF_TYPE

SLICE_S = 0.05
SLICE = 2_000


async def send(settings: Settings, users: int, total: int, rate: int) -> None:
    """Send as many events of as many users."""
    encode = msgspec.json.Encoder().encode
    events, outbox, began, sent = live_events(users, time.time_ns()), Outbox(settings), time.monotonic(), 0
    await outbox.start()
    while sent < total:
        due = min(total, int(rate * (time.monotonic() - began)) + 1 if rate else sent + SLICE)
        at = now()
        for event in islice(events, due - sent):
            key = str(event["user_id"]).encode()
            place = settings.topic_prefix + TOPIC_OF_TYPE[str(event["type"])], partition_of(key, settings.partitions)
            await outbox.put(place, key, encode(event | {"ts": at}))
        sent = due
        await outbox.push()
        await asyncio.sleep(SLICE_S if rate else 0)
    await outbox.flush()
    await outbox.stop()


if __name__ == "__main__":
    asyncio.run(send(load(), *map(int, sys.argv[1:])))
