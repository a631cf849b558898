"""A task with a clock on the wall: what holds time back, what lets it go on, and what is not believed.

In the timelines `o` is an event, `|` what is due, `W` the clock on the wall.
"""

from typing import Final

from agents.partition import GRACE_MS, MAX_FUTURE_MS
from tests.live.desk import CLICKS, Desk, click, day, running, soon, tick
from tests.live.quick_loop import run_quickly

ORDERS: Final = "events.order"


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
            assert task.partition.watermark == day(1, 1)
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
