"""What a worker tells of its partitions, one by one and added up."""

import asyncio
from typing import Any

from app.live import task as live_task
from app.live.status import PartitionStatus, Summary
from schemas.changes import LIFECYCLE, PURCHASE
from schemas.topics import INPUT_TOPICS
from tests.live.desk import CLICKS, Desk, click, day, running, soon
from tests.live.quick_loop import run_quickly


def status(number: int, **fields: Any) -> PartitionStatus:
    known: dict[str, Any] = {
        "phase": "running", "epoch": 1, "watermark": day(number), "counters": {"applied": 10, "late": 2},
        "census": {LIFECYCLE: {"active": 1}, PURCHASE: {}}, "lag": {CLICKS: 3, "events.tag": 0},
    }  # fmt: skip
    return PartitionStatus(partition=number, **known | fields)


def test_a_partition_tells_how_far_it_is_and_what_is_left_to_read() -> None:
    async def story() -> None:
        desk = Desk()
        desk.put(CLICKS, *[click(day(number), f"u{number}") for number in range(3)])
        task = desk.task(4)
        before = PartitionStatus.of(task)
        assert (before.phase, before.epoch, before.watermark) == ("held", 0, 0)
        assert before.lag == dict.fromkeys(INPUT_TOPICS, 0)
        async with running(task):
            assert PartitionStatus.of(task).lag[CLICKS] == 3
            assert task.take(desk.chunk(CLICKS, 0, 2))
            assert PartitionStatus.of(task).lag[CLICKS] == 1
            desk.tick(day(5))
            desk.feed(task)
            await soon()
            told = PartitionStatus.of(task)
        assert (told.partition, told.phase, told.watermark) == (4, "running", day(5, 1))
        assert told.epoch == task.epoch > 0
        assert told.counters["applied"] == 3
        assert told.census == {LIFECYCLE: {"active": 3}, PURCHASE: {"unactivated": 3}}
        assert set(told.lag.values()) == {0}

    run_quickly(story())


def test_a_status_does_not_change_with_its_partition() -> None:
    async def story() -> None:
        desk = Desk()
        task = desk.task()
        async with running(task):
            told = PartitionStatus.of(task)
            desk.put(CLICKS, click(day(0)))
            desk.tick(day(1))
            desk.feed(task)
            await soon()
        assert (told.counters["applied"], told.census[LIFECYCLE]) == (0, {})

    run_quickly(story())


def test_a_partition_that_gets_nothing_done_tells_for_how_long() -> None:
    async def story() -> None:
        desk = Desk()
        task = desk.task()
        assert PartitionStatus.of(task).progress_age_s == 0
        desk.put(CLICKS, click(day(0)))
        async with running(task):
            await asyncio.sleep(20)
            assert 20 <= PartitionStatus.of(task).progress_age_s < 21
            desk.tick(day(1))
            desk.feed(task)
            await soon()
            assert PartitionStatus.of(task).progress_age_s <= live_task.IDLE_S
        await asyncio.sleep(20)
        assert PartitionStatus.of(task).progress_age_s == 0, "it is not owned"

    run_quickly(story())


def test_partitions_are_added_up_and_the_slowest_tells_the_time() -> None:
    known = [status(2), status(1, phase="restoring", census={LIFECYCLE: {"active": 2, "lost": 1}})]
    told = Summary.of(known, [], store=True)
    assert told.watermark == day(1)
    assert told.lag == 6
    assert told.users == {LIFECYCLE: {"active": 3, "lost": 1}, PURCHASE: {}}
    assert told.counters == {"applied": 20, "late": 4}
    assert told.partitions == {"running": 1, "restoring": 1}


def test_an_event_counts_once_however_late_it_was() -> None:
    counters = {"applied": 10, "duplicates": 3, "erased": 1, "late": 4, "too_late": 2}
    assert Summary.of([status(0, counters=counters)], [], store=True).events == 14


def test_nobody_adds_up_to_nothing() -> None:
    told = Summary.of([], [], store=False)
    assert (told.events, told.watermark, told.lag, told.users, told.partitions) == (0, 0, 0, {}, {})
