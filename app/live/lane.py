"""The chunk lane: a Faust transport that hands an agent one message for all that was fetched of a topic-partition.

Faust's own way handles one event at a time: 235 us each, with a table. Here an agent gets a list, offsets are kept by
the tasks (in their markers), and what Faust does for each event (acks, gaps, commits) is left out. Each chunk says
from which offset to which it goes, and a task takes only the one that comes next: so whatever a rebalance drops on its
way is read again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, ConsumerMessage

from app.live.chunk import Chunk, InputRecord
from app.live.tasks import TaskManager, not_co_located
from schemas.topics import Offset, Topic

POLL_S: Final = 0.1
FETCH_WAIT_MS: Final = 100
MAX_RECORDS: Final = 4_000

_LOG: Final = logging.getLogger(__name__)


class LaneThread(AIOKafkaConsumerThread):
    """Faust's consumer thread; it fetches lists, and knows from where to where each goes."""

    names: Mapping[str, Topic]

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        """Faust's consumer; other requests to the broker wait behind a fetch, so none may take long."""
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def _fetch_records(  # type: ignore[override]  # chunks in place of lists
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float,  # noqa: ASYNC109  Faust's name
        **_: Any,
    ) -> dict[TP, Chunk]:
        """Chunks of what has been fetched; one without records where only markers of transactions were passed."""
        if not self.consumer.flow_active:
            return {}
        states = {tp: state for tp in active_partitions if (state := _state(consumer, tp)) is not None}
        starts = {tp: state._position for tp, state in states.items()}
        with suppress(IllegalStateError), consumer._fetcher._subscriptions.fetch_context():
            fetched = await consumer._fetcher.fetched_records(set(states), timeout, MAX_RECORDS) if states else {}
            return {
                tp: self._chunk(tp, start, states[tp], fetched.get(tp, ()))
                for tp, start in starts.items()
                if start is not None and (tp in fetched or states[tp]._position not in {start, None})
            }
        return {}

    def _chunk(self, tp: TP, start: Offset, state: Any, records: Collection[InputRecord]) -> Chunk:
        end = state._position if state._position is not None else start
        return Chunk(self.names[tp.topic], tp.partition, start, end, state.lso or end, records)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit the group's offsets, which serve the tools; False where the group does not know this worker."""
        owned = {TopicPartition(*tp): offset for tp, offset in offsets.items() if tp in self.assignment()}
        if not owned or not is_settled(self._ensure_consumer()):
            return False
        with suppress(KafkaError):
            await self._ensure_consumer().commit(owned)
            return True
        return False

    async def is_known(self) -> bool:
        """Whether the group takes an offset from this worker: it is given back one of its own."""
        consumer = self._ensure_consumer()
        if not is_settled(consumer):
            return False
        with suppress(KafkaError):
            for tp in consumer.assignment():
                await consumer.commit({tp: await consumer.committed(tp) or 0})
                return True
        return False

    async def ranges(self, tps: Iterable[TP]) -> dict[TP, tuple[Offset, Offset]]:
        """The offsets of the first record and behind the last one of each."""
        consumer = self._ensure_consumer()
        begins, ends = await asyncio.gather(consumer.beginning_offsets(tps), consumer.end_offsets(tps))
        return {tp: (begins[tp], ends[tp]) for tp in tps}


class LaneConsumer(Consumer):
    """Faust's consumer, for chunks: positions come from the tasks, and so do commits."""

    transport: "LaneTransport"
    _thread: LaneThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_transaction = True  # read what is committed only
        self.names = self._thread.names = self.transport.names
        self._full_name = {topic: name for name, topic in self.names.items()}
        self.tasks = self.transport.new_tasks(self)

    def on_init_dependencies(self) -> list[Any]:
        """None: the epochs are our own transactions."""
        return []

    def _new_consumer_thread(self) -> LaneThread:
        return LaneThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109  Faust's name
        """One message a fetched chunk, of what the tasks want."""
        wanted, seeks = self.tasks.demand()
        if not self.flow_active or not wanted:
            await self.sleep(min(timeout, POLL_S / 5))
            return
        for (topic, number), offset in seeks.items():
            await self._thread.call_thread(self._seek_now, self._tp(topic, number), offset)
        places = {self._tp(topic, number) for topic, number in wanted & self._assigned()}
        chunks: Any = await self._thread.getmany(places, POLL_S) if places else {}
        generation: int = self.app.consumer_generation_id
        for tp, chunk in chunks.items():
            if self.app.rebalancing or self.app.consumer_generation_id != generation:
                return
            if await self._is_whole(tp, chunk):
                self._read_offset[tp] = None
                yield tp, self._message(tp, chunk)

    async def _is_whole(self, tp: TP, chunk: Chunk) -> bool:
        """Whether a chunk goes on where it should, and nothing is missing where it begins with a later record.

        Markers of transactions take offsets, so a later record is nothing bad; but where retention has overtaken this
        worker, the client goes on at the oldest record without a word. After a rebalance, what was fetched from the
        group's offset may come under the position that we had before.
        """
        first = next(iter(chunk.records)).offset if chunk.records else chunk.end
        if first < chunk.start:
            _LOG.warning("%s-%d went back from %d to %d by itself; it is read again", *tp, chunk.start, first)
            return False
        if first == chunk.start:
            return True
        begin, _ = (await self._thread.call_thread(self._thread.ranges, [tp]))[tp]
        return bool(begin <= chunk.start)

    def _message(self, tp: TP, chunk: Chunk) -> ConsumerMessage:
        value: Any = chunk
        generation = self.app.consumer_generation_id
        return ConsumerMessage(
            tp.topic, tp.partition, chunk.end - 1, 0.0, 0, [], None, value, None, tp=tp, generation_id=generation
        )

    def _tp(self, topic: Topic, number: int) -> TP:
        return TP(self._full_name[topic], number)

    def _assigned(self) -> set[tuple[Topic, int]]:
        return {(self.names[tp.topic], tp.partition) for tp in self.assignment()}

    async def _seek_now(self, tp: TP, offset: Offset) -> None:
        """Read on from there. A partition that was lost meanwhile is not sought: whoever gets it asks anew."""
        with suppress(IllegalStateError):
            self._thread._ensure_consumer().seek(tp, offset)

    async def ranges(self, number: int) -> dict[Topic, tuple[Offset, Offset]]:
        """The offsets of the first record and behind the last one of each input topic of a partition."""
        tps = [TP(name, number) for name in self.names]
        found = await self._thread.call_thread(self._thread.ranges, tps)
        return {self.names[tp.topic]: found[tp] for tp in tps}

    async def is_member(self) -> bool:
        """Whether the group still knows this worker."""
        return bool(await self._thread.call_thread(self._thread.is_known))

    def ack(self, message: Any) -> bool:
        """Faust is done with a chunk; what has been applied is the tasks' affair."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002  Faust's signature
        """Tell the group how far the markers are."""
        offsets = {self._tp(topic, number): offset for (topic, number), offset in self.tasks.written().items()}
        return bool(offsets) and bool(await self._thread.commit(offsets))

    async def perform_seek(self) -> None:
        """Nothing: the tasks say from where they go on."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: the watchdog looks at committed progress."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand over: write what has been applied first. The next owner tells the group how far it is."""
        await self.tasks.revoke()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Own what the group assigns."""
        await super().on_partitions_assigned(assigned, generation_id)
        places = {(self.names[tp.topic], tp.partition) for tp in assigned}
        if torn := list(not_co_located(places)):
            await self.app.crash(RuntimeError(f"some topics of the partitions {torn} were assigned, but not all"))
            return
        await self.tasks.assign({number for _, number in places})


class LaneTransport(Transport):
    """Faust's Kafka transport with the chunk lane.

    `names`: input topic by its name on the broker. `new_tasks`: makes what the consumer feeds.
    """

    Consumer = LaneConsumer
    names: Mapping[str, Topic]
    new_tasks: Callable[[LaneConsumer], TaskManager]


def is_settled(consumer: AIOKafkaConsumer) -> bool:
    """Whether the group has spoken, and does not speak anew.

    Amid a rebalance an offset must not be sent: it waits behind the client's own request to join, comes with the
    generation of before, is refused, and makes the client join once more, and so everybody else, again and again.
    """
    coordinator = consumer._coordinator
    return bool(coordinator.generation >= 0 and not coordinator._rejoin_needed_fut.done())


def _state(consumer: AIOKafkaConsumer, tp: TP) -> Any:
    """What the client knows of a topic-partition; None where it is not assigned."""
    subscription = consumer._subscription.subscription
    assignment = subscription.assignment if subscription is not None else None
    return assignment.state_value(tp) if assignment is not None and tp in assignment.tps else None
