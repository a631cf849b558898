"""Writes the events that the input topics hold as JSON lines for `rekindle replay`; the settings say which topics.

python docs/examples/dump.py > history.jsonl
"""

import sys
from collections.abc import Iterator
from contextlib import suppress

from kafka import KafkaConsumer, TopicPartition

from app.settings import load
from app.topics import input_names
from schemas.dead_letter import Rejected
from schemas.decode import decode
from schemas.events import AnyEvent, Profile, Tick


def events() -> Iterator[tuple[AnyEvent, bytes]]:
    """Each event with its payload, topic after topic, up to where they end now."""
    settings = load()
    with KafkaConsumer(**settings.kafka_connection.options(), isolation_level="read_committed") as consumer:
        places = [TopicPartition(name, each) for name in input_names(settings) for each in range(settings.partitions)]
        ends = consumer.end_offsets(places)
        for place in places:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            while consumer.position(place) < ends[place]:
                for record in consumer.poll(500).get(place, ()):
                    with suppress(Rejected):  # dead letters were not applied
                        if not isinstance(event := decode(record.value), Tick):
                            yield event, record.value.replace(b"\n", b" ").replace(b"\r", b" ")


def is_erasure(event: AnyEvent) -> bool:
    """Whether all that is older must be forgotten."""
    return isinstance(event, Profile) and event.kind == "erased"


erased: dict[str, int] = {}
for event, _ in events():
    if is_erasure(event):
        erased[event.user_id] = max(event.ts, erased.get(event.user_id, 0))
for event, payload in events():
    if is_erasure(event) or event.ts > erased.get(event.user_id, 0):
        sys.stdout.buffer.write(payload + b"\n")
