"""What the lane hands over goes on where it should. (On real brokers: tests/flow and tests/chaos.)"""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from faust.types import TP

from app.live.chunk import Chunk
from app.live.lane import LaneConsumer, is_settled
from tests.live.world import Record

CLICKS = TP("events.click", 0)


def is_whole(start: int, end: int, *offsets: int, begin: int = 0) -> bool:
    """What the lane thinks of a chunk, in a topic whose oldest record is `begin`."""

    async def call_thread(_method: Any, tps: list[TP]) -> dict[TP, tuple[int, int]]:
        return dict.fromkeys(tps, (begin, 1000))

    lane: Any = SimpleNamespace(_thread=SimpleNamespace(call_thread=call_thread, ranges=None))
    chunk = Chunk("events.click", 0, start, end, 1_000, [Record(offset, b"") for offset in offsets])
    return asyncio.run(LaneConsumer._is_whole(lane, CLICKS, chunk))  # noqa: SLF001  the one idea of the lane that is pure


def test_a_partition_that_is_lost_before_it_is_sought_ends_no_worker() -> None:
    def seek(_tp: TP, _offset: int) -> None:
        raise IllegalStateError("No current assignment")

    lane: Any = SimpleNamespace(_thread=SimpleNamespace(_ensure_consumer=lambda: SimpleNamespace(seek=seek)))
    asyncio.run(LaneConsumer._seek_now(lane, CLICKS, 5))  # noqa: SLF001  a rebalance cannot be timed to fall in between


@pytest.mark.parametrize(
    ("start", "end", "offsets", "begin", "whole"),
    [
        (5, 7, [5, 6], 0, True),
        (5, 7, [6], 0, True),  # 5 is the marker of a transaction
        (5, 7, [], 0, True),  # both are
        (5, 7, [6], 6, False),  # 5 has left the topic
        (5, 7, [], 6, False),
        (5, 2, [0, 1], 0, False),  # the client went back to the oldest record by itself
        (5, 7, [0, 1, 2, 3, 4, 5, 6], 0, False),
        (5, 2, [], 0, False),
    ],
)
def test_a_chunk_goes_on_where_it_should(start: int, end: int, offsets: list[int], begin: int, *, whole: bool) -> None:
    assert is_whole(start, end, *offsets, begin=begin) is whole


@pytest.mark.parametrize(
    ("generation", "rejoins", "settled"), [(3, False, True), (3, True, False), (-1, False, False), (-1, True, False)]
)
def test_offsets_are_sent_only_while_the_group_is_at_rest(generation: int, *, rejoins: bool, settled: bool) -> None:
    rejoin = SimpleNamespace(done=lambda: rejoins)
    consumer: Any = SimpleNamespace(_coordinator=SimpleNamespace(generation=generation, _rejoin_needed_fut=rejoin))
    assert is_settled(consumer) is settled
