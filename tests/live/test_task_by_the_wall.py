"""A task with a clock on the wall: what holds time back, what lets it go on, and what is not believed.

In the timelines `o` is an event, `|` what is due, `W` the clock on the wall.
"""

import json
from typing import Final

import pytest

from agents.limits import DEFAULT_LIMITS
from agents.partition import GRACE_MS, MAX_FUTURE_MS, SLICE, Partition, Wall
from app.live.task import QUIET_MS
from schemas.times import DAY_MS, SECOND_MS
from schemas.topics import INPUT_TOPICS
from tables.merge import Merge
from tables.table import Table
from tests.live.desk import CLICKS, Desk, click, day, running, soon, tick
from tests.live.quick_loop import run_quickly

ORDERS: Final = "events.order"
HOUR_MS: Final = DAY_MS // 24


# clicks      o(0)------------|30 d      W beyond it; orders have more to read: they hold time back
def test_with_a_wall_clock_topics_that_are_behind_hold_time_back() -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(40)
        desk.put(CLICKS, click(day(0)))
        desk.put(ORDERS, tick(day(1)), tick(day(2)))
        task = desk.task()
        async with running(task):
            assert sorted(task.behind) == [CLICKS, ORDERS]
            assert task.take(desk.chunk(CLICKS, 0, 1))
            assert task.take(desk.chunk(ORDERS, 0, 1))
            await soon()
            assert task.behind == [ORDERS]
            assert task.partition.watermark == day(1, 1) - GRACE_MS
            assert desk.said()[-1].startswith("u/lifecycle.purchase/")
            assert task.take(desk.chunk(ORDERS, 1, 2))
            await soon()
            assert task.partition.watermark == day(40) - GRACE_MS
            assert desk.said()[-1] == f"u/lifecycle/{day(30)}/3"

    run_quickly(story())


def test_with_a_wall_clock_time_goes_on_by_itself_less_the_grace() -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(0)
        desk.put(CLICKS, click(day(0)))
        task = desk.task()
        async with running(task):
            desk.feed(task)
            await soon()
            desk.wall = day(30, GRACE_MS)
            await soon()
            assert len(desk.said()) == 2
            desk.wall += 1
            await soon()
            assert desk.said()[2:] == [f"u/lifecycle/{day(30)}/3"]

    run_quickly(story())


# clicks      o(0)  ...  o(29), written while nobody owned the partition; W at 40: not silent at 30
def test_with_a_wall_clock_timers_wait_for_what_had_come_before_the_assignment() -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(0, 1)
        desk.put(CLICKS, click(day(0)))
        first = desk.task()
        async with running(first):
            desk.feed(first)
        desk.wall = day(40)
        desk.put(CLICKS, click(day(29)))
        second = desk.task()
        for task in (first, second):
            async with running(task):
                await soon()
                assert task.behind == [CLICKS]
        assert len(desk.said()) == 2
        async with running(second):
            desk.feed(second)
            await soon()
        assert len(desk.said()) == 2
        assert desk.marker().state.watermark == day(40) - GRACE_MS

    run_quickly(story())


def test_with_a_wall_clock_an_event_of_the_future_is_a_dead_letter_and_ages_nobody() -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(1)
        desk.put(
            CLICKS,
            click(day(0)),
            click(day(1, MAX_FUTURE_MS), "v"),
            click(day(1, MAX_FUTURE_MS + 1), "w"),
            tick(day(300)),
            click(day(1), "x"),
        )
        task = desk.task()
        async with running(task):
            desk.feed(task)
            await soon()
        assert desk.dead() == ["too_far_ahead", "too_far_ahead"]
        assert desk.restored().rows.keys() == {b"u", b"v", b"x"}
        assert desk.marker().state.watermark == day(1) - GRACE_MS
        assert len(desk.said()) == 6

    run_quickly(story())


# W           day 1 |1 min|1 min|1 min      nothing comes; a restart shall not forget more than a minute of it
def test_with_a_wall_clock_idle_time_is_written_every_minute_and_not_oftener() -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(1)
        task = desk.task()
        async with running(task):
            await soon()
            assert desk.marker().state.watermark == day(1) - GRACE_MS
            for _ in range(3):
                desk.wall += QUIET_MS - 1
                await soon()
                written = len(desk.epochs)
                desk.wall += 1
                await soon()
                assert len(desk.epochs) == written + 1
                assert desk.marker().state.watermark == desk.wall - GRACE_MS

    run_quickly(story())


def few_waiting() -> Partition:
    """A partition whose topics are not to run ahead by more than two records."""
    made = Partition(0, DEFAULT_LIMITS, Table())
    made.merge = Merge(tuple(INPUT_TOPICS), DEFAULT_LIMITS.max_ahead_ms, max_waiting=2)
    return made


# clicks      x x x x x o    all of it backlog: nothing has told any time, or no time goes on
@pytest.mark.parametrize("first", [[], [click(day(0))]], ids=["nothing told", "time stands"])
@pytest.mark.parametrize("wall", [day(1), None], ids=["wall", "event"])
@pytest.mark.parametrize("same", [b"{", click(day(0), "tie")], ids=["unreadable", "at one instant"])
def test_many_records_that_move_no_time_are_no_standstill(first: list[bytes], wall: int | None, same: bytes) -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = wall
        desk.put(CLICKS, *first, *[same] * 20, click(day(0, 1)))
        desk.tick(day(0, 2))
        task = desk.task(new_partition=few_waiting)
        async with running(task):
            while task.behind:
                for topic in [topic for topic in task.behind if task.wants(topic)]:
                    start = task.expected[topic]
                    assert task.take(desk.chunk(topic, start, min(start + 2, len(desk.topics[topic]))))
                before = dict(task.expected)
                await soon()
                assert task.expected == before
                assert any(map(task.wants, task.behind)) or not task.behind, "it waits for ever"
        assert desk.marker().state.positions[CLICKS].offset == len(desk.topics[CLICKS])

    run_quickly(story())


# clicks      o(1971)                      o(9)  o(9)     the first clock was wrong, the wall's knows better
def test_with_a_wall_clock_a_first_event_of_long_ago_does_not_make_the_others_dead_letters() -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(10)
        desk.put(CLICKS, click(365 * DAY_MS, "old"), click(day(9)), click(day(9, 1), "v"))
        task = desk.task()
        async with running(task):
            desk.feed(task)
        assert desk.dead() == []
        assert desk.restored().rows.keys() == {b"old", b"u", b"v"}

    run_quickly(story())


# clicks      o(0) u    o(30, 1 s) v   o(30) u: seconds out of order, in the backlog of a worker that was down
def test_with_a_wall_clock_the_grace_holds_for_a_backlog_too() -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(33)
        desk.put(CLICKS, click(day(0)), click(day(30, SECOND_MS), "v"), click(day(30)), click(day(31), "v"))
        task = desk.task()
        async with running(task):
            for offset in range(4):
                assert task.take(desk.chunk(CLICKS, offset, offset + 1))
                await soon()
        assert not [each for each in desk.said() if each.startswith("u/") and f"/{day(30)}/" in each]

    run_quickly(story())


# W           -----1 h ahead | steps back       what was said stays, nothing is said again; an event in between counts
def test_a_clock_that_steps_back_says_nothing_again_and_nothing_wrong() -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(0)
        desk.put(CLICKS, click(day(0)))
        task = desk.task()
        async with running(task):
            desk.feed(task)
            desk.wall = day(30, HOUR_MS)
            await soon()
            assert desk.said()[-1] == f"u/lifecycle/{day(30)}/3"
            desk.wall = day(30, -HOUR_MS)
            await soon()
            desk.put(CLICKS, click(day(30, -HOUR_MS)))
            desk.feed(task)
            await soon()
        assert task.partition.watermark == day(30, HOUR_MS) - GRACE_MS
        assert corrected(desk) == [f"u/lifecycle/{day(30)}/3"]
        assert len(desk.said()) == 4

    run_quickly(story())


# W of 0      30 d, 20 s ahead: silent is said too early   |   W of 1 is right, and the click at 30 d - 1 s comes
@pytest.mark.parametrize("skew_s", [3, 20, 200])
def test_workers_whose_clocks_differ_by_seconds_end_at_the_same_truth(skew_s: int) -> None:
    async def story() -> None:
        desk = Desk()
        desk.wall = day(0)
        desk.put(CLICKS, click(day(0)), click(day(0), "v"))
        ahead, right = desk.task(), desk.task()
        async with running(ahead):
            desk.feed(ahead)
            desk.wall = day(30) + skew_s * SECOND_MS
        desk.wall = day(30)
        desk.put(CLICKS, click(day(30, -SECOND_MS)))
        async with running(right):
            desk.feed(right)
            await soon()
            desk.wall = day(30) + 2 * GRACE_MS + skew_s * SECOND_MS
            await soon()
        said = [json.loads(each.value) for each in desk.broker.outputs]
        effective_of_u = [each["to"] for each in said if each["user_id"] == "u" and each["tag"] == "lifecycle"]
        assert len({each["id"] for each in said}) == len(said)
        assert len(corrected(desk)) == (1 if skew_s * SECOND_MS > GRACE_MS else 0)
        assert effective_of_u[-1] == "active"
        assert [each["at"] for each in said if each["user_id"] == "v" and each["to"] == "silent"] == [day(30)]

    run_quickly(story())


# clicks      o(0) v    order(0, 1 h) v    W at 8 d: many are due at once, and the worker is cut off among them
def test_an_event_is_not_measured_against_a_time_that_a_restart_forgets() -> None:
    crowd = 3 * SLICE
    tagged = [
        json.dumps({"type": "tag", "event_id": f"t{n}", "user_id": f"c{n}", "ts": day(0), "tag": "vip", "value": "yes",
                    "ttl_ms": DAY_MS}).encode() for n in range(crowd)
    ]  # fmt: skip

    def order(at: int, event_id: str) -> bytes:
        fields = {"type": "order", "event_id": event_id, "user_id": "v", "ts": at, "order_id": event_id}
        return json.dumps(fields).encode()

    async def story() -> None:
        desk = Desk()
        desk.wall = day(0, 2 * HOUR_MS)
        desk.put("events.tag", *tagged)
        desk.put(CLICKS, click(day(0), "v"), click(day(0, 2 * HOUR_MS), "v"))
        desk.put(ORDERS, order(day(0, HOUR_MS), "o1"))
        first = desk.task()
        async with running(first):
            desk.feed(first)
        partition = first.partition
        wall = Wall(day(8), [])
        assert not partition.run(wall)
        desk.put(ORDERS, order(day(8), "o2"), order(day(8, -HOUR_MS), "o3"))
        for offset in (1, 2):
            partition.take(ORDERS, [(offset, desk.topics[ORDERS][offset])], wall.now)
        assert not partition.run(wall)
        epoch = partition.collect()
        again = Partition(0, DEFAULT_LIMITS, Table())
        rows = {**desk.restored().rows, **{user.encode(): row for user, row in epoch.rows.items() if row is not None}}
        again.resume(epoch.state, rows)
        assert again.watermark >= day(8) - GRACE_MS or again.state.positions[ORDERS].offset == 1

    run_quickly(story())


def corrected(desk: Desk) -> list[str]:
    """The ids that were withdrawn."""
    said = [json.loads(each.value) for each in desk.broker.outputs]
    return [each["corrects"] for each in said if "corrects" in each]
