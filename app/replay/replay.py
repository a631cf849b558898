"""A replay: events to Kafka as their producers would have sent them, and ticks that say how far time has come."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import chain, product
from typing import Final, TypeAlias

import msgspec
from aiokafka.errors import KafkaError

from app.history.history import History
from app.replay.outbox import Outbox
from app.replay.pace import Pace
from app.settings import Settings
from app.topics import PATIENCE_S, BrokerError, one_line, output_name, prepare
from schemas.events import TYPE_OF, AnyEvent, Tick, UserId
from schemas.partitioner import partition_of
from schemas.times import DAY_MS, Millis
from schemas.topics import TOPIC_OF_TYPE

Message: TypeAlias = tuple[AnyEvent, bytes]

_LINGER_EVENTS: Final = 4096
"""So many events at most wait in batches that are not full yet: nobody who watches waits long."""


class Replay:
    """Sends events that are sorted by time to the topics of their types, which it makes if need be; and ticks.

    Every topic-partition gets a tick when event time passes a multiple of `tick_every`, and one at `until` (None: the
    last event's time) at the end. `sent` and `ticks` count what was handed over, also after an error. `progress` is
    called now and then with `sent` and the event time.
    """

    def __init__(
        self,
        settings: Settings,
        events: History | Iterable[AnyEvent],
        *,
        pace: Pace | None = None,
        until: Millis | None = None,
        tick_every: Millis = DAY_MS,
        progress: Callable[[int, Millis], None] = lambda _sent, _ts: None,
    ) -> None:
        self._settings = settings
        self._messages = _wire(events)
        self._pace = pace or Pace()
        self._until = until
        self._tick_every = tick_every
        self._progress = progress
        self._topics = {kind: output_name(settings, topic) for kind, topic in TOPIC_OF_TYPE.items()}
        self.sent = self.ticks = 0
        self.elapsed_s = 0.0

    def run(self) -> None:
        """Send everything; not from within an event loop (there: `await asyncio.to_thread(replay.run)`).

        Raises BrokerError, and HistoryError if a history cannot be read. On Ctrl-C the broker still gets all that
        `sent` counts.
        """
        partitions = prepare(self._settings)
        first = next(self._messages, None)  # here the history is read and sorted, which an event loop would not bear
        started = time.monotonic()
        try:
            asyncio.run(self._run(partitions, first))
        except KafkaError as error:
            raise BrokerError(
                f"the Kafka broker at {self._settings.kafka} did not take everything ({one_line(error)}) after"
                f" {self.sent:,} events",
                "replay again when it is up; what comes twice is ignored",
            ) from None
        finally:
            self.elapsed_s = time.monotonic() - started

    async def _run(self, partitions: int, first: Message | None) -> None:
        self._places = list(product(self._topics.values(), range(partitions)))
        self._outbox = Outbox(self._settings)
        try:
            await self._outbox.start()
            await self._send(partitions, first)
        except asyncio.CancelledError:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._outbox.flush(), PATIENCE_S)
            raise
        finally:
            await self._outbox.stop()

    async def _send(self, partitions: int, first: Message | None) -> None:
        last = None
        if first is not None:
            last = first[0].ts
            self._boundary = last - last % self._tick_every + self._tick_every
            self._pace.start(last)
            last = await self._send_events(partitions, chain([first], self._messages))
        until = last if self._until is None else self._until
        if until is not None:
            if last is not None:
                await self._come_to(until)
                await self._wait(until)
            await self._tick(until)
        await self._outbox.flush()

    async def _send_events(self, partitions: int, messages: Iterable[Message]) -> Millis:
        ts = 0
        for event, payload in messages:
            ts = event.ts
            await self._come_to(ts)
            await self._wait(ts, self.sent)
            key, partition = _place(event.user_id, partitions)
            await self._outbox.put((self._topics[TYPE_OF[type(event)]], partition), key, payload)
            self.sent += 1
            if self.sent % _LINGER_EVENTS == 0:
                self._progress(self.sent, ts)
                await self._outbox.push()
        return ts

    async def _come_to(self, ts: Millis) -> None:
        """Event time comes to `ts`, with a tick for the boundaries on the way; for the last of those it is late for."""
        while self._boundary <= ts:
            await self._wait(self._boundary)
            passed = min(ts, self._pace.now())
            boundary = max(self._boundary, passed - passed % self._tick_every)
            await self._tick(boundary - 1)
            self._boundary = boundary + self._tick_every

    async def _wait(self, ts: Millis, sent: int = 0) -> None:
        seconds = self._pace.wait_s(ts, sent)
        if seconds:
            self._progress(self.sent, ts)
            await self._outbox.flush()
            await self._pace.sleep(seconds)

    async def _tick(self, ts: Millis) -> None:
        payload = msgspec.json.encode(Tick(ts=ts))
        for place in self._places:
            await self._outbox.put(place, None, payload)
        self.ticks += len(self._places)


def _wire(events: History | Iterable[AnyEvent]) -> Iterator[Message]:
    """Each event with its payload: of a history the very bytes that it holds."""
    if isinstance(events, History):
        return events.wire()
    return ((event, msgspec.json.encode(event)) for event in events)


@lru_cache(maxsize=2**16)
def _place(user_id: UserId, partitions: int) -> tuple[bytes, int]:
    """A user's key and partition."""
    key = user_id.encode()
    return key, partition_of(key, partitions)
