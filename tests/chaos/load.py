"""What comes in during a campaign: every kind of event, late ones, copies, erasures, what nobody can read.

Each topic is written at its own pace by a producer of its own, with ticks of its own. What is reported of triggers
comes in between the other messages.
"""

import json
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random
from threading import Thread
from typing import Any, Final, NamedTuple

from kafka import KafkaProducer

from schemas.times import DAY_MS
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE
from tests.chaos.consents import consents
from tests.chaos.messenger import Messenger
from tests.flow.system import System

Wire = dict[str, Any]

START: Final = 1_600_000_000_000
DAYS: Final = 200
LATE_MS: Final = 4 * DAY_MS
END_MS: Final = DAY_MS
"""So long after the last event is the last tick."""
AHEAD_MS: Final = 30 * DAY_MS
"""Messages wait for the workers, as who sends them does: or all would be over before the first trigger is heard of."""
LOOK_EVERY_S: Final = 0.1
UNREADABLE: Final = (b"", b"{", b"[]", b'{"type": "click"}', b'{"type": "tick", "ts": -1}', b"\xff\xfe", b'"text"')

_KINDS: Final = (
    (48, {"type": "click", "item_id": "i", "action": "view"}),
    (4, {"type": "click", "item_id": "i", "action": "search", "query": "red shoes"}),
    (14, {"type": "cart", "item_id": "i", "price": 4.5}),
    (14, {"type": "order", "total": 19.9}),
    (2, {"type": "order", "status": "returned", "total": 5}),
    (5, {"type": "profile", "kind": "login"}),
    (2, {"type": "profile", "kind": "registered", "attributes": {"region": "north"}}),
    (1, {"type": "profile", "kind": "consent", "consent": {"sms": True}}),
    (0.3, {"type": "profile", "kind": "erased"}),
    (5, {"type": "message", "kind": "opened", "trigger_id": "t"}),
    (2, {"type": "tag", "tag": "vip", "value": "gold"}),
    (2, {"type": "tag", "tag": "vip", "value": "silver", "ttl_ms": 20 * DAY_MS}),
    (0.7, {"type": "tag", "tag": "vip", "value": None}),
)
_MESSAGES: Final = TOPIC_OF_TYPE["message"]
_WEIGHTS: Final = list(accumulate(weight for weight, _ in _KINDS))


class Sent(NamedTuple):
    """A record on its way: to the partition of its key, or to all partitions (a tick)."""

    key: bytes | None
    value: bytes
    ts: int = 0


class Load:
    """The records of a campaign. `span_s`: how long the slowest topic's producer takes to send them.

    `events`: all that is known beforehand; `reports`: what was told of triggers.
    """

    def __init__(self, seed: int, users: int, events: int, span_s: float) -> None:
        random = Random(seed)  # noqa: S311  repeatable
        some = some_events(random, users, events)
        self.events: Sequence[Wire] = [*consents(some, users, START - DAY_MS, seed), *some]
        self.reports: list[Wire] = []
        self.ends = int(max(event["ts"] for event in self.events)) + END_MS
        self.unreadable = 0
        self._scripts = {topic: list(self._script(topic, random)) for topic in INPUT_TOPICS}
        self._span_s = span_s
        self._paces = {topic: random.uniform(0.5, 1) for topic in INPUT_TOPICS}
        self._paces[_MESSAGES] = max(self._paces.values())  # or reports would come months after their triggers
        self._threads: list[Thread] = []
        self._failures: list[str] = []

    @property
    def records(self) -> int:
        """How many are sent, a tick counted once for all partitions."""
        return sum(map(len, self._scripts.values()))

    def start(self, system: System) -> None:
        """Begin to send."""
        self._threads = [Thread(target=self._guarded, args=[system, topic], daemon=True) for topic in self._scripts]
        for thread in self._threads:
            thread.start()

    @property
    def is_sending(self) -> bool:
        """Whether a producer is still at it."""
        return any(thread.is_alive() for thread in self._threads)

    def join(self, system: System) -> None:
        """Return when everything has been acknowledged, and a last tick after it."""
        for thread in self._threads:
            thread.join()
        assert not self._failures, self._failures[:3]
        self._end(system)

    def _script(self, topic: str, random: Random) -> Iterator[Sent]:
        """What a topic's producer sends, in order: a tick each day, and what nobody can read."""
        day = START // DAY_MS
        for event in self.events:
            while event["ts"] // DAY_MS > day:
                day += 1
                yield _tick(day * DAY_MS - 1)
            if TOPIC_OF_TYPE[event["type"]] == topic:
                yield _sent(event)
                if random.random() < 0.002:
                    self.unreadable += 1
                    yield Sent(b"whoever", random.choice(UNREADABLE))

    def _end(self, system: System) -> None:
        """What a broker was sent twice may lie behind a topic's own last tick, and waits for a later one."""
        settings = system.settings
        producer = KafkaProducer(bootstrap_servers=settings.kafka, enable_idempotence=False, acks="all")
        for topic in INPUT_TOPICS:
            for number in range(settings.partitions):
                producer.send(settings.topic_prefix + topic, _tick(self.ends).value, partition=number)
        producer.flush()
        producer.close()

    def _guarded(self, system: System, topic: str) -> None:
        try:
            self._produce(system, topic)
        except Exception as error:  # noqa: BLE001  told by `join`
            self._failed(error)

    def _produce(self, system: System, topic: str) -> None:
        """One request at a time, one record a batch: what a broker took but did not acknowledge comes twice in a row.

        A batch of more comes twice as a whole, in whose order a copy may be too late: there is no law about that.
        """
        settings = system.settings
        producer = KafkaProducer(
            bootstrap_servers=settings.kafka, enable_idempotence=False, acks="all", linger_ms=5,
            max_in_flight_requests_per_connection=1, batch_size=0,
            max_block_ms=300_000, delivery_timeout_ms=300_000,
        )  # fmt: skip
        random = Random(topic)  # noqa: S311  repeatable
        script, began = self._scripts[topic], time.monotonic()
        pace_s = self._span_s * self._paces[topic] / len(script)
        name = settings.topic_prefix + topic
        messenger, now = Messenger(settings) if topic == _MESSAGES else None, 0
        for number, record in enumerate(script):
            if random.random() < 4 / len(script):
                time.sleep(random.uniform(0, self._span_s / 30))  # a stall
            time.sleep(max(0.0, began + number * pace_s - time.monotonic()))
            if messenger and record.key is None:
                _wait_until_reached(system, record.ts - AHEAD_MS)
            places = range(settings.partitions) if record.key is None else [None]
            for place in places:
                producer.send(name, record.value, key=record.key, partition=place).add_errback(self._failed)
            now = max(now, record.ts)
            for report in () if messenger is None else messenger.reports(now):
                self.reports.append(report)
                told = _sent(report)
                producer.send(name, told.value, key=told.key).add_errback(self._failed)
        if messenger is not None:
            messenger.close()
        producer.flush()
        producer.close()

    def _failed(self, error: BaseException) -> None:
        self._failures.append(repr(error))


def some_events(random: Random, users: int, events: int) -> Sequence[Wire]:
    """Events in the order of their arrival: most in time, some up to four days late, some twice."""
    made = [_event(random, number, users) for number in range(events)]
    copies = [dict(event) for event in random.sample(made, events // 50)]
    arrivals = [(event["ts"] + random.choice((0, 0, 0, random.randrange(LATE_MS))), event) for event in made + copies]
    return [event for _, event in sorted(arrivals, key=lambda arrival: int(arrival[0]))]


def _event(random: Random, number: int, users: int) -> Wire:
    """Every user comes at least once, where there are as many events."""
    user = number if number < users else int(users * random.random() ** 2)
    event = {
        "event_id": f"e{number}",
        "user_id": f"user-{user}",
        "ts": START + random.randrange(DAYS * DAY_MS),
        **random.choices([kind for _, kind in _KINDS], cum_weights=_WEIGHTS)[0],
    }
    return event | {"order_id": f"o{number}"} if event["type"] == "order" else event


def _wait_until_reached(system: System, ts: int) -> None:
    while ts > START and not system.has_reached(ts):
        time.sleep(LOOK_EVERY_S)


def _sent(event: Wire) -> Sent:
    return Sent(event["user_id"].encode(), json.dumps(event).encode(), event["ts"])


def _tick(ts: int) -> Sent:
    return Sent(None, b'{"type": "tick", "ts": %d}' % ts, ts)
