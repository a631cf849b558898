"""A task whose campaigns are told to run or to pause, cut off at every point: nobody is decided about twice."""

import asyncio
import json
from typing import Any, Final

import pytest
from aiokafka.errors import KafkaError

from agents.limits import DEFAULT_LIMITS
from agents.partition import GRACE_MS, Partition
from app.live.status import PartitionStatus, Summary
from app.live.task import PartitionTask
from schemas.control import Command, Pause, Resume, Run, Told
from schemas.topics import RECALL_DECISIONS
from tables.table import Table
from tests.agents.recall.shop import RULES
from tests.live.desk import CLICKS, Desk, click, day, running, soon
from tests.live.fake_log import FakeLog, Point
from tests.live.quick_loop import run_quickly

USERS: Final = [f"u{number:03}" for number in range(120)]
CUTS: Final = [point for point in Point if point is not Point.ASKED]
RUN: Final = Run("r1", "word", day(1), pace=60.0)


def task_of(desk: Desk, at: Any = None) -> PartitionTask:
    return desk.task(at=at, new_partition=lambda: Partition(0, DEFAULT_LIMITS, Table(), rulebook=RULES))


def tell(desk: Desk, command: Command) -> None:
    desk.told.append(Told(len(desk.told), command))


def decided(desk: Desk, campaign: str) -> list[tuple[str, str]]:
    """Decisions by their ids, and what they came to: with copies, where there are no transactions."""
    records = [json.loads(each.value) for each in desk.broker.outputs if each.topic == RECALL_DECISIONS]
    own = [each for each in records if each["campaign"] == campaign]
    return [(each["id"], ", ".join(each["reasons"]) or each["outcome"]) for each in own]


async def people_come(desk: Desk) -> None:
    desk.wall = day(0) + 2 * GRACE_MS
    desk.put(CLICKS, *[click(day(0), user) for user in USERS])
    task = task_of(desk)
    async with running(task):
        desk.feed(task)


@pytest.mark.parametrize("transactional", [True, False])
@pytest.mark.parametrize("point", CUTS)
def test_a_run_that_is_cut_off_anywhere_comes_to_every_user_once(point: Point, transactional: bool) -> None:
    async def story() -> None:
        desk = Desk(transactional=transactional)
        await people_come(desk)
        tell(desk, RUN)
        hits = 0

        async def cut(_: FakeLog, where: Point) -> None:
            nonlocal hits
            hits += where is point
            if where is point and hits % 3 == 0 and hits < 12:
                raise KafkaError("cut off")

        for _ in range(30):
            task = task_of(desk, cut)
            run = asyncio.create_task(task.run())
            await soon()
            task.stop()
            await asyncio.gather(run, return_exceptions=True)
            desk.wall = (desk.wall or 0) + 10
        found = decided(desk, "word")
        assert hits >= 3
        if transactional:
            assert len(found) == len(set(found))
        assert sorted(ident.split("/")[0] for ident, _ in set(found)) == USERS
        assert {what for _, what in found} == {"triggered"}
        (known,) = desk.marker().state.control.runs
        assert (known.users, known.is_over) == (len(USERS), True)

    run_quickly(story())


def test_a_pause_reaches_a_task_that_runs_and_the_status_tells_of_it() -> None:
    async def story() -> None:
        desk = Desk()
        await people_come(desk)
        task = task_of(desk)
        async with running(task):
            tell(desk, Pause("welcome", day(1)))
            await soon()
            desk.put(CLICKS, click(day(0) + GRACE_MS, "new"))
            desk.feed(task)
            desk.wall = day(0) + 3 * GRACE_MS
            await soon()
            status = PartitionStatus.of(task)
            assert status.paused == {"welcome": day(1)}
            tell(desk, Resume("welcome", day(1)))
            await soon()
            assert PartitionStatus.of(task).paused == {}
        assert decided(desk, "welcome")[-1][1] == "paused"
        assert desk.marker().state.control.position == 2

    run_quickly(story())


def test_the_status_tells_how_far_a_run_is_and_a_summary_adds_the_partitions_up() -> None:
    async def story() -> None:
        desk = Desk()
        await people_come(desk)
        tell(desk, Run("r1", "word", day(1), pace=10.0))
        task = task_of(desk)
        async with running(task):
            await asyncio.sleep(3)
            (run,) = PartitionStatus.of(task).runs
            assert 25 <= run.users <= 33
            assert run.users + run.left == len(USERS)
            status = PartitionStatus.of(task)
            total = Summary.of([status, status], [], store=True)
            (both,) = total.runs
            assert (both.users, both.left, both.partitions, both.over) == (2 * run.users, 2 * run.left, 2, 0)
            await asyncio.sleep(20)
            (run,) = PartitionStatus.of(task).runs
            assert (run.users, run.left, run.over) == (len(USERS), 0, 1)

    run_quickly(story())


def test_an_idle_task_goes_through_a_run_without_pause() -> None:
    async def story() -> None:
        desk = Desk()
        await people_come(desk)
        task = task_of(desk)
        async with running(task):
            tell(desk, Run("r1", "word", day(1)))
            await asyncio.sleep(1)
            (run,) = PartitionStatus.of(task).runs
            assert run.over == 1

    run_quickly(story())
