"""The tasks of one worker: owned from assignment to revocation, restored after a failure if the group agrees."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.errors import KafkaError, TransactionalIdAuthorizationFailed

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.live import task as live_task
from app.live.retention import LostEventsError
from app.live.task import PartitionTask, Phase
from app.live.tasks import RETRY_S, STALLED_S, TaskManager, by_partition, not_co_located
from app.topics import BrokerError
from schemas.topics import INPUT_TOPICS
from tables.codec import UnknownVersionError
from tables.table import Table
from tests.live.desk import CLICKS, Desk, click, day, soon
from tests.live.fake_log import FakeLog, Point
from tests.live.quick_loop import run_quickly


class Worker:
    """A manager whose partitions lie on a desk each, and a group that answers as a test says."""

    def __init__(self, failing: Callable[[Point], Awaitable[None]] | None = None) -> None:
        self.desks: dict[int, Desk] = {}
        self.is_member = True
        self.asked = 0
        self.opened = 0
        self._failing = failing
        self.manager = TaskManager(self._new_task, self._is_member)

    def _new_task(self, number: int) -> PartitionTask:
        return self.desks.setdefault(number, Desk()).task(number, at=self._at)

    async def _at(self, _: FakeLog, point: Point) -> None:
        self.opened += point is Point.OPENING
        if self._failing is not None:
            await self._failing(point)

    async def _is_member(self) -> bool:
        self.asked += 1
        return self.is_member

    def ready(self) -> bool:
        """Whether all that is owned is processed."""
        return self.manager.is_ready

    def feed(self, number: int = 0) -> None:
        """A click, and time for it to pass."""
        desk, task = self.desks[number], self.manager.tasks[number]
        desk.put(CLICKS, click(day(len(desk.topics[CLICKS]))))
        desk.tick(day(len(desk.topics[CLICKS])))
        for topic, records in desk.topics.items():
            self.manager.take(desk.chunk(topic, task.expected[topic], len(records), number))


def failing_at(point: Point, *errors: BaseException) -> Callable[[Point], Awaitable[None]]:
    left = list(errors)

    async def fail(here: Point) -> None:
        if here is point and left:
            raise left.pop(0)

    return fail


def test_what_is_assigned_is_owned_and_what_was_revoked_is_written() -> None:
    async def story() -> None:
        worker = Worker()
        assert not worker.ready()
        await worker.manager.assign({1, 0})
        assert list(worker.manager.tasks) == [0, 1]
        assert not worker.ready()
        await soon()
        assert worker.ready()
        worker.feed(1)
        await asyncio.sleep(0)
        await worker.manager.revoke()
        assert not worker.ready()
        assert worker.desks[1].marker().state.counters["applied"] == 1
        assert worker.manager.written()[CLICKS, 1] == 2
        assert [task.phase for task in worker.manager.tasks.values()] == [Phase.HELD, Phase.HELD]

    run_quickly(story())


def test_what_is_assigned_again_is_still_in_memory_and_what_is_not_is_forgotten() -> None:
    async def story() -> None:
        worker = Worker()
        await worker.manager.assign({0, 1})
        await soon()
        kept = worker.manager.tasks[0].partition
        await worker.manager.revoke()
        await worker.manager.assign({0})
        await soon()
        assert worker.manager.tasks[0].partition is kept
        assert list(worker.manager.tasks) == [0]
        await worker.manager.revoke()

    run_quickly(story())


def test_a_task_that_is_still_restored_is_revoked_at_once() -> None:
    async def wait(point: Point) -> None:
        if point is Point.OPENED:
            await asyncio.sleep(1_000)

    async def story() -> None:
        worker = Worker(wait)
        await worker.manager.assign({0})
        await soon()
        before = asyncio.get_running_loop().time()
        await worker.manager.revoke()
        assert asyncio.get_running_loop().time() - before < 1
        assert not worker.manager.fatal.done()

    run_quickly(story())


def test_a_fenced_task_waits_for_the_group_and_never_opens_by_itself() -> None:
    async def story() -> None:
        worker = Worker()
        await worker.manager.assign({0})
        await soon()
        await FakeLog(worker.desks[0].broker, transactional=True).open()
        worker.feed()
        await asyncio.sleep(100 * RETRY_S)
        assert (worker.opened, worker.asked) == (1, 0)
        assert not worker.ready()
        assert not worker.manager.fatal.done()
        await worker.manager.assign({0})
        await soon()
        assert worker.opened == 2
        assert worker.ready()
        await worker.manager.revoke()

    run_quickly(story())


# failed      x x        twice; then it goes on
@pytest.mark.parametrize("error", [KafkaError("no broker"), TimeoutError()])
def test_a_failed_task_is_restored_while_the_group_knows_its_worker(error: Exception) -> None:
    async def story() -> None:
        worker = Worker(failing_at(Point.COMMITTED, error, error))
        await worker.manager.assign({0})
        for _ in range(3):
            await asyncio.sleep(2 * RETRY_S)
            worker.feed()
        await soon()
        assert (worker.opened, worker.asked) == (3, 2)
        assert worker.ready()
        assert worker.desks[0].marker().state.counters["applied"] == 3
        await worker.manager.revoke()

    run_quickly(story())


def test_a_failed_task_whose_worker_is_no_member_waits_for_the_group() -> None:
    async def story() -> None:
        worker = Worker(failing_at(Point.TAKEN, KafkaError("no broker")))
        worker.is_member = False
        await worker.manager.assign({0})
        await soon()
        worker.feed()
        await asyncio.sleep(100 * RETRY_S)
        assert (worker.opened, worker.asked) == (1, 1)
        assert not worker.ready()
        worker.is_member = True
        await worker.manager.assign({0})
        await soon()
        assert worker.ready()
        await worker.manager.revoke()

    run_quickly(story())


@pytest.mark.parametrize("error", [LostEventsError("gone"), UnknownVersionError("newer"), ZeroDivisionError("a fault")])
def test_what_only_a_person_can_mend_is_fatal_once(error: Exception) -> None:
    async def story() -> None:
        worker = Worker(failing_at(Point.OPENED, error, KeyError("later")))
        await worker.manager.assign({0, 1})
        await soon()
        assert worker.manager.fatal.result() is error
        assert worker.asked == 0
        await worker.manager.revoke()

    run_quickly(story())


def test_what_the_broker_does_not_allow_is_fatal_and_says_what_to_do() -> None:
    async def story() -> None:
        worker = Worker(failing_at(Point.OPENED, TransactionalIdAuthorizationFailed("app-0")))
        await worker.manager.assign({0})
        await soon()
        error = worker.manager.fatal.result()
        assert isinstance(error, BrokerError)
        assert str(error).startswith("the broker refuses what partition 0 needs (")
        assert "docs/security.md" in str(error)
        await worker.manager.revoke()

    run_quickly(story())


def test_a_hand_over_that_takes_too_long_is_cut_off() -> None:
    async def wait(point: Point) -> None:
        if point is Point.COMMITTING:
            await asyncio.sleep(1_000)

    async def story() -> None:
        worker = Worker(wait)
        await worker.manager.assign({0})
        await soon()
        worker.feed()
        await soon()
        await worker.manager.revoke()
        assert worker.desks[0].restored().marker is None
        assert worker.manager.tasks[0].phase is Phase.HELD

    run_quickly(story())


def test_everything_of_a_new_assignment_is_read_from_where_its_task_goes_on() -> None:
    async def story() -> None:
        worker = Worker()
        await worker.manager.assign({0})
        assert worker.manager.demand() == (set(), {})
        await soon()
        worker.feed()
        await soon()
        places = {(topic, 0) for topic in INPUT_TOPICS}
        wanted, seeks = worker.manager.demand()
        assert wanted == places
        assert seeks == {(topic, 0): 2 if topic == CLICKS else 1 for topic in INPUT_TOPICS}
        assert worker.manager.demand() == (places, {})
        await worker.manager.revoke()
        assert worker.manager.demand() == (set(), {})

    run_quickly(story())


def test_a_chunk_that_is_not_the_next_is_read_anew() -> None:
    async def story() -> None:
        worker = Worker()
        await worker.manager.assign({0})
        await soon()
        worker.manager.demand()
        worker.desks[0].put(CLICKS, click(day(0)), click(day(1)))
        worker.manager.take(worker.desks[0].chunk(CLICKS, 1, 2))
        assert worker.manager.demand().seeks == {(CLICKS, 0): 0}
        assert worker.manager.demand().seeks == {}
        worker.manager.take(worker.desks[0].chunk(CLICKS, 0, 2, number=7))
        assert worker.manager.demand().seeks == {}
        await worker.manager.revoke()

    run_quickly(story())


def test_who_has_something_to_do_and_gets_nothing_done_has_stalled() -> None:
    async def wait(point: Point) -> None:
        if point is Point.OPENED:
            await asyncio.sleep(1_000)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        worker = Worker(wait)
        await worker.manager.assign({0})
        await asyncio.sleep(STALLED_S - 1)
        assert worker.manager.stalled(loop.time()) == []
        await asyncio.sleep(2)
        assert worker.manager.stalled(loop.time()) == [worker.manager.tasks[0]]
        await worker.manager.revoke()
        assert worker.manager.stalled(loop.time()) == []

    run_quickly(story())


def test_nobody_has_stalled_who_had_nothing_to_do() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        worker = Worker()
        await worker.manager.assign({0})
        await asyncio.sleep(2 * STALLED_S)
        worker.desks[0].put(CLICKS, click(day(0)), click(day(1)))
        worker.manager.take(worker.desks[0].chunk(CLICKS, 0, 1))
        assert worker.manager.tasks[0].has_pending
        assert worker.manager.stalled(loop.time()) == []
        await worker.manager.revoke()

    run_quickly(story())


# group: still ours     the other worker has left again: without a new assignment nobody processes the partition
def test_a_partition_that_is_owned_but_not_processed_has_stalled() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        worker = Worker()
        await worker.manager.assign({0})
        await soon()
        await FakeLog(worker.desks[0].broker, transactional=True).open()
        worker.feed()
        await asyncio.sleep(2 * STALLED_S)
        assert worker.manager.stalled(loop.time()) == [worker.manager.tasks[0]]
        await worker.manager.revoke()
        assert worker.manager.stalled(loop.time()) == []

    run_quickly(story())


def test_partitions_of_which_some_topics_are_elsewhere_are_named() -> None:
    whole = {(topic, 0) for topic in INPUT_TOPICS}
    assert list(not_co_located(whole)) == []
    assert list(not_co_located(set())) == []
    assert list(not_co_located({*whole, (CLICKS, 1)})) == [1]
    assert by_partition({(CLICKS, 1), (CLICKS, 2), ("events.tag", 1)}) == {1: {CLICKS, "events.tag"}, 2: {CLICKS}}


def test_an_epoch_is_handed_over_even_when_the_task_never_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_task, "MAX_DIRTY", 1)

    async def story() -> None:
        worker = Worker()
        await worker.manager.assign({0})
        await soon()
        for _ in range(5):
            worker.feed()
            await asyncio.sleep(0)
        await worker.manager.revoke()
        assert worker.desks[0].restored().rows.keys() == {b"u"}
        assert worker.manager.tasks[0].partition.table.dirty == 0

    run_quickly(story())


def test_another_number_makes_another_partition() -> None:
    made: list[int] = []

    def new_partition(number: int) -> Partition:
        made.append(number)
        return Partition(number, DEFAULT_LIMITS, Table())

    async def story() -> None:
        desk = Desk()
        manager = TaskManager(
            lambda number: desk.task(number, new_partition=lambda: new_partition(number)), _always_a_member
        )
        await manager.assign({3, 5})
        await soon()
        assert set(made) == {3, 5}
        await manager.revoke()

    run_quickly(story())


async def _always_a_member() -> bool:
    return True
