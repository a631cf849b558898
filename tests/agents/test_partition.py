"""A partition: payloads in, in each topic's order; changes, dead letters and counters out, as time goes on.

In the timelines `o` is an event, `T` a tick, `W` the watermark: the least bound over all topics.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from agents.limits import DEFAULT_LIMITS
from agents.partition import Counters, Partition
from schemas.changes import LIFECYCLE
from schemas.times import DAY_MS, Millis
from schemas.topics import INPUT_TOPICS
from tables.arrivals import CAPACITY
from tables.codec import encode
from tables.table import Table
from tests.agents.drive import LATENESS, Story, about_any, click, day, erased, line, order, profile, tag

CLICKS: Final = "events.click"


def record(kind: str, at: Millis, event_id: str = "e", **fields: Any) -> dict[str, Any]:
    subject = {"click": {"item_id": "i"}, "order": {"order_id": "o"}}.get(kind, {})
    return {"type": kind, "event_id": event_id, "user_id": "u", "ts": at, **subject, **fields}


def tick(at: Millis) -> dict[str, Any]:
    return {"type": "tick", "ts": at}


class Feed:
    """A partition and the next offset of each of its topics."""

    def __init__(self, number: int = 0) -> None:
        self.partition = Partition(number, DEFAULT_LIMITS, Table())
        self._offsets = dict.fromkeys(INPUT_TOPICS, 0)
        self._said = 0

    def take(self, topic: str, *payloads: dict[str, Any] | bytes | None) -> None:
        chunk = [json.dumps(each).encode() if isinstance(each, dict) else each for each in payloads]
        self.partition.take(topic, enumerate(chunk, self._offsets[topic]))
        self._offsets[topic] += len(chunk)

    def tick(self, at: Millis, topics: Sequence[str] = tuple(INPUT_TOPICS)) -> list[str]:
        """Tick some topics, and run."""
        for topic in topics:
            self.take(topic, tick(at))
        return self.run()

    def run(self) -> list[str]:
        while not self.partition.run():
            pass
        changes = self.partition.table.changes[self._said :]
        self._said += len(changes)
        return [line(change) for change in changes]

    @property
    def dead(self) -> list[tuple[str, int, str]]:
        return [(letter.topic, letter.offset, letter.reason) for letter in self.partition.dead_letters]


OTHERS: Final = tuple(topic for topic in INPUT_TOPICS if topic != CLICKS)


# clicks     --o-----------
# orders     ------------T-        W comes with the last of the six topics
def test_nothing_is_applied_before_every_topic_has_said_something() -> None:
    feed = Feed()
    feed.take(CLICKS, record("click", day(0)), tick(day(1)))
    assert feed.tick(day(1), OTHERS[:-1]) == []
    assert len(feed.tick(day(1), OTHERS[-1:])) == 2


def test_an_event_waits_until_the_watermark_is_past_it() -> None:
    feed = Feed()
    feed.take(CLICKS, record("click", day(0)))
    feed.tick(day(0, -1))
    assert feed.partition.counters.applied == 0
    feed.tick(day(0), OTHERS)
    assert feed.partition.counters.applied == 0
    feed.take(CLICKS, record("click", day(0, 1), "next"))
    feed.run()
    assert feed.partition.counters.applied == 1


# day        0                            30
# clicks     o----------------------------T        a tick at T says that all up to T has come: due at T is said
def test_a_tick_at_the_due_time_makes_it_said_and_one_a_millisecond_before_does_not() -> None:
    feed = Feed()
    feed.take(CLICKS, record("click", day(0), "c"))
    assert about_any(feed.tick(day(30, -1))) == ["1 lifecycle: null -> active at 0d (click:c)"]
    assert feed.tick(day(30)) == ["3 lifecycle: active -> silent at 30d (timer)"]


# day        0                            30
# clicks     o----------------------------o        at the due time, in time: the timer finds a later due time
def test_an_event_at_the_due_time_comes_before_the_timer() -> None:
    feed = Feed()
    feed.take(CLICKS, record("click", day(0), "a"), record("click", day(30), "b"))
    assert len(feed.tick(day(30))) == 2
    assert feed.tick(day(60, -1)) == []
    assert feed.tick(day(60)) == ["3 lifecycle: active -> silent at 60d (timer)"]


# clicks     1---------3----T
# orders     -----2---------T       read one topic after the other, applied in the order of time
def test_topics_are_merged_by_time() -> None:
    feed = Feed()
    feed.take("events.order", record("order", day(2), "o2"))
    feed.take(CLICKS, record("click", day(1), "c1"), record("click", day(3), "c3"))
    feed.tick(day(4))
    assert feed.partition.counters == Counters(applied=3)
    assert [change.cause for change in feed.partition.table.changes] == ["click:c1", "click:c1", "order:o2"]


def test_chunks_of_one_and_of_all_say_the_same() -> None:
    records = [record("click", day(35 * n), f"{n}") for n in range(5)] + [record("click", day(135), "late")]
    one, all_ = Feed(), Feed()
    for each in records:
        one.take(CLICKS, each)
    all_.take(CLICKS, *records)
    assert one.tick(day(300)) == all_.tick(day(300))
    assert one.partition.table.collect() == all_.partition.table.collect()


def test_timers_fire_in_the_order_of_due_time_and_user() -> None:
    story = Story()
    story.apply(*[click(day(0, ms), user_id=user) for user, ms in (("c", 0), ("b", 0), ("a", 1), ("b2", 0))])
    assert story.watermark(day(31)) == [
        "b 3 lifecycle: active -> silent at 30d (timer)",
        "b2 3 lifecycle: active -> silent at 30d (timer)",
        "c 3 lifecycle: active -> silent at 30d (timer)",
        "a 3 lifecycle: active -> silent at 30d+1ms (timer)",
    ]


# day        0         20        30        50
# activity   x---------x---------(|)-------|       the timer of 30 finds that 50 is due, and is set anew
def test_a_timer_that_finds_a_later_due_time_is_set_anew() -> None:
    story = Story()
    story.apply(click(day(0)), click(day(20)))
    assert story.watermark(day(31)) == []
    assert story.row().due == day(50)
    assert story.watermark(day(50, 1)) == ["3 lifecycle: active -> silent at 50d (timer)"]


def test_a_tag_sets_an_earlier_timer() -> None:
    story = Story()
    story.apply(click(day(0)))
    assert story.row().due == day(30)
    story.apply(tag(day(0), value=1, ttl_ms=DAY_MS))
    assert story.row().due == day(1)
    assert story.watermark(day(1, 1)) == ["4 vip: 1 -> null at 1d (timer)"]
    assert story.row().due == day(30)


def test_a_late_correction_hastens_the_timer() -> None:
    # ---o(0)---|30 silent, |60 lost W 61     late x at 55: the next due time is 85, where none was set
    story = Story()
    story.apply(order(day(0)))
    story.watermark(day(61))
    story.apply(order(day(55), "late", order_id="p"))
    assert story.row().due == day(85)


def test_stored_rows_go_on_as_if_they_had_never_been_stored() -> None:
    warm, cold = Story(), Story()
    for n, at in enumerate([0, 10, 45, 44, 130, 128, 190, 186]):
        again = order(day(at), f"{n}", order_id=f"o{n % 3}", total=1.0)
        assert warm.watermark(day(at - 1)) == cold.watermark(day(at - 1))
        assert warm.apply(again) == cold.apply(again)
        cold.cool()
    assert encode(warm.row()) == encode(cold.row())


def test_a_restored_partition_says_what_falls_due() -> None:
    story = Story()
    story.apply(click(day(0)), click(day(3), user_id="v"))
    story.cool()
    assert story.watermark(day(33, 1)) == [
        "3 lifecycle: active -> silent at 30d (timer)",
        "v 3 lifecycle: active -> silent at 33d (timer)",
    ]


def test_rows_say_nothing_of_each_other() -> None:
    story = Story()
    story.apply(click(day(0)), click(day(0), user_id="v"), erased(day(1)))
    assert not [text for text in story.watermark(day(40)) if not text.startswith("v ")]
    assert story.row("v").lifecycle.state == "silent"


def test_copies_are_ignored_and_counted() -> None:
    story = Story()
    story.apply(click(day(0), "a"), order(day(1), "a", total=5.0))
    assert story.apply(click(day(0), "a"), order(day(1), "a", total=5.0), click(day(40), "a")) == []
    assert (story.partition.counters.applied, story.partition.counters.duplicates) == (2, 3)
    assert (story.row().totals.clicks, story.row().totals.spend) == (1, 500)
    assert story.row().lifecycle.last == day(1)


def test_one_id_in_two_types_or_of_two_users_is_no_copy() -> None:
    story = Story()
    story.apply(click(day(0), "a"), order(day(0), "a"), profile(day(0), "a"), click(day(0), "a", user_id="v"))
    assert story.partition.counters == Counters(applied=4)


def test_ids_that_only_resemble_each_other_are_no_copies() -> None:
    story = Story()
    story.apply(*[click(day(0), event_id) for event_id in ("a", "A", "a ", "aa", "á", "order:a")])
    assert story.partition.counters.applied == 6


def test_a_copy_is_known_among_the_last_sixty_four_arrivals() -> None:
    story = Story()
    story.apply(*[click(day(0, n), f"{n}") for n in range(CAPACITY)])
    story.apply(click(day(0), "0"))
    assert (story.partition.counters.applied, story.partition.counters.duplicates) == (CAPACITY, 1)
    story.apply(click(day(1), "64"), click(day(0), "0"))
    assert story.row().totals.clicks == CAPACITY + 2


def test_a_copy_does_not_push_others_out() -> None:
    story = Story()
    story.apply(*[click(day(0, n), f"{n}") for n in range(CAPACITY)])
    story.apply(*[click(day(0, 63), "63")] * 10, click(day(0), "0"))
    assert story.row().totals.clicks == CAPACITY


def test_a_copy_is_known_after_the_row_was_stored() -> None:
    story = Story()
    story.apply(click(day(0), "a"))
    story.cool()
    story.apply(click(day(0), "a"))
    assert story.partition.counters.duplicates == 1


def test_how_late_events_are_is_counted() -> None:
    story = Story()
    story.apply(click(day(10)), click(day(10), "same"), click(day(9)), click(day(10) - LATENESS))
    assert story.partition.counters == Counters(applied=4, late=2)
    story.apply(click(day(10) - LATENESS - 1))
    assert story.partition.counters == Counters(applied=5, late=2, too_late=1)


# topic      ok  {  ok  5  T        what cannot be read becomes a dead letter, in its place, once
def test_what_cannot_be_read_becomes_a_dead_letter_in_its_place() -> None:
    feed = Feed(number=3)
    feed.take(CLICKS, record("click", day(0), "a"), b"{", record("click", day(1), "b"), b"5", None, tick(day(2)))
    assert feed.dead == []
    feed.tick(day(2), OTHERS)
    assert feed.dead == [(CLICKS, 1, "invalid_json"), (CLICKS, 3, "invalid_value"), (CLICKS, 4, "empty")]
    assert [letter.partition for letter in feed.partition.dead_letters] == [3, 3, 3]
    assert [letter.payload for letter in feed.partition.dead_letters] == [b"{", b"5", b""]
    assert feed.partition.counters.applied == 2


def test_dead_letters_are_said_once() -> None:
    feed = Feed()
    feed.take(CLICKS, b"{", record("click", day(0)), b"[")
    feed.tick(day(1))
    feed.tick(day(2))
    feed.run()
    assert feed.dead == [(CLICKS, 0, "invalid_json"), (CLICKS, 2, "invalid_value")]


# clicks     1-{----------T
# orders     ----2-{------T       two topics' dead letters come in the order of time as events do
def test_dead_letters_of_several_topics_keep_the_order_of_time() -> None:
    feed = Feed()
    feed.take("events.order", record("order", day(2)), b"{", record("order", day(4), "f"), b"{")
    feed.take(CLICKS, record("click", day(1)), b"{", record("click", day(3), "f"), b"{")
    feed.tick(day(5))
    assert feed.dead == [
        (CLICKS, 1, "invalid_json"),
        ("events.order", 1, "invalid_json"),
        (CLICKS, 3, "invalid_json"),
        ("events.order", 3, "invalid_json"),
    ]


def test_a_dead_letter_before_the_first_event_waits_for_nothing_but_the_watermark() -> None:
    feed = Feed()
    feed.take(CLICKS, b"{")
    feed.run()
    assert feed.dead == []
    feed.tick(day(0))
    assert feed.dead == [(CLICKS, 0, "invalid_json")]


@pytest.mark.parametrize("topic", OTHERS)
def test_an_event_in_the_topic_of_another_type_is_a_dead_letter(topic: str) -> None:
    feed = Feed()
    feed.take(topic, record("click", day(9)))
    feed.tick(day(0))
    assert feed.dead == [(topic, 0, "wrong_topic")]
    assert feed.partition.dead_letters[0].detail == f"`type`: click does not belong into {topic}"
    assert feed.partition.table.get("u") is None
    assert feed.partition.merge.watermark == day(0, 1)


def test_an_event_too_far_ahead_is_a_dead_letter_and_moves_no_time() -> None:
    ahead = day(0) + DEFAULT_LIMITS.max_ahead_ms
    feed = Feed()
    feed.take(CLICKS, record("click", day(0), "a"), record("click", ahead + 1, "b"), record("click", day(1), "c"))
    feed.tick(day(2))
    assert feed.dead == [(CLICKS, 1, "too_far_ahead")]
    assert feed.partition.counters == Counters(applied=2, dead_letters=1)


def test_an_event_just_not_too_far_ahead_is_believed() -> None:
    ahead = day(0) + DEFAULT_LIMITS.max_ahead_ms
    feed = Feed()
    feed.take(CLICKS, record("click", day(0), "a"), record("click", ahead, "b"))
    feed.tick(ahead)
    assert feed.dead == []
    assert feed.partition.counters.applied == 2


# clicks     o 0-------------o 10---o 2        8 d late for its own topic: too late; an order at 3 is not late
def test_lateness_is_measured_in_the_events_own_topic() -> None:
    feed = Feed()
    feed.take("events.order", record("order", day(3)))
    feed.take(CLICKS, record("click", day(0), "a"), record("click", day(10), "b"), record("click", day(2), "c"))
    feed.tick(day(11))
    assert feed.partition.counters.too_late == 1
    assert feed.partition.counters.applied == 4
    row = feed.partition.table.get("u")
    assert row is not None
    assert row.purchase.first == day(3)


# clicks     ---T 10---o 2        a tick raises the bound to T + 1: 8 d and a millisecond late
def test_a_tick_makes_what_comes_after_it_late() -> None:
    feed = Feed()
    feed.tick(day(10))
    feed.take(CLICKS, record("click", day(3, 1), "in-time"), record("click", day(3), "too-late", user_id="v"))
    feed.tick(day(11))
    assert (feed.partition.counters.applied, feed.partition.counters.too_late) == (1, 1)
    assert feed.partition.table.get("v") is None


def test_a_history_in_order_needs_no_merge() -> None:
    story = Story()
    story.apply(click(day(0), "c"), order(day(70), "o"))
    story.watermark(day(131))
    assert story.history["u"][LIFECYCLE] == [
        (day(0), None, "active"),
        (day(30), "active", "silent"),
        (day(60), "silent", "lost"),
        (day(70), "lost", "active"),
        (day(100), "active", "silent"),
        (day(130), "silent", "lost"),
    ]
