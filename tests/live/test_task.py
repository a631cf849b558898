"""A task: which chunks it takes, from where it goes on, what it waits for, and what it refuses.

In the timelines `o` is an event, `T` a tick.
"""

import asyncio
from typing import Final

import pytest
from aiokafka.errors import KafkaError

from agents import partition
from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition, Wall
from app.live import task as live_task
from app.live.retention import LostEventsError
from app.live.task import PartitionTask, Phase
from schemas.times import SECOND_MS
from schemas.topics import INPUT_TOPICS
from tables.merge import Merge
from tables.row import Row
from tables.table import Table
from tests.live.desk import CLICKS, EPOCH_S, Desk, click, day, running, soon, tick
from tests.live.fake_log import FakeLog, Point
from tests.live.quick_loop import run_quickly

ORDERS: Final = "events.order"


def test_it_takes_only_the_chunk_that_comes_next() -> None:
    async def story() -> None:
        desk = Desk()
        desk.put(CLICKS, *[click(day(number)) for number in range(4)])
        task = desk.task()
        async with running(task):
            assert not task.take(desk.chunk(CLICKS, 1, 2))
            assert task.take(desk.chunk(CLICKS, 0, 2))
            assert not task.take(desk.chunk(CLICKS, 0, 2))
            assert not task.take(desk.chunk(CLICKS, 3, 4))
            assert task.expected[CLICKS] == 2
            assert task.take(desk.chunk(CLICKS, 2, 4))
        assert not task.take(desk.chunk(CLICKS, 4, 4))

    run_quickly(story())


def test_it_takes_nothing_while_it_is_restored() -> None:
    async def story() -> None:
        desk = Desk()
        taken: list[bool] = []

        async def offer(_: FakeLog, point: Point) -> None:
            if point is not Point.CLOSING:
                taken.append(task.take(desk.chunk(CLICKS, 0, 0)) or task.wants(CLICKS))

        task = desk.task(at=offer)
        async with running(task):
            assert task.wants(CLICKS)
        assert taken == [False, False]

    run_quickly(story())


# clicks     o0 o1 T2 |marker|  T3      what was applied is not read again, what waited is
def test_another_task_goes_on_at_the_applied_positions() -> None:
    async def story() -> None:
        desk = Desk()
        desk.put(CLICKS, click(day(0)), click(day(1)), tick(day(2)))
        desk.tick(day(0))
        first = desk.task()
        async with running(first):
            desk.feed(first)
        assert first.written[CLICKS].offset == 1
        assert desk.marker().state.counters["applied"] == 1
        second = desk.task()
        async with running(second):
            assert (second.expected[CLICKS], second.expected[ORDERS]) == (1, 1)
            assert second.restored_rows == 1
            desk.tick(day(3))
            desk.feed(second)
            await soon()
        assert desk.marker().state.counters["applied"] == 2
        assert (desk.marker().generation, desk.marker().epoch) == (2, second.epoch)
        assert len(desk.said()) == 2

    run_quickly(story())


def test_a_task_that_comes_back_goes_on_from_memory_if_nobody_has_written() -> None:
    async def story() -> None:
        desk = Desk()
        desk.put(CLICKS, click(day(0)), click(day(1)))
        task, other = desk.task(), desk.task()
        async with running(task):
            desk.feed(task)
        before = task.partition
        async with running(other):
            pass
        async with running(task):
            assert task.partition is before
            assert task.expected[CLICKS] == 2
        async with running(other):
            desk.tick(day(1))
            desk.feed(other)
            await soon()
        async with running(task):
            assert task.partition is not before

    run_quickly(story())


def test_after_an_epoch_of_unknown_fate_memory_is_forgotten() -> None:
    async def story() -> None:
        desk = Desk()
        desk.put(CLICKS, click(day(0)))
        desk.tick(day(1))
        cut_at = [Point.COMMITTED, Point.TAKEN]

        async def cut(_: FakeLog, point: Point) -> None:
            if cut_at and point is cut_at[-1]:
                raise KafkaError(f"cut off {cut_at.pop().value}")

        task = desk.task(at=cut)
        for applied in (0, 1):
            run = asyncio.create_task(task.run())
            await soon()
            desk.feed(task)
            with pytest.raises(KafkaError):
                await run
            assert (desk.restored().marker is not None) is bool(applied)
            assert task.phase is Phase.HELD
        async with running(task):
            assert task.partition.counters.applied == 1
            assert task.expected[CLICKS] == 2
        assert len(desk.said()) == 2

    run_quickly(story())


def lost(desk: Desk, *, accept_loss: bool = False) -> tuple[str, PartitionTask]:
    async def story() -> tuple[str, PartitionTask]:
        task = desk.task(3, accept_loss=accept_loss)
        try:
            async with running(task):
                pass
        except LostEventsError as error:
            return str(error), task
        return "", task

    return run_quickly(story())


def applied_three() -> Desk:
    desk = Desk()

    async def story() -> None:
        desk.put(CLICKS, click(day(0)), click(day(1)))
        desk.tick(day(2))
        task = desk.task()
        async with running(task):
            desk.feed(task)

    run_quickly(story())
    return desk


HINT: Final = (
    "To go on without them set REKINDLE_ON_LOST_EVENTS=accept once;"
    " to begin anew set another REKINDLE_APP_ID and replay the history"
)


def test_events_that_left_their_topic_unread_are_told_of() -> None:
    desk = applied_three()
    desk.put(CLICKS, *[click(day(number)) for number in range(3, 9)])
    desk.begins[CLICKS] = 5
    assert lost(desk)[0] == (
        "partition 3 of events.click goes on at offset 3, but its oldest record is 5: 2 are gone"
        f" (they left the topic's retention before they were applied). {HINT}"
    )


def test_a_topic_that_ends_before_the_position_is_told_of() -> None:
    desk = applied_three()
    del desk.topics[CLICKS][1:]
    assert lost(desk)[0] == (
        "partition 3 of events.click goes on at offset 3, but ends at 1"
        f" (the topic was made anew, or its broker has lost records). {HINT}"
    )


@pytest.mark.parametrize("is_shorter", [True, False])
def test_who_accepts_the_loss_goes_on_at_the_oldest_record(is_shorter: bool) -> None:
    desk = applied_three()
    if is_shorter:
        del desk.topics[CLICKS][1:]
    else:
        desk.put(CLICKS, *[click(day(number)) for number in range(3, 9)])
        desk.begins[CLICKS] = 5
    said, task = lost(desk, accept_loss=True)
    assert said == ""
    assert task.expected[CLICKS] == desk.begins[CLICKS]
    assert task.partition.merge.bound_of([CLICKS]) == day(2, 1)


def test_a_new_partition_begins_at_the_oldest_records_without_a_word() -> None:
    desk = Desk()
    desk.put(CLICKS, *[click(day(number)) for number in range(9)])
    desk.begins[CLICKS] = 5
    said, task = lost(desk)
    assert (said, task.expected[CLICKS], task.expected[ORDERS]) == ("", 5, 0)


def test_a_topic_that_ran_ahead_is_not_wanted_until_the_others_have_come_up() -> None:
    def crowded_soon() -> Partition:
        made = Partition(0, DEFAULT_LIMITS, Table())
        made.merge = Merge(tuple(INPUT_TOPICS), DEFAULT_LIMITS.max_ahead_ms, max_waiting=2)
        return made

    async def story() -> None:
        desk = Desk()
        desk.put(CLICKS, click(day(0)), click(day(1)))
        task = desk.task(new_partition=crowded_soon)
        async with running(task):
            assert task.wants(CLICKS)
            desk.feed(task)
            assert (task.wants(CLICKS), task.wants(ORDERS)) == (False, True)
            desk.tick(day(2))
            desk.feed(task)
            await soon()
            assert task.wants(CLICKS)
        assert not task.wants(CLICKS)

    run_quickly(story())


def test_nothing_is_wanted_while_too_many_rows_wait_to_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_task, "MAX_DIRTY", 2)

    async def story() -> None:
        task = Desk().task()
        async with running(task):
            for user in ("u1", "u2", "u3"):
                task.partition.table.put(user, Row())
            assert task.wants(CLICKS)
            task.partition.table.put("u4", Row())
            assert not task.wants(CLICKS)
            await soon()
            assert task.wants(CLICKS)

    run_quickly(story())


def test_between_two_slices_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition, "SLICE", 10)
    slices: list[int] = []

    async def story() -> None:
        desk = Desk()
        desk.put(CLICKS, *[click(day(0, number), f"u{number}") for number in range(100)])
        desk.tick(day(1))
        task = desk.task()
        async with running(task):
            await soon()
            desk.feed(task)
            while (applied := task.partition.counters.applied) < 100:
                slices.append(applied)
                await asyncio.sleep(0)

    run_quickly(story())
    assert len(slices) >= 9


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("what", ["chunk", "stop"])
def test_what_comes_right_after_a_slice_is_not_slept_over(what: str, turn: int) -> None:
    class Hurried(Partition):
        turns_left = -1

        def run(self, wall: Wall | None = None) -> bool:
            self.turns_left -= 1
            if self.turns_left == 0:
                asyncio.get_running_loop().call_soon(happens.set)
            return super().run(wall)

    async def story() -> None:
        desk, made = Desk(), Hurried(0, DEFAULT_LIMITS, Table())
        desk.put(CLICKS, click(day(0)))
        desk.tick(day(1))
        task = desk.task(new_partition=lambda: made)
        run = asyncio.create_task(task.run())
        await soon()
        made.turns_left = turn + 1
        await happens.wait()
        before = asyncio.get_running_loop().time()
        if what == "chunk":
            desk.feed(task)
            await asyncio.sleep(2 * EPOCH_S)
            assert task.partition.counters.applied == 1
        task.stop()
        await run
        assert asyncio.get_running_loop().time() - before < 3 * EPOCH_S

    happens = asyncio.Event()
    run_quickly(story())


# monotonic   0----------------100 s     nothing to do: that is no standstill, also when something comes at last
def test_a_task_that_had_nothing_to_do_has_not_stalled_when_something_comes() -> None:
    async def story() -> None:
        desk = Desk()
        task = desk.task()
        async with running(task):
            await asyncio.sleep(100)
            desk.put(CLICKS, click(day(0)), click(day(0), "v"))
            assert task.take(desk.chunk(CLICKS, 0, 1))
            assert task.has_pending
            assert asyncio.get_running_loop().time() - task.progressed_at < 10 * EPOCH_S + live_task.IDLE_S

    run_quickly(story())


def test_epochs_are_written_when_something_has_changed_and_no_oftener_than_asked_for() -> None:
    async def story() -> None:
        desk = Desk()
        task = desk.task()
        async with running(task):
            await asyncio.sleep(60)
            assert desk.broker.end == 0
            for number in range(100):
                desk.tick(day(0, number))
                desk.feed(task)
                await asyncio.sleep(0.01)
        assert 9 <= task.epoch <= 11
        assert task.epoch == desk.marker().epoch == len(desk.epochs)
        assert desk.marker().state.watermark == day(0, 100)

    run_quickly(story())


def test_many_changed_rows_end_an_epoch_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_task, "MAX_DIRTY", 5)

    async def story() -> None:
        desk = Desk()
        task = desk.task()
        async with running(task):
            for number in range(10):
                desk.put(CLICKS, *[click(day(0, number), f"u{number}-{each}") for each in range(5)])
                desk.tick(day(0, number))
                desk.feed(task)
                await asyncio.sleep(1 / SECOND_MS)
            assert task.epoch >= 10

    run_quickly(story())
