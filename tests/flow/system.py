"""The whole system, run as its users run it: workers as processes, events by a producer, outputs read committed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import Any, Final, Self
from urllib.request import urlopen

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from app.demo.embedded import free_port
from app.settings import Settings
from app.topics import changelog_name, prepare
from schemas.times import DAY_MS, SECOND_MS
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE
from tables.changelog import Marker, Restore

Wire = dict[str, Any]
Lane = tuple[str, int]
"""Topic and partition."""

START: Final = 1_600_000_000_000
LATE_MS: Final = 6 * DAY_MS
PATIENCE_S: Final = 120.0

RUNNING: Final = "rekindle_partition_running"
WATERMARK: Final = "rekindle_watermark_seconds"
EPOCHS: Final = "rekindle_epochs_total"


def some_events(seed: int, users: int, events: int, days: int = 200) -> list[Wire]:
    """Events in the order of their arrival: most in time, some up to six days late, some twice."""
    random = Random(seed)  # noqa: S311  repeatable
    made = [_event(random, number, users, START + random.randrange(days * DAY_MS)) for number in range(events)]
    copies = random.sample(made, events // 50)
    late = {id(event): random.choice((0, 0, 0, random.randrange(LATE_MS))) for event in made}
    return sorted([*made, *copies], key=lambda event: event["ts"] + late[id(event)])


def _event(random: Random, number: int, users: int, ts: int) -> Wire:
    user = f"user-{int(users * random.random() ** 2)}"
    kind = random.choices(
        [
            {"type": "click", "item_id": "i"},
            {"type": "cart", "item_id": "i"},
            {"type": "order", "order_id": f"o{number}"},
            {"type": "profile", "kind": "login"},
            {"type": "message", "kind": "opened", "trigger_id": "t"},
        ],
        [60, 15, 15, 5, 5],
    )[0]
    return {"event_id": f"e{number}", "user_id": user, "ts": ts, **kind}


def ends_of(events: Iterable[Wire]) -> int:
    """The newest time among events."""
    return int(max(event["ts"] for event in events))


class System:
    """One application on one broker: its settings, its workers, its topics; on leaving, its workers are killed.

    Named after its folder, without Redis and without rules, unless the settings say otherwise.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        name = folder.name
        usual = {
            "app_id": name,
            "topic_prefix": f"{name}.",
            "redis": "redis://127.0.0.1:1",
            "rules": "none",
            "churn": "false",
        }
        settings = usual | settings
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("REKINDLE_")},
            **{f"REKINDLE_{name.upper()}": value for name, value in settings.items()},
        }
        self.settings = Settings(**settings)  # type: ignore[arg-type]  # as texts, like the environment
        self.folder = folder
        self.workers: dict[int, subprocess.Popen[bytes]] = {}
        self.ports: dict[int, int] = {}
        prepare(self.settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self.workers):
            self.kill(number)

    def start(self, number: int, *options: str, **settings: str) -> None:
        """Start a worker under a number, with options of the command; its log is worker-<number>.log in the folder."""
        own = {f"REKINDLE_{name.upper()}": value for name, value in settings.items()}
        self.ports[number] = free_port()
        environment = {**self.environment, "REKINDLE_WEB_PORT": str(self.ports[number]), **own}
        with (self.folder / f"worker-{number}.log").open("ab") as log:
            command = [sys.executable, "-m", "app.cli", "worker", *options]
            self.workers[number] = subprocess.Popen(command, env=environment, stderr=log, stdout=log)  # noqa: S603  our own program

    def kill(self, number: int) -> None:
        """Kill a worker as a power cut does."""
        worker = self.workers.pop(number)
        worker.kill()
        worker.wait()

    def stop(self) -> list[int]:
        """Ask all workers to end, once they are up; their exit codes."""
        self.wait_until_ready()
        for worker in self.workers.values():
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(PATIENCE_S) for worker in self.workers.values()]
        self.workers.clear()
        return codes

    def logs(self) -> str:
        """All that the workers wrote."""
        return "\n".join(log.read_text() for log in sorted(self.folder.glob("worker-*.log")))

    def publish(
        self,
        events: Sequence[Wire],
        pause: Callable[[int], None] = lambda _: None,
        topics: Collection[str] = tuple(INPUT_TOPICS),
    ) -> None:
        """Send the events of some topics in the order given.

        Each of their partitions gets a tick each day of event time, and one at the end of all events.
        """
        producer = KafkaProducer(
            bootstrap_servers=self.settings.kafka, enable_idempotence=False, acks="all", linger_ms=5,
            max_in_flight_requests_per_connection=1,
        )  # fmt: skip
        day = 0
        for number, event in enumerate(events):
            if event["ts"] // DAY_MS > day:
                day = event["ts"] // DAY_MS
                self._tick(producer, topics, day * DAY_MS - 1)
            if (topic := TOPIC_OF_TYPE[event["type"]]) in topics:
                name = self.settings.topic_prefix + topic
                producer.send(name, json.dumps(event).encode(), key=event["user_id"].encode())
                pause(number)
        self._tick(producer, topics, ends_of(events))
        producer.flush()
        producer.close()

    def send(self, events: Iterable[Wire], **options: Any) -> None:
        """Send events in the order given, and nothing else; the producer's `options` may name a transaction."""
        options = {"enable_idempotence": False, "acks": "all", "linger_ms": 5, **options}
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka, **options)
        if "transactional_id" in options:
            producer.init_transactions()
            producer.begin_transaction()
        for event in events:
            name = self.settings.topic_prefix + TOPIC_OF_TYPE[event["type"]]
            producer.send(name, json.dumps(event).encode(), key=event["user_id"].encode())
        if "transactional_id" in options:
            producer.commit_transaction()
        producer.close()

    def _tick(self, producer: Any, topics: Iterable[str], ts: int) -> None:
        for topic in topics:
            for partition in range(self.settings.partitions):
                tick = b'{"type": "tick", "ts": %d}' % ts
                producer.send(self.settings.topic_prefix + topic, tick, partition=partition)

    def wait_until_applied(self, ts: int) -> None:
        """Return when time has passed this in every partition: all that came before has then been applied.

        As long as time goes on anywhere, patience does: machines are shared.
        """
        before: dict[str, float] = {}
        deadline = time.monotonic() + PATIENCE_S
        while not self.has_reached(ts):
            if (reached := self.watermarks()) != before:
                before, deadline = reached, time.monotonic() + PATIENCE_S
            self._check(deadline)
            time.sleep(0.2)

    def _check(self, deadline: float) -> None:
        died = {number: code for number, worker in self.workers.items() if (code := worker.poll()) is not None}
        assert not died, self.logs()
        assert time.monotonic() < deadline, self.logs()

    def summaries(self) -> list[Wire]:
        """What each worker that answers serves."""
        return [summary for number in list(self.workers) if (summary := self.summary(number))]

    def epochs(self) -> dict[str, float]:
        """How many epochs each partition has written that is processed by a worker now."""
        return self._of_running(EPOCHS)

    def is_up(self, number: int) -> bool:
        """Whether a worker answers."""
        return self._get(number, "healthz") is not None

    def has_reached(self, ts: int) -> bool:
        """Whether every partition is processed by a worker, and has passed this time."""
        watermarks = self.watermarks()
        return len(watermarks) == self.settings.partitions and all(
            mark * SECOND_MS > ts for mark in watermarks.values()
        )

    def watermarks(self) -> dict[str, float]:
        """How far each partition has come, in seconds, that is processed by a worker now."""
        return self._of_running(WATERMARK)

    def _of_running(self, metric: str) -> dict[str, float]:
        """A metric of each partition that is processed by a worker now."""
        texts = [text.decode() for number in list(self.workers) if (text := self._get(number, "metrics"))]
        samples = [each for text in texts for family in text_string_to_metric_families(text) for each in family.samples]
        running = {each.labels["partition"] for each in samples if each.name == RUNNING and each.value}
        told = [(each.labels["partition"], each.value) for each in samples if each.name == metric]
        return {number: value for number, value in told if number in running}

    def events(self) -> int:
        """How many events the workers have applied or known as copies, so far."""
        return sum(summary["events"] for summary in self.summaries())

    def newest_watermark(self) -> int:
        """How far time has come in the partition that is slowest, of the worker that is furthest."""
        return max(int(summary["watermark"]) for summary in self.summaries())

    def wait_until_ready(self) -> None:
        """Return when every worker processes what it owns."""
        deadline = time.monotonic() + PATIENCE_S
        while not all(map(self._is_ready, self.workers)):
            self._check(deadline)
            time.sleep(0.2)

    def _is_ready(self, number: int) -> bool:
        return self._get(number, "readyz") is not None

    def summary(self, number: int) -> Wire | None:
        """What a worker serves; None where it does not answer."""
        answer = self._get(number, "api/summary")
        summary: Wire | None = json.loads(answer) if answer else None
        return summary

    def _get(self, number: int, path: str) -> bytes | None:
        """What a worker answers; None where it does not, or says that something is wrong."""
        try:
            with urlopen(f"http://127.0.0.1:{self.ports[number]}/{path}", timeout=5) as answer:
                text: bytes = answer.read()
                return text
        except (OSError, HTTPException):  # it may end amid an answer
            return None

    def read(self, topic: str) -> list[Any]:
        """All committed records of a topic, partition after partition, each in its order."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.kafka, isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset="earliest",
        )  # fmt: skip
        try:
            found = []
            for number in range(self.settings.partitions):
                place = TopicPartition(topic, number)
                consumer.assign([place])
                end = consumer.end_offsets([place])[place]
                consumer.seek_to_beginning(place)
                # asked for, the embedded broker's end lies in its last batch; a fetch tells the true one
                while consumer.position(place) < max(end, consumer.highwater(place) or 0):
                    found += [record for records in consumer.poll(500).values() for record in records]
            return found
        finally:
            consumer.close()

    def changes(self) -> list[Wire]:
        """All tag changes that were said."""
        return [json.loads(record.value) for record in self.read(self.settings.topic_prefix + "tag-changes")]

    def restored(self) -> tuple[dict[bytes, bytes], list[Marker]]:
        """The rows of all partitions as a restore would find them, and the markers."""
        restores = self.restores()
        rows = {user: row for restore in restores for user, row in restore.rows.items()}
        return rows, [restore.marker for restore in restores if restore.marker]

    def restores(self) -> list[Restore]:
        """What a restore of each partition finds in the changelog."""
        restores = [Restore() for _ in range(self.settings.partitions)]
        for record in self.read(changelog_name(self.settings)):
            restores[record.partition].read([(record.key, record.value)])
        return restores
