"""Plain Faust, as its own documentation shows it: an agent, a table, the smallest version of the job."""

import asyncio
import logging
import sys
from typing import Any

import faust

from app.settings import Settings, load
from app.topics import input_names, output_name
from bench.parts.figures import Stopwatch
from schemas.times import DAY_MS

SILENT_MS = 30 * DAY_MS


async def run(settings: Settings, events: int) -> None:
    """Keep the newest time of each user, and say who was silent before an event."""
    app = faust.App(
        settings.app_id, broker=f"kafka://{settings.kafka}", topic_partitions=settings.partitions,
        consumer_auto_offset_reset="earliest", web_enabled=False, topic_disable_leader=True,
    )  # fmt: skip
    last = app.Table("last", default=int)
    changes = app.topic(output_name(settings, "tag-changes"), value_serializer="json")
    done, seen, watch = asyncio.Event(), 0, list[Stopwatch]()

    async def agent(stream: Any) -> None:
        nonlocal seen
        async for event in stream:
            if not watch:
                watch.append(Stopwatch())
            if event["type"] == "tick":
                continue
            user, ts = event["user_id"], event["ts"]
            if (before := last[user]) and ts - before > SILENT_MS:
                await changes.send(key=user, value={"user_id": user, "from": "silent", "to": "active", "at": ts})
            last[user] = max(before, ts)
            seen += 1
            if seen == events:
                watch[0].show(seen)
                done.set()

    app.agent(app.topic(*input_names(settings), key_type=str, value_serializer="json"))(agent)
    await app.start()
    await done.wait()
    await app.stop()


if __name__ == "__main__":
    logging.basicConfig(level="ERROR")
    asyncio.run(run(load(), int(sys.argv[1])))
