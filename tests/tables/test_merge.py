"""The merge of three topics: A, B and C by rank.

In the timelines `o` is an event, `T` a tick, `x` a dead letter; time goes to the right, and each line lists a topic's
records in the order of their offsets.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.dead_letter import DeadLetter, Rejected, dead_letter
from schemas.events import Click
from schemas.times import DAY_MS, Millis
from schemas.topics import Topic
from tables.merge import Merge, Position, Timed

TOPICS: Final = ("A", "B", "C")
FAR: Final = 3 * 365 * DAY_MS

Place: TypeAlias = tuple[Topic, int]
"""A topic and an offset: by which the tests name a record."""


def click(ts: Millis) -> Click:
    return Click(event_id="e", user_id="u", ts=ts, item_id="i")


def letter(topic: Topic, offset: int, why: Rejected | None = None) -> DeadLetter:
    return dead_letter(topic, 0, offset, b"?", why or Rejected("invalid_json", "?"))


class Topics:
    """A merge, fed by hand: offsets count up by themselves, and what comes out is named by (topic, offset)."""

    def __init__(self, max_ahead_ms: Millis = FAR, max_waiting: int = 10_000) -> None:
        self.merge = Merge(TOPICS, max_ahead_ms, max_waiting)
        self._offsets = dict.fromkeys(TOPICS, 0)

    def _next(self, topic: Topic) -> int:
        self._offsets[topic] += 1
        return self._offsets[topic] - 1

    def events(self, topic: Topic, *times: Millis) -> None:
        for ts in times:
            self.merge.event(topic, self._next(topic), click(ts))

    def tick(self, topic: Topic, ts: Millis) -> None:
        self.merge.tick(topic, self._next(topic), ts)

    def letter(self, topic: Topic) -> None:
        offset = self._next(topic)
        self.merge.dead_letter(topic, offset, letter(topic, offset))

    def positions(self) -> list[Position]:
        return [self.merge.position(topic) for topic in TOPICS]

    def crowded(self) -> list[Topic]:
        return [topic for topic in TOPICS if self.merge.is_crowded(topic)]

    def released(self) -> list[Place]:
        return [(TOPICS[timed.rank], timed.offset) for timed in self.merge.release()]


def test_events_leave_in_the_order_of_time_strictly_below_the_least_bound() -> None:
    # A    o1        o4             o9
    # B         o3             o6
    # C    o2             o5
    #                     ^ watermark 5: the event at 5 waits
    topics = Topics()
    topics.events("A", 1, 4, 9)
    topics.events("B", 3, 6)
    topics.events("C", 2, 5)
    assert topics.merge.watermark == 5
    assert topics.released() == [("A", 0), ("C", 0), ("B", 0), ("A", 1)]
    assert topics.released() == []


def test_what_leaves_is_the_record_with_its_place() -> None:
    topics = Topics()
    topics.events("A", 1, 3)
    for topic in "BC":
        topics.tick(topic, 2)
    [timed] = topics.merge.release()
    assert timed == Timed(1, 0, 0, click(1))


def test_a_topic_that_has_said_nothing_holds_all_others() -> None:
    # A    o1   o2   o3
    # B    o1   o2
    # C
    topics = Topics()
    assert topics.merge.watermark is None
    topics.events("A", 1, 2, 3)
    topics.events("B", 1, 2)
    assert topics.merge.watermark is None
    assert topics.released() == []


def test_a_dead_letter_alone_lets_nothing_pass_because_it_tells_no_time() -> None:
    topics = Topics()
    topics.events("A", 1, 2)
    topics.events("B", 1, 2)
    topics.letter("C")
    assert topics.merge.watermark is None
    assert topics.released() == []


def test_a_tick_releases_what_lies_at_its_own_time_too() -> None:
    # A    o1   o5   o9
    # B         T5
    # C         T5
    #            ^ watermark 6
    topics = Topics()
    topics.events("A", 1, 5, 9)
    topics.tick("B", 5)
    assert topics.released() == []
    topics.tick("C", 5)
    assert topics.merge.watermark == 6
    assert topics.released() == [("A", 0), ("A", 1)]


def test_a_tick_that_is_older_than_its_topic_moves_nothing() -> None:
    topics = Topics()
    topics.events("A", 8)
    for topic in "BC":
        topics.tick(topic, 9)
        topics.tick(topic, 3)
    topics.tick("A", 2)
    assert topics.merge.watermark == 8
    topics.tick("A", 7)
    assert topics.merge.watermark == 8
    topics.tick("A", 8)
    assert topics.merge.watermark == 9


def test_equal_keys_leave_by_topic_rank_and_then_by_offset() -> None:
    # C    o5 o5
    # B    o5
    # A    o5 o5
    topics = Topics()
    topics.events("C", 5, 5)
    topics.events("B", 5)
    topics.events("A", 5, 5)
    for topic in TOPICS:
        topics.tick(topic, 5)
    assert topics.released() == [("A", 0), ("A", 1), ("B", 0), ("C", 0), ("C", 1)]


def test_a_late_event_keeps_its_place_behind_what_came_before_it() -> None:
    # A    o1   o7   o3(late: key 7)   o8
    # B         o4                 o7
    topics = Topics()
    topics.events("A", 1, 7, 3, 8)
    topics.events("B", 4, 7)
    for topic in TOPICS:
        topics.tick(topic, 10)
    released = topics.merge.release()
    assert [(timed.key, TOPICS[timed.rank], timed.offset) for timed in released] == [
        (1, "A", 0),
        (4, "B", 0),
        (7, "A", 1),
        (7, "A", 2),
        (7, "B", 1),
        (8, "A", 3),
    ]
    assert released[3].record == click(3)


def test_an_event_behind_a_tick_has_the_time_of_the_tick() -> None:
    # A    T6   o2(late: key 7)
    topics = Topics()
    topics.tick("A", 6)
    topics.events("A", 2)
    for topic in TOPICS:
        topics.tick(topic, 7)
    assert [(timed.key, timed.record) for timed in topics.merge.release()] == [(7, click(2))]


def test_an_event_too_far_ahead_of_its_topic_is_rejected_and_moves_no_time() -> None:
    # A    o1 ...... 3 years ......| o(1 + 3 years + 1 ms)
    topics = Topics()
    topics.events("A", 1)
    for topic in "BC":
        topics.tick(topic, 1)
    with pytest.raises(
        Rejected, match=r"more than 1095d after 1970-01-01T00:00:00\.001000\+00:00; is that clock"
    ) as caught:
        topics.merge.event("A", 1, click(FAR + 2))
    assert caught.value.reason == "too_far_ahead"
    assert caught.value.detail.startswith("`ts`: 1972-12-31T00:00:00.002000+00:00 is ")
    assert topics.merge.watermark == 1
    assert topics.merge.position("A") == (0, None)
    assert topics.released() == []


def test_an_event_exactly_max_ahead_is_believed_and_so_is_any_first_one() -> None:
    topics = Topics(max_ahead_ms=10)
    topics.events("A", 4_000, 4_010, 4_020)
    with pytest.raises(Rejected):
        topics.events("A", 4_031)
    topics.tick("B", 50)
    with pytest.raises(Rejected):
        topics.events("B", 62)
    topics.events("B", 61)


def test_ticks_may_leap() -> None:
    topics = Topics(max_ahead_ms=10)
    for topic in TOPICS:
        topics.events(topic, 1)
        topics.tick(topic, 1_000_000)
    assert topics.merge.watermark == 1_000_001
    topics.events("A", 1_000_011)


def test_dead_letters_wait_in_line_and_move_no_time() -> None:
    # A    o5   x   o6   x
    # B         o7
    # C         o6
    #           ^ watermark 6: the first letter leaves with the event before it
    topics = Topics()
    topics.events("A", 5)
    topics.letter("A")
    topics.events("A", 6)
    topics.letter("A")
    topics.events("B", 7)
    assert topics.released() == []
    topics.events("C", 6)
    assert topics.merge.watermark == 6
    released = topics.merge.release()
    assert [timed.record for timed in released] == [click(5), letter("A", 1)]
    topics.tick("C", 7)
    assert topics.released() == []
    topics.tick("A", 6)
    assert topics.released() == [("A", 2), ("A", 3), ("C", 0)]


def test_a_dead_letter_before_any_time_leaves_first() -> None:
    topics = Topics()
    topics.events("A", 1)
    topics.letter("C")
    for topic in TOPICS:
        topics.tick(topic, 1)
    assert topics.released() == [("C", 0), ("A", 0)]


def test_a_topic_that_runs_ahead_is_crowded_until_the_others_have_come_up() -> None:
    topics = Topics(max_waiting=3)
    topics.tick("B", 1)
    topics.events("A", 2, 3)
    assert topics.crowded() == []
    topics.letter("A")
    assert topics.crowded() == ["A"]
    topics.events("C", 3, 3, 3, 4)
    assert topics.crowded() == ["A", "C"]
    topics.tick("B", 9)
    assert topics.released() == [("A", 0)]
    assert topics.crowded() == ["C"]


def test_a_position_is_where_a_restart_has_to_read_on() -> None:
    # A    o1   T4   o5   x   o9       waits: o5 and what is behind it
    # B    o2   T4                     nothing waits
    # C                                nothing was said
    topics = Topics()
    assert topics.positions() == [(0, None), (0, None), (0, None)]
    topics.events("A", 1)
    topics.tick("A", 4)
    topics.events("A", 5)
    topics.letter("A")
    topics.events("A", 9)
    topics.events("B", 2)
    topics.tick("B", 4)
    assert topics.positions() == [(0, None), (0, None), (0, None)]
    topics.tick("C", 4)
    assert topics.released() == [("A", 0), ("B", 0)]
    assert topics.positions() == [(1, 1), (2, 5), (1, 5)]
    topics.tick("B", 8)
    topics.tick("C", 8)
    assert topics.released() == [("A", 2), ("A", 3)]
    assert topics.positions() == [(4, 5), (3, 9), (2, 9)]


def test_a_restart_after_a_dead_letter_before_any_time_believes_the_first_event() -> None:
    now, topics = 1_700_000_000_000, Topics()
    topics.letter("A")
    for topic in TOPICS:
        topics.events(topic, now)
    assert topics.released() == [("A", 0)]
    assert topics.positions()[0] == (1, None)


def test_a_merge_that_goes_on_from_positions_knows_their_bounds() -> None:
    merge = Merge(TOPICS, max_ahead_ms=10)
    merge.resume([("A", Position(7, 100)), ("B", Position(0, None)), ("C", Position(3, 50))])
    assert [merge.position(topic) for topic in TOPICS] == [(7, 100), (0, None), (3, 50)]
    merge.event("B", 0, click(40))
    assert merge.watermark == 40
    with pytest.raises(Rejected):
        merge.event("A", 7, click(111))
    merge.event("A", 7, click(90))
    merge.tick("B", 1, 1_000)
    merge.tick("C", 3, 1_000)
    merge.tick("A", 8, 100)
    assert [(timed.key, timed.rank, timed.offset) for timed in merge.release()] == [(40, 1, 0), (100, 0, 7)]


class Entry(NamedTuple):
    """A record of a generated topic; a letter has no time."""

    what: Literal["event", "tick", "letter"]
    ts: Millis = 0


class Step(NamedTuple):
    """Read up to so many records of each topic; then, perhaps, release; then, perhaps, stop and go on anew."""

    limits: tuple[int, int, int]
    releases: bool
    restarts: bool


AHEAD: Final = 12
Streams: TypeAlias = Sequence[Sequence[Entry]]


def feed(merge: Merge, topic: Topic, offset: int, entry: Entry) -> None:
    """Give a record to a merge, as a partition does."""
    if entry.what == "tick":
        merge.tick(topic, offset, entry.ts)
    elif entry.what == "letter":
        merge.dead_letter(topic, offset, letter(topic, offset))
    else:
        try:
            merge.event(topic, offset, click(entry.ts))
        except Rejected as why:
            merge.dead_letter(topic, offset, letter(topic, offset, why))


def expected(streams: Streams) -> list[tuple[Millis, int, int, str]]:
    """By brute force: each record's key from its topic's order alone; all below the least last bound, sorted."""
    keyed, bounds = [], []
    for rank, stream in enumerate(streams):
        bound: Millis | None = None
        for offset, (what, ts) in enumerate(stream):
            if what == "tick":
                bound = max(bound or 0, ts + 1)
                continue
            too_far = what == "event" and bound is not None and ts > bound + AHEAD
            if what == "event" and not too_far:
                bound = max(bound or 0, ts)
            keyed.append((bound or 0, rank, offset, "too_far_ahead" if too_far else what))
        bounds.append(bound)
    watermark = min((bound for bound in bounds if bound is not None), default=0) if None not in bounds else 0
    return sorted(entry for entry in keyed if entry[0] < watermark)


def shown(timed: Timed) -> tuple[Millis, int, int, str]:
    what = "event"
    if isinstance(timed.record, DeadLetter):
        what = "too_far_ahead" if timed.record.reason == "too_far_ahead" else "letter"
    return timed.key, timed.rank, timed.offset, what


class Reader:
    """Reads three streams into a merge, and goes on in a new one from the positions of the old."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._offsets = [0, 0, 0]
        self.merge = Merge(TOPICS, AHEAD)

    def read(self, limits: Sequence[int]) -> None:
        for rank, (topic, stream, limit) in enumerate(zip(TOPICS, self._streams, limits, strict=True)):
            start = self._offsets[rank]
            for offset, entry in enumerate(stream[start : start + limit], start):
                feed(self.merge, topic, offset, entry)
                self._offsets[rank] = offset + 1

    def restart(self) -> None:
        positions = [(topic, self.merge.position(topic)) for topic in TOPICS]
        self.merge = Merge(TOPICS, AHEAD)
        self.merge.resume(positions)
        self._offsets = [position.offset for _, position in positions]


def run(streams: Streams, steps: Sequence[Step]) -> list[tuple[Millis, int, int, str]]:
    """What leaves the merge when the streams are read in these steps, and then to their ends."""
    reader, released = Reader(streams), []
    for limits, releases, restarts in [*steps, Step((99, 99, 99), releases=True, restarts=False)]:
        reader.read(limits)
        if releases:
            released += reader.merge.release()
        if restarts:
            reader.restart()
    return [shown(timed) for timed in released]


What: TypeAlias = Literal["event", "tick", "letter"]


def walk(gaps: list[tuple[What, int]]) -> list[Entry]:
    """A topic whose time goes on by such a gap from record to record."""
    now, entries = AHEAD + 1, list[Entry]()
    for what, gap in gaps:
        entries.append(Entry(what) if what == "letter" else Entry(what, max(1, now + gap)))
        now = max(now, entries[-1].ts)
    return entries


whats: Final[st.SearchStrategy[What]] = st.sampled_from(["event", "event", "tick", "letter"])
gaps: Final = st.integers(0, 4) | st.sampled_from([-3, -1, AHEAD - 1, AHEAD, AHEAD + 1, 2 * AHEAD])
streams_of_three: Final = st.lists(
    st.lists(st.tuples(whats, gaps), min_size=2, max_size=10).map(walk), min_size=3, max_size=3
)
limits_of_three: Final = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
steps: Final = st.lists(st.builds(Step, limits_of_three, st.booleans(), st.booleans()), min_size=2, max_size=12)
calm_steps: Final = steps.map(lambda some: [step._replace(restarts=False) for step in some])


@given(streams_of_three, calm_steps)
@example([[Entry("event", 5)], [Entry("event", 9)], []], [])
def test_what_leaves_follows_from_each_topics_own_order_whatever_the_chunks_were(
    streams: Streams, steps: list[Step]
) -> None:
    assert run(streams, steps) == expected(streams)


@given(streams_of_three, steps)
@example(
    [
        [Entry("event", 5), Entry("tick", 8), Entry("letter"), Entry("event", 9)],
        [Entry("tick", 8)],
        [Entry("tick", 30)],
    ],
    [Step((4, 1, 1), releases=True, restarts=True)],
)
def test_stopping_anywhere_and_going_on_from_the_positions_loses_nothing_and_repeats_nothing(
    streams: Streams, steps: list[Step]
) -> None:
    assert run(streams, steps) == expected(streams)


@given(streams_of_three, calm_steps)
def test_time_never_goes_back_and_what_leaves_lies_below_it_in_order(streams: Streams, steps: list[Step]) -> None:
    reader = Reader(streams)
    left: list[tuple[Millis, int, int]] = []
    for limits, *_ in steps:
        before = reader.merge.watermark or 0
        reader.read(limits)
        after = reader.merge.watermark or 0
        assert before <= after
        released = reader.merge.release()
        assert all(before <= timed.key < after for timed in released)
        left += [timed[:3] for timed in released]
    assert all(one < other for one, other in pairwise(left))
