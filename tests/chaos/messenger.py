"""A messaging system that hears of triggers during a campaign, and reports what became of each."""

import json
import time
from collections.abc import Iterator
from random import Random
from typing import Any, Final, TypeAlias

from kafka import KafkaConsumer, TopicPartition

from app.settings import Settings
from schemas.times import DAY_MS
from schemas.topics import RECALL_TRIGGERS

Wire: TypeAlias = dict[str, Any]
LISTENS_EVERY_S: Final = 0.2
LISTENS_MS: Final = 100
"""Less than that, and the client never learns where its partitions begin."""
MOST_AT_ONCE: Final = 2_000
REPORTS_WITHIN_MS: Final = 90 * DAY_MS
"""After an outage of the broker it is deaf for a while, and rows do not remember triggers for ever."""
_COURSES: Final[tuple[list[str], ...]] = (
    ["sent"],
    ["sent", "delivered"],
    ["sent", "delivered", "opened", "clicked"],
    ["failed"],
    ["sent", "unsubscribed"],
    [],
)


class Messenger:
    """Reads triggers from the first one on."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka, isolation_level="read_committed", enable_auto_commit=False,
            reconnect_backoff_max_ms=500,
        )  # fmt: skip
        places = [TopicPartition(settings.topic_prefix + RECALL_TRIGGERS, n) for n in range(settings.partitions)]
        self._consumer.assign(places)
        self._consumer.seek_to_beginning()
        self._heard_at = 0.0

    def reports(self, now: int) -> Iterator[Wire]:
        """What is to be told of new triggers; none of it is late at that event time. Listens now and then only."""
        if time.monotonic() - self._heard_at < LISTENS_EVERY_S:
            return
        found = self._consumer.poll(LISTENS_MS, max_records=MOST_AT_ONCE)
        self._heard_at = time.monotonic()
        for records in found.values():
            for record in records:
                trigger = json.loads(record.value)
                if not trigger["rev"] and now < trigger["at"] + REPORTS_WITHIN_MS:
                    yield from _reports(trigger, max(now, trigger["at"] + 1))

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()


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
