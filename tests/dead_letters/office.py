"""A broker with dead letters on it, and the command line that looks at them and sends them again."""

import json
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec
from kafka import KafkaProducer
from typer.testing import CliRunner, Result

from app.cli import app
from app.live.outputs import Outputs
from app.settings import Settings
from app.topics import output_name, prepare, redriven_name
from schemas.dead_letter import DeadLetter, DeadReason, Rejected, dead_letter
from schemas.topics import INPUT_TOPICS
from tests.flow.system import System, Wire

PARTITIONS: Final = 3
TS: Final = 1_700_000_000_000
FIRST: Final = 1_000
"""Offsets of letters that are made up begin here, where no record lies."""


def click(event_id: str, user_id: str = "u1", ts: int = TS) -> Wire:
    return {"type": "click", "event_id": event_id, "user_id": user_id, "ts": ts, "item_id": "i"}


def order(event_id: str, user_id: str = "u1", ts: int = TS) -> Wire:
    return {"type": "order", "event_id": event_id, "user_id": user_id, "ts": ts, "order_id": "o"}


class Office:
    """One application's dead letters: `prefix` and `app_id` are its own."""

    def __init__(self, folder: Path, bootstrap: str, **settings: str) -> None:
        name = uuid4().hex[:8]
        own = {
            "topic_prefix": f"{name}.",
            "app_id": name,
            "partitions": str(PARTITIONS),
            "redis": "redis://127.0.0.1:1",
        }
        self.system = System(folder, kafka=bootstrap, **own, **settings)
        self.environment = self.system.environment
        self._offsets = count(FIRST)

    @property
    def settings(self) -> Settings:
        return self.system.settings

    def letter(
        self, payload: Wire | bytes, reason: DeadReason = "wrong_partition", topic: str = "events.click"
    ) -> DeadLetter:
        """A letter of a record that nobody has written, at a place that no other letter has."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return dead_letter(topic, 0, next(self._offsets), body, Rejected(reason, "because"))

    def receive(self, letters: Iterable[DeadLetter]) -> None:
        """Write letters as a worker does."""
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka, enable_idempotence=False, acks="all")
        for output in Outputs("a").dead_letters(letters):
            producer.send(output_name(self.settings, output.topic), output.value, output.key, partition=0)
        producer.flush()
        producer.close()

    def dlq(self, *arguments: str | Path, typed: str = "") -> Result:
        """The command line, in this process."""
        return CliRunner().invoke(app, ["dlq", *map(str, arguments)], input=typed, env=self.environment)

    def done(self, *arguments: str | Path, typed: str = "") -> str:
        """What a command that goes well says."""
        result = self.dlq(*arguments, typed=typed)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def listed(self, *arguments: str) -> list[Any]:
        """All letters as `list --json` tells them."""
        return [json.loads(line) for line in self.done("list", "--json", *arguments).splitlines()]

    def states(self) -> dict[str, str]:
        """The state of each letter by its place."""
        return {f"{each['topic']}/{each['partition']}/{each['offset']}": each["state"] for each in self.listed()}

    def events(self) -> list[Any]:
        """The committed records of all input topics."""
        return [record for topic in INPUT_TOPICS for record in self.system.read(self.settings.topic_prefix + topic)]

    def event_ids(self) -> list[str]:
        return sorted(json.loads(record.value)["event_id"] for record in self.events())

    def marks(self) -> dict[str, Any]:
        """What each mark says, by the place of its letter."""
        prepare(self.settings, redriven_name(self.settings))
        marks = self.system.read(redriven_name(self.settings))
        return {record.key.decode(): msgspec.json.decode(record.value) for record in marks}
