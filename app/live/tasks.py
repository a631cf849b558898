"""The partitions that this worker owns: a task each, from assignment to revocation."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Final, NamedTuple

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    ProducerFenced,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from app.live.chunk import Chunk
from app.live.task import PartitionTask, Phase
from app.topics import BrokerError, one_line
from schemas.topics import INPUT_TOPICS, Offset, Topic

HAND_OVER_S: Final = 20
RETRY_S: Final = 1.0
STALLED_S: Final = 30

NOT_ALLOWED: Final = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
RIGHTS: Final = "see docs/security.md for the rights that a worker needs, and rekindle doctor for those it lacks"

_LOG: Final = logging.getLogger(__name__)

Place = tuple[Topic, int]
"""Topic and partition."""


class Demand(NamedTuple):
    """What to read next, and from where to read anew."""

    wanted: set[Place]
    seeks: dict[Place, Offset]


class TaskManager:
    """Starts, stops and feeds the tasks.

    `is_member`: asks the group whether this worker still belongs to it; only then a failed task may open its log again,
    because opening fences whoever has it now.
    """

    def __init__(self, new_task: Callable[[int], PartitionTask], is_member: Callable[[], Awaitable[bool]]) -> None:
        self.tasks: dict[int, PartitionTask] = {}
        self.assignments = 0
        self.fatal: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._new_task = new_task
        self._is_member = is_member
        self._runs: dict[int, asyncio.Task[None]] = {}
        self._read_anew: set[Place] = set()

    async def assign(self, numbers: Collection[int]) -> None:
        """Own these partitions from now on, and no others."""
        await self.revoke()
        self.assignments += 1
        _LOG.info("owns the partitions %s", sorted(numbers) or "of nobody: there are more workers than partitions")
        self.tasks = {number: self.tasks.get(number) or self._new_task(number) for number in sorted(numbers)}
        self._runs = {number: asyncio.create_task(self._own(task)) for number, task in self.tasks.items()}

    async def revoke(self) -> None:
        """Write what has been applied, and own nothing; what is in memory stays, in case it comes back."""
        runs, self._runs = self._runs, {}
        for number in runs:
            self.tasks[number].stop()
            if self.tasks[number].phase is not Phase.RUNNING:
                runs[number].cancel()
        if runs:
            _, late = await asyncio.wait(runs.values(), timeout=HAND_OVER_S)
            for run in late:
                run.cancel()
            if late:
                _LOG.warning("%d hand-overs took too long: what they had not written is applied again", len(late))
            await asyncio.gather(*runs.values(), return_exceptions=True)

    def take(self, chunk: Chunk) -> None:
        """Hand a chunk to its task; one that is not the next has to be read anew."""
        task = self.tasks.get(chunk.partition)
        if task is not None and not task.take(chunk):
            self._read_anew.add((chunk.topic, chunk.partition))

    def demand(self) -> Demand:
        """What the tasks want to read now."""
        wanted = {(topic, number) for number, task in self.tasks.items() for topic in INPUT_TOPICS if task.wants(topic)}
        seeks = {place: self.tasks[place[1]].expected[place[0]] for place in self._read_anew & wanted}
        self._read_anew -= wanted
        return Demand(wanted, seeks)

    def written(self) -> dict[Place, Offset]:
        """How far each topic-partition has been applied and written, for the group's offsets."""
        return {
            (topic, number): position.offset
            for number, task in self.tasks.items()
            for topic, position in task.written.items()
        }

    def stalled(self, now: float) -> list[PartitionTask]:
        """The tasks that have something to do, but got nothing done for too long."""
        return [
            task
            for number, task in self.tasks.items()
            if (task.has_pending or (number in self._runs and task.phase is not Phase.RUNNING))
            and now - task.progressed_at > STALLED_S
        ]

    @property
    def is_ready(self) -> bool:
        """Whether the group has spoken, and every partition that is owned is being processed."""
        return self.assignments > 0 and all(task.phase is Phase.RUNNING for task in self.tasks.values())

    async def _own(self, task: PartitionTask) -> None:
        """Run a task; after a failure restore it, as long as this worker may own it."""
        for topic in INPUT_TOPICS:
            self._read_anew.add((topic, task.number))
        while True:
            try:
                await task.run()
            except ProducerFenced:
                _LOG.warning("partition %d was taken over by another worker; waiting for the group", task.number)
            except NOT_ALLOWED as error:
                self._fail(
                    BrokerError(f"the broker refuses what partition {task.number} needs ({one_line(error)})", RIGHTS)
                )
            except (KafkaError, TimeoutError) as error:
                _LOG.warning("partition %d: %s; it is restored from its changelog", task.number, error or type(error))
                await asyncio.sleep(RETRY_S)
                if await self._is_member():
                    continue
            except Exception as error:  # noqa: BLE001  whatever it is, the worker must not go on without the partition
                self._fail(error)
            return

    def _fail(self, error: Exception) -> None:
        if not self.fatal.done():
            self.fatal.set_result(error)


def by_partition(places: Collection[Place]) -> Mapping[int, set[Topic]]:
    """The topics of each partition."""
    found: dict[int, set[Topic]] = {}
    for topic, number in places:
        found.setdefault(number, set()).add(topic)
    return found


def not_co_located(places: Collection[Place]) -> Iterator[int]:
    """The partitions of which this worker was given some topics, but not all: their rows would be torn apart."""
    return (number for number, topics in by_partition(places).items() if topics != set(INPUT_TOPICS))
