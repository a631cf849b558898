"""How long records wait is measured from when they came to when what they changed is committed."""

from collections.abc import Sequence

from app.live.arrivals import EACH, Arrivals
from app.live.chunk import Chunk
from app.live.task import PartitionTask
from schemas.times import Millis
from schemas.topics import INPUT_TOPICS
from tables.merge import Position
from tests.live.desk import CLICKS, Desk, click, day, running, soon
from tests.live.quick_loop import run_quickly
from tests.live.world import Record


def records(start: int, *timestamps: Millis) -> list[Record]:
    return [Record(start + number, b"", at) for number, at in enumerate(timestamps)]


def at(offset: int) -> dict[str, Position]:
    return {CLICKS: Position(offset, None)}


def test_a_record_has_waited_once_its_topic_is_applied_beyond_it() -> None:
    arrivals = Arrivals()
    arrivals.note(CLICKS, records(0, 10))
    arrivals.note(CLICKS, records(1, 20, 21))
    assert arrivals.applied(at(0)) == []
    assert arrivals.applied(at(1)) == [10]
    assert arrivals.applied(at(1)) == [], "once"
    assert arrivals.applied(at(3)) == [20], "the second of a chunk is not noted"


def test_the_first_of_a_chunk_is_noted_and_every_hundredth_behind_it() -> None:
    arrivals = Arrivals()
    arrivals.note(CLICKS, records(0, *range(2 * EACH + 1)))
    assert arrivals.applied(at(EACH)) == [0]
    assert arrivals.applied(at(3 * EACH)) == [EACH, 2 * EACH]


def test_what_came_without_a_timestamp_and_what_is_read_again_is_not_counted() -> None:
    arrivals = Arrivals()
    arrivals.note(CLICKS, records(0, -1))
    arrivals.note(CLICKS, records(1, 5))
    assert arrivals.applied(at(2)) == [5]
    arrivals.note(CLICKS, records(2, 6))
    arrivals.clear()
    assert arrivals.applied(at(3)) == []


def feed(desk: Desk, task: PartitionTask, topic: str, payloads: Sequence[bytes], timestamp: Millis) -> None:
    start = len(desk.topics[topic])
    desk.put(topic, *payloads)
    end = len(desk.topics[topic])
    found = [Record(start + number, payload, timestamp) for number, payload in enumerate(payloads)]
    assert task.take(Chunk(topic, task.number, start, end, end, found))


def test_a_record_that_waits_for_other_topics_has_waited_until_they_come() -> None:
    async def story() -> None:
        desk = Desk()
        task = desk.task()
        async with running(task):
            feed(desk, task, CLICKS, [click(day(1))], 7)
            await soon()
            assert not desk.epochs or task.arrivals.applied(desk.epochs[-1].state.positions) == []
            desk.tick(day(2))
            desk.feed(task)
            await soon()
            assert task.arrivals.applied(desk.epochs[-1].state.positions) == [7]

    run_quickly(story())


def test_what_is_read_again_after_a_restore_counts_once() -> None:
    async def story() -> None:
        desk = Desk()
        task = desk.task()
        async with running(task):
            feed(desk, task, CLICKS, [click(day(1))], 7)
            await soon()
        other = desk.task()
        async with running(other):
            desk.tick(day(2))
            desk.feed(other)
            await soon()
        async with running(task):
            assert task.arrivals.applied({topic: Position(99, None) for topic in INPUT_TOPICS}) == []

    run_quickly(story())
