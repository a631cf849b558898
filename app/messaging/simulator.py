"""The simulated messaging system on Kafka: reads recall-triggers, reports on events.message. It sends nothing."""

from collections.abc import Iterable
from threading import Event
from typing import Any, Final

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from app.clock import now
from app.messaging.office import Office
from app.settings import Clock, Settings
from app.topics import BrokerError, one_line, output_name, prepare
from schemas.dead_letter import Rejected
from schemas.decode import decode
from schemas.partitioner import partition_of
from schemas.recall import RecallTrigger
from schemas.times import SECOND_MS, Millis
from schemas.topics import RECALL_TRIGGERS, TOPIC_OF_TYPE

_POLL_MS: Final = 100
_COMMIT_EVERY_MS: Final = SECOND_MS
_DECODE: Final = msgspec.json.Decoder(RecallTrigger).decode
_ENCODE: Final = msgspec.json.Encoder().encode


class Simulator:
    """Answers triggers until it is told to stop.

    `reported`: how many reports the broker has. `unreadable`: how many records were no triggers.
    With the `event` clock, time is what the ticks and events of events.message say, so a replay moves it: a report is
    given when its time has come, some moments late. It gives no ticks: those are the replay's.
    Where it stands is kept as offsets of a group, up to the oldest trigger of which something is still to be reported;
    after a restart some reports may come again, with the same ids.
    """

    def __init__(self, settings: Settings, office: Office) -> None:
        self._settings = settings
        self._office = office
        self._triggers = output_name(settings, RECALL_TRIGGERS)
        self._messages = output_name(settings, TOPIC_OF_TYPE["message"])
        self._follows_ticks = settings.clock is Clock.EVENT
        self._times: dict[int, Millis] = {}
        self._committed: dict[TopicPartition, int] = {}
        self.reported = self.unreadable = 0

    def run(self, stop: Event) -> None:
        """Answer until `stop` is set. Raises BrokerError."""
        self._partitions = prepare(self._settings)
        try:
            self._run(stop)
        except KafkaError as error:
            raise BrokerError(
                f"the Kafka broker at {self._settings.kafka} does not do what is asked ({one_line(error)})",
                "start again when it is up",
            ) from None

    def _run(self, stop: Event) -> None:
        options = self._settings.kafka_connection.options()
        with (
            KafkaConsumer(
                **options,
                group_id=f"{self._settings.app_id}-simulated-messaging",
                enable_auto_commit=False,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
            ) as consumer,
            KafkaProducer(**options, enable_idempotence=False, acks="all", linger_ms=5) as producer,
        ):
            self._start(consumer)
            commit_at = 0
            while not stop.is_set():
                self._read(consumer)
                self._report(producer)
                if (clock := now()) >= commit_at:
                    self._commit(consumer)
                    commit_at = clock + _COMMIT_EVERY_MS

    def _start(self, consumer: Any) -> None:
        """Read all triggers that are there before anything is reported: some may be taken back."""
        places = self._places(self._triggers)
        ticks = self._places(self._messages) if self._follows_ticks else []
        consumer.assign([*places, *ticks])
        if ticks:
            consumer.seek_to_beginning(*ticks)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            self._read(consumer)

    def _places(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self._partitions)]

    def _read(self, consumer: Any) -> None:
        for place, records in consumer.poll(_POLL_MS).items():
            if place.topic == self._triggers:
                self._take(place.partition, records)
            else:
                self._follow(place.partition, records)

    def _take(self, partition: int, records: Iterable[Any]) -> None:
        clock = 0 if self._follows_ticks else now()
        for record in records:
            try:
                trigger = _DECODE(record.value or b"")
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.unreadable += 1
            else:
                self._office.take(trigger, (partition, record.offset), clock)

    def _follow(self, partition: int, records: Iterable[Any]) -> None:
        for record in records:
            try:
                self._times[partition] = max(self._times.get(partition, 0), decode(record.value).ts)
            except Rejected:  # a dead letter moves no time
                continue

    def _report(self, producer: Any) -> None:
        sent = 0
        for partition in range(self._partitions):
            time = self._times.get(partition, 0) if self._follows_ticks else now()
            for report in self._office.due(partition, time):
                key = report.user_id.encode()
                where = partition_of(key, self._partitions)
                producer.send(self._messages, _ENCODE(report), key=key, partition=where)
                sent += 1
        if sent:
            producer.flush()
            self.reported += sent

    def _commit(self, consumer: Any) -> None:
        found = {
            place: self._office.next_offset(place.partition, consumer.position(place))
            for place in self._places(self._triggers)
        }
        if found != self._committed:
            consumer.commit({place: OffsetAndMetadata(offset, "", -1) for place, offset in found.items()})
            self._committed = found
