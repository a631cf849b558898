"""A messaging system that hears of triggers during a campaign, and reports what became of each."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue
from random import Random
from threading import Event, Thread
from typing import Any, Final, TypeAlias

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from app.settings import Settings
from schemas.times import DAY_MS
from schemas.topics import RECALL_TRIGGERS

Wire: TypeAlias = dict[str, Any]
LISTENS_MS: Final = 500
DEAF_S: Final = 5.0
REPORTS_WITHIN_MS: Final = 90 * DAY_MS
"""It hears nothing while the broker is away, and rows do not remember triggers for ever."""
_COURSES: Final[tuple[list[str], ...]] = (
    ["sent"],
    ["sent", "delivered"],
    ["sent", "delivered", "opened", "clicked"],
    ["failed"],
    ["sent", "unsubscribed"],
    [],
)


class Messenger:
    """Reads triggers from the first one on, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heard = SimpleQueue[Wire]()
        self._is_closed = Event()
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def reports(self, now: int) -> Iterator[Wire]:
        """What is to be told of new triggers; none of it is late at that event time."""
        for _ in range(self._heard.qsize()):
            trigger = self._heard.get()
            if not trigger["rev"] and now < trigger["at"] + REPORTS_WITHIN_MS:
                yield from _reports(trigger, max(now, trigger["at"] + 1))

    def close(self) -> None:
        """Read no more."""
        self._is_closed.set()
        self._thread.join()

    def _listen(self) -> None:
        topic = self._settings.topic_prefix + RECALL_TRIGGERS
        places = {TopicPartition(topic, number): 0 for number in range(self._settings.partitions)}
        while not self._is_closed.is_set():
            with suppress(KafkaError):  # the broker is away
                self._hear(places)

    def _hear(self, places: dict[TopicPartition, int]) -> None:
        """A client that heard nothing for a while may have gone deaf with the broker: the next one goes on."""
        consumer = KafkaConsumer(
            bootstrap_servers=self._settings.kafka, isolation_level="read_committed", enable_auto_commit=False
        )
        consumer.assign(list(places))
        for place, offset in places.items():
            consumer.seek(place, offset)
        heard_at = time.monotonic()
        while not self._is_closed.is_set() and time.monotonic() < heard_at + DEAF_S:
            for place, records in consumer.poll(LISTENS_MS).items():
                heard_at, places[place] = time.monotonic(), records[-1].offset + 1
                for record in records:
                    self._heard.put(json.loads(record.value))
        consumer.close()


def _reports(trigger: Wire, ts: int) -> Iterator[Wire]:
    """The same ones whenever a trigger is seen."""
    random = Random(trigger["id"])  # noqa: S311  repeatable
    for kind in random.choice(_COURSES):
        yield {
            "event_id": f"{kind}:{trigger['id']}",
            "user_id": trigger["user_id"],
            "ts": ts,
            "type": "message",
            "kind": kind,
            "trigger_id": trigger["id"],
            "recall_channel": trigger["recall_channel"],
            **({"cost": 0.04} if random.random() < 0.5 else {}),
        }
