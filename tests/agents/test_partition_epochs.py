"""A partition as a worker drives it: in slices, by the clock on the wall, from epoch to epoch and over restarts.

In the timelines `o` is an event, `T` a tick, `W` the clock on the wall, `|` what is due.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import partition as module
from agents.limits import DEFAULT_LIMITS
from agents.partition import GRACE_MS, MAX_FUTURE_MS, SLICE, Counters, Epoch, Partition, Wall
from schemas.changes import TagChange
from schemas.partitioner import partition_of
from schemas.times import Millis
from schemas.topics import INPUT_TOPICS
from tables.changelog import State
from tables.merge import Position
from tables.table import Table
from tests.agents.drive import day
from tests.oracle import effective, history
from tests.properties.test_the_law import limits_of
from tests.storms import Storm, storms

CLICKS: Final = "events.click"
ORDERS: Final = "events.order"


def click(at: Millis, user: str = "u", event_id: str | None = None) -> bytes:
    fields = {"type": "click", "event_id": event_id or f"{at}", "user_id": user, "ts": at, "item_id": "i"}
    return json.dumps(fields).encode()


def tick(at: Millis) -> bytes:
    return b'{"type": "tick", "ts": %d}' % at


class Drive:
    """A partition, fed by hand, with or without a clock on the wall."""

    def __init__(self, number: int = 0, partitions: int = 1) -> None:
        self.partition = Partition(number, DEFAULT_LIMITS, Table(), partitions)
        self._offsets = dict.fromkeys(INPUT_TOPICS, 0)

    def take(self, topic: str, *payloads: bytes, wall: Millis | None = None) -> None:
        self.partition.take(topic, enumerate(payloads, self._offsets[topic]), wall)
        self._offsets[topic] += len(payloads)

    def tick(self, at: Millis, but: str = "") -> None:
        for topic in INPUT_TOPICS:
            if topic != but:
                self.take(topic, tick(at))

    def at(self, wall: Millis, *behind: str) -> list[str]:
        """Let the clock on the wall come to a time; the ids of what is said."""
        while not self.partition.run(Wall(wall, behind)):
            pass
        return [change.id for change in self.partition.table.take_changes()]


@pytest.mark.parametrize("user", ["u1", "用户", "a/b"])
def test_a_user_of_another_partition_is_a_dead_letter_that_says_how_to_mend_it(user: str) -> None:
    home = partition_of(user.encode(), 8)
    drive = Drive((home + 1) % 8, 8)
    drive.take(CLICKS, click(day(0), user))
    drive.tick(day(1))
    drive.partition.run()
    (letter,) = drive.partition.dead_letters
    assert (letter.reason, letter.partition) == ("wrong_partition", (home + 1) % 8)
    assert letter.detail == (
        f"user {user!r} belongs into partition {home} of 8: use user_id as the key, and the murmur2 partitioner"
    )
    assert drive.partition.counters == Counters(dead_letters=1)


def test_a_user_at_home_is_no_dead_letter() -> None:
    drive = Drive(partition_of(b"u1", 8), 8)
    drive.take(CLICKS, click(day(0), "u1"))
    drive.tick(day(1))
    drive.partition.run()
    assert drive.partition.dead_letters == []
    assert drive.partition.counters.applied == 1


def test_a_user_who_has_a_row_is_not_checked_again() -> None:
    drive = Drive(partition_of(b"u1", 8), 8)
    drive.take(CLICKS, click(day(0), "u1"))
    drive.tick(day(1))
    drive.partition.run()
    with patch.object(module, "partition_of", side_effect=AssertionError("asked again")):
        drive.take(CLICKS, click(day(2), "u1"))
        with pytest.raises(AssertionError, match="asked again"):
            drive.take(CLICKS, click(day(2), "u2"))


# clicks     o0            |30         nobody says anything any more, but W goes on: silent 5 s after 30
def test_time_goes_on_by_the_clock_on_the_wall_less_the_grace() -> None:
    drive = Drive()
    drive.take(CLICKS, click(day(0)))
    assert len(drive.at(day(0, 1))) == 2
    assert drive.at(day(30) + GRACE_MS) == []
    assert drive.at(day(30) + GRACE_MS + 1) == [f"u/lifecycle/{day(30)}/3"]
    assert drive.partition.watermark == day(30, 1)


def test_an_event_within_the_grace_is_in_time_for_a_timer() -> None:
    drive = Drive()
    drive.take(CLICKS, click(day(0)))
    drive.at(day(0, 1))
    drive.take(CLICKS, click(day(30)))
    assert drive.at(day(30) + GRACE_MS + 1) == []
    assert drive.partition.counters == Counters(applied=2)


# clicks     o0                   W40          orders are behind, and have come to 10: nothing later is said or applied
# orders     ----------T10
def test_only_topics_that_are_behind_hold_time_back() -> None:
    drive = Drive()
    drive.take(CLICKS, click(day(0)), click(day(12), "v"))
    drive.take(ORDERS, tick(day(10)))
    assert len(drive.at(day(40), ORDERS)) == 2
    assert drive.partition.watermark == day(10, 1) - GRACE_MS
    assert drive.partition.state.positions[CLICKS] == Position(1, day(0))
    assert len(drive.at(day(40))) == 3
    assert drive.partition.watermark == day(40) - GRACE_MS


def test_a_topic_that_is_behind_and_has_said_nothing_holds_everything_back() -> None:
    drive = Drive()
    drive.take(CLICKS, click(day(0)))
    assert drive.at(day(40), ORDERS) == []
    assert (drive.partition.watermark, drive.partition.counters.applied) == (0, 0)


def test_time_never_goes_back_with_the_clock_on_the_wall() -> None:
    drive = Drive()
    drive.at(day(10))
    drive.at(day(5))
    assert drive.partition.watermark == day(10) - GRACE_MS
    drive.take(CLICKS, click(day(2)))
    drive.at(day(5))
    assert drive.partition.counters == Counters(too_late=1)


def order(at: Millis, event_id: str) -> bytes:
    fields = {"type": "order", "event_id": event_id, "user_id": "u", "ts": at, "order_id": event_id}
    return json.dumps(fields).encode()


# clicks  0                            -1 s of day 0: within lateness of its own topic, but not of what has come
# orders     o1 ................ o2 (its clock is ahead), o3
@pytest.mark.parametrize("restarts", [False, True])
def test_how_late_an_event_is_follows_the_furthest_that_came_in_any_topic(*, restarts: bool) -> None:
    drive, now = Drive(), day(7)
    for at, topic, payload in (
        (day(0, 1), CLICKS, click(day(0))),
        (day(0, 3_600_000), ORDERS, order(day(0, 3_600_000), "o1")),
        (now, ORDERS, order(now + 180_000, "o2")),
        (now, ORDERS, order(now - 60_000, "o3")),
    ):
        drive.take(topic, payload, wall=at)
        drive.at(at)
    if restarts:
        rows, state = drive.partition.collect().rows, drive.partition.state
        drive.partition = Partition(0, DEFAULT_LIMITS, Table())
        drive.partition.resume(state, {user.encode(): row for user, row in rows.items() if row is not None})
    drive.take(CLICKS, click(day(0, -1_000)), wall=now)
    assert drive.at(now) == []
    assert drive.partition.counters.too_late == 1


def test_what_lies_far_in_the_future_of_the_wall_is_a_dead_letter() -> None:
    drive = Drive()
    latest = day(1) + MAX_FUTURE_MS
    drive.take(CLICKS, click(latest), click(latest + 1, "v"), tick(latest + 1), wall=day(1))
    drive.at(day(1))
    assert [(letter.offset, letter.reason) for letter in drive.partition.dead_letters] == [
        (1, "too_far_ahead"),
        (2, "too_far_ahead"),
    ]
    assert drive.partition.merge.bound_of([CLICKS]) == latest


# clicks     o x 2500, T       in slices of about a thousand; between two of them positions are of what is applied
def test_many_events_are_applied_in_slices_with_right_positions_between() -> None:
    drive = Drive()
    events = 5 * SLICE // 2
    drive.take(CLICKS, *[click(day(0, number), f"u{number % 7}") for number in range(events)])
    drive.tick(day(1))
    sizes = []
    while not drive.partition.run():
        position = drive.partition.state.positions[CLICKS]
        applied = drive.partition.counters.applied
        assert position == Position(applied, day(0, applied - 1))
        assert drive.partition.watermark == 0
        sizes.append(applied)
    assert sizes == [SLICE, 2 * SLICE]
    assert drive.partition.counters.applied == events
    assert drive.partition.state.positions[CLICKS] == Position(events + 1, day(1, 1))
    assert drive.partition.watermark == day(1, 1)


def test_events_of_one_millisecond_are_not_cut_apart() -> None:
    drive = Drive()
    drive.take(CLICKS, *[click(day(0), f"u{number}", f"{number}") for number in range(2 * SLICE)], click(day(0, 1)))
    drive.tick(day(1))
    assert not drive.partition.run()
    assert drive.partition.counters.applied == 2 * SLICE
    while not drive.partition.run():
        pass
    assert drive.partition.counters.applied == 2 * SLICE + 1


def test_many_timers_fire_in_slices() -> None:
    drive = Drive()
    users = 5 * SLICE // 2
    drive.take(CLICKS, *[click(day(0), f"u{number:05}") for number in range(users)])
    drive.tick(day(1))
    while not drive.partition.run():
        pass
    drive.partition.collect()
    drive.tick(day(31))
    said = []
    while not drive.partition.run():
        said.append(len(drive.partition.collect().changes))
    said.append(len(drive.partition.collect().changes))
    assert said == [SLICE, SLICE, users - 2 * SLICE]
    assert drive.partition.watermark == day(31, 1)
    assert drive.partition.census["lifecycle"] == {"active": 0, "silent": users}


def test_an_epoch_tells_its_rows_changes_dead_letters_and_state_once() -> None:
    drive = Drive()
    drive.take(CLICKS, click(day(0)), b"{")
    drive.tick(day(1))
    drive.partition.run()
    epoch = drive.partition.collect()
    assert list(epoch.rows) == ["u"]
    assert [change.to for change in epoch.changes] == ["active", "unactivated"]
    assert [letter.offset for letter in epoch.dead_letters] == [1]
    assert epoch.state.watermark == day(1, 1)
    assert {name: count for name, count in epoch.state.counters.items() if count} == {"applied": 1, "dead_letters": 1}
    assert epoch.state.census == {"lifecycle": {"active": 1}, "lifecycle.purchase": {"unactivated": 1}}
    assert drive.partition.collect() == Epoch({}, [], [], epoch.state)


class Restarting:
    """A partition of a storm that is now and then made anew from what its last epoch said; what waits is read again."""

    def __init__(self, storm: Storm, number: int) -> None:
        self.storm = storm
        self.number = number
        self.changes: list[TagChange] = []
        self.dead: list[Any] = []
        self.rows: dict[bytes, bytes] = {}
        self.state: State | None = None
        self.partition = self._new()
        self._read = dict.fromkeys(INPUT_TOPICS, 0)

    def _new(self) -> Partition:
        return Partition(self.number, limits_of(self.storm), Table(max_hot=1))

    def take(self, topic: str, payloads: list[tuple[int, bytes]]) -> None:
        self.partition.take(topic, [each for each in payloads if each[0] >= self._read[topic]])
        self._read[topic] = max(self._read[topic], payloads[-1][0] + 1)

    def collect(self) -> None:
        epoch = self.partition.collect()
        self.changes += epoch.changes
        self.dead += epoch.dead_letters
        for user, row in epoch.rows.items():
            if row is None:
                self.rows.pop(user.encode(), None)
            else:
                self.rows[user.encode()] = row
        self.state = msgspec.json.decode(msgspec.json.encode(epoch.state), type=State)

    def restart(self, feed: dict[str, list[bytes]]) -> None:
        """Forget all but what was collected, and read again from the positions to where one had read."""
        self.partition = self._new()
        if self.state is not None:
            self.partition.resume(self.state, self.rows)
        for topic, payloads in feed.items():
            start = self.partition.merge.next_offset(topic)
            self.partition.take(topic, list(enumerate(payloads))[start : self._read[topic]])


def chunks(storm: Storm) -> Iterator[tuple[int, str, list[tuple[int, bytes]]]]:
    for number, topic, offset, payloads in storm.chunks():
        yield number, topic, list(enumerate(payloads, offset))


def lived(storm: Storm, random: Random, *, restarts: bool, crashes: bool = False) -> list[Restarting]:
    """After each slice an epoch may end, and all may begin anew from it; after a crash from the one before."""
    parts = [Restarting(storm, number) for number in range(storm.partitions)]
    feeds: list[dict[str, list[bytes]]] = [{topic: [] for topic in INPUT_TOPICS} for _ in parts]
    for number, topic, payloads in chunks(storm):
        part = parts[number]
        feeds[number][topic] += [payload for _, payload in payloads]
        part.take(topic, payloads)
        is_done = False
        while not is_done:
            is_done = part.partition.run()
            choice = random.random()
            if choice < 0.5:
                part.collect()
            if (restarts and choice < 0.3) or (crashes and choice > 0.8):
                part.restart(feeds[number])
                is_done = False
    for part in parts:
        part.collect()
    return parts


def told(parts: list[Restarting]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = msgspec.json.decode(
        msgspec.json.encode([change for part in parts for change in part.changes])
    )
    return records


@settings(max_examples=150, deadline=None)
@given(storms(), st.integers(0, 2**32))
def test_going_on_from_state_and_rows_equals_never_having_stopped(storm: Storm, seed: int) -> None:
    one, other = (lived(storm, Random(seed), restarts=restarts) for restarts in (True, False))  # noqa: S311  repeatable
    for restarted, straight in zip(one, other, strict=True):
        assert restarted.changes == straight.changes
        assert restarted.partition.counters == straight.partition.counters
        assert restarted.partition.state == straight.partition.state
        assert restarted.rows.keys() == straight.rows.keys()
        assert restarted.dead == straight.dead


@settings(max_examples=150, deadline=None)
@given(storms(), st.integers(0, 2**32), st.integers(1, 4))
def test_slices_epochs_and_restarts_anywhere_keep_the_law(storm: Storm, seed: int, size: int) -> None:
    with patch.object(module, "SLICE", size):
        parts = lived(storm, Random(seed), restarts=True, crashes=True)  # noqa: S311  repeatable
    assert effective(told(parts)) == history(storm.all_arrivals(), storm.watermark, storm.limits)
