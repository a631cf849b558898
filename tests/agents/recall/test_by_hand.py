"""Campaigns by hand: runs come to every user once, whatever is restarted when; who is paused is silent."""

import random
from typing import Final

import msgspec
import pytest

from agents.partition import SLICE
from agents.recall.by_hand import AT_EASE, MOST, OVER_KEPT
from schemas.control import Pause, Resume, Run, Told
from schemas.times import DAY_MS
from schemas.topics import INPUT_TOPICS
from tables.changelog import Marker, State, marker_record, read_marker
from tests.agents.recall.shop import Shop
from tests.live.desk import CLICKS, click, day, tick

MANY: Final = [f"u{number:03}" for number in range(3 * AT_EASE + 7)]
RUN: Final = Run("r1", "word", day(1))


def shop_of(*users: str, partitions: int = 1) -> Shop:
    shop = Shop(partitions)
    shop.come(*users, at=0)
    shop.write()
    return shop


def finish(shop: Shop, at: float = 2.0) -> None:
    """Let all runs come to their ends, and time to behind what they decide."""
    for _ in range(100):
        shop.work()
        shop.write()
    shop.until(day(at))
    shop.write()


def triggered(*users: str) -> list[str]:
    return [f"{user}: triggered" for user in users]


def test_a_run_comes_to_every_user_in_order_so_many_an_epoch() -> None:
    shop = shop_of(*reversed(MANY))
    shop.tell(RUN)
    for expected in (AT_EASE, 2 * AT_EASE, 3 * AT_EASE):
        shop.work()
        run = shop.runs()["r1"]
        assert (run.users, run.cursor, run.is_over) == (expected, MANY[expected - 1], False)
        assert shop.partition.by_hand.left(run) == len(MANY) - expected
    shop.work()
    run = shop.runs()["r1"]
    assert (run.users, run.is_over, shop.partition.by_hand.left(run)) == (len(MANY), True, 0)
    assert not run.cursor, "a user's id stays in the marker"
    finish(shop)
    assert shop.decided("word") == triggered(*MANY)
    assert {each.cause for each in shop.decisions if each.campaign == "word"} == {"run:r1"}
    assert {each.at for each in shop.decisions if each.campaign == "word"} == {day(0, 2)}


@pytest.mark.parametrize("seed", range(20))
def test_crashes_at_any_point_leave_no_user_out_and_none_is_asked_twice(seed: int) -> None:
    fate = random.Random(seed)  # noqa: S311  repeatable
    shop = shop_of(*MANY)
    shop.tell(RUN)
    now = 0.0
    for _ in range(40):
        step = fate.choice(("work", "work", "time", "write", "write", "crash"))
        if step == "work":
            shop.work()
        elif step == "write":
            shop.write()
        elif step == "crash":
            shop.crash()
        else:
            shop.until(day(now := now + 0.01))
    finish(shop)
    assert sorted(shop.decided("word")) == triggered(*MANY)
    assert len({each.id for each in shop.decisions}) == len(shop.decisions)
    assert shop.runs()["r1"].users == len(MANY)


def test_who_comes_or_does_something_while_it_runs_gets_one_decision_at_the_most() -> None:
    shop = shop_of(*MANY)
    shop.tell(RUN)
    shop.work()
    shop.come("a", "z", MANY[0], MANY[-1], at=0.5)
    shop.write()
    shop.crash()
    finish(shop)
    decided = shop.decided("word")
    assert len(set(decided)) == len(decided)
    assert set(triggered(*MANY)) <= set(decided) <= set(triggered(*MANY, "z"))


def test_a_second_record_of_a_run_starts_nothing() -> None:
    shop = shop_of("a", "b")
    shop.tell(RUN, RUN)
    finish(shop)
    shop.tell(RUN)
    shop.crash()
    finish(shop, 3)
    assert shop.decided("word") == triggered("a", "b")


def test_a_campaign_that_waits_for_a_change_may_be_run_too_and_says_so() -> None:
    shop = shop_of("a")
    shop.tell(Run("r1", "welcome", day(1)))
    finish(shop)
    assert [(each.campaign, each.reason) for each in shop.triggers] == [
        ("welcome", "lifecycle: active"),
        ("welcome", "run"),
    ]


def test_runs_that_are_over_are_forgotten_in_time_and_never_begin_again() -> None:
    shop = shop_of("a")
    for number in range(OVER_KEPT + 5):
        shop.tell(Run(f"r{number}", "word", day(1)))
        finish(shop, 2 + number)
    assert list(shop.runs()) == [f"r{number}" for number in range(5, OVER_KEPT + 5)]
    shop.crash()
    finish(shop, 50)
    assert len(shop.decided("word")) == OVER_KEPT + 5


def test_two_runs_go_side_by_side() -> None:
    shop = shop_of(*MANY)
    shop.tell(RUN, Run("r2", "other", day(1)))
    shop.work()
    assert [run.users for run in shop.runs().values()] == [AT_EASE, AT_EASE]
    finish(shop)
    assert len(shop.decided("word")) == len(shop.decided("other")) == len(MANY)


def test_a_pace_is_shared_by_the_partitions_and_what_is_less_than_a_user_is_put_by() -> None:
    shop = shop_of(*MANY, partitions=4)
    shop.tell(Run("r1", "word", day(1), pace=10.0))
    users = []
    for _ in range(8):
        shop.work(0.1)
        users.append(shop.runs()["r1"].users)
    assert users == [0, 0, 0, 1, 1, 1, 1, 2]


def test_an_epoch_that_comes_late_does_not_make_up_for_more_than_a_second() -> None:
    shop = shop_of(*MANY)
    shop.tell(Run("r1", "word", day(1), pace=20.0))
    shop.work(3600)
    assert shop.runs()["r1"].users == 20


def test_no_pace_takes_more_than_a_slice_may() -> None:
    shop = shop_of(*[f"u{number:04}" for number in range(2 * MOST)])
    shop.tell(Run("r1", "word", day(1), pace=1e9))
    shop.work(1)
    assert shop.runs()["r1"].users == MOST


def test_who_is_paused_says_so_and_goes_on_when_resumed() -> None:
    shop = shop_of("a")
    shop.tell(Pause("welcome", day(1)))
    shop.work()
    shop.come("b", at=1)
    shop.tell(Resume("welcome", day(2)))
    shop.work()
    shop.come("c", at=2)
    shop.write()
    assert shop.decided("welcome") == ["a: triggered", "b: paused", "c: triggered"]


def test_a_pause_outlives_a_crash_also_without_the_topic() -> None:
    shop = shop_of("a")
    shop.tell(Pause("welcome", day(1)))
    shop.work()
    shop.write()
    shop.told.clear()
    shop.crash()
    shop.come("b", at=1)
    shop.write()
    assert shop.decided("welcome") == ["a: triggered", "b: paused"]
    assert shop.partition.by_hand.control.paused == {"welcome": day(1)}


def test_a_pause_that_was_not_written_is_heard_again_after_a_crash() -> None:
    shop = shop_of("a")
    shop.tell(Pause("welcome", day(1)))
    shop.work()
    shop.crash()
    shop.work()
    shop.come("b", at=1)
    shop.write()
    assert shop.decided("welcome") == ["a: triggered", "b: paused"]


def test_a_run_of_a_paused_campaign_stands_still_and_goes_on_where_it_was() -> None:
    shop = shop_of(*MANY)
    shop.tell(RUN)
    shop.work()
    shop.until(day(0.1))
    shop.write()
    there = shop.runs()["r1"].users
    shop.tell(Pause("word", day(1)))
    for _ in range(5):
        shop.work()
        shop.write()
        shop.crash()
    assert shop.runs()["r1"].users == there
    shop.tell(Resume("word", day(2)))
    finish(shop)
    assert sorted(shop.decided("word")) == triggered(*MANY)


def test_a_run_waits_until_it_is_known_what_time_it_is() -> None:
    shop = Shop()
    for number in range(2 * SLICE):
        shop.send(CLICKS, click(day(0), f"u{number}"))
    for topic in INPUT_TOPICS:
        shop.send(topic, tick(day(1)))
    shop.tell(RUN)
    shop.partition.by_hand.take(shop.told)
    assert not shop.partition.run()
    shop.partition.run_campaigns(0.1)
    assert (shop.partition.watermark, shop.runs()["r1"].users, shop.runs()["r1"].is_over) == (0, 0, False)
    shop.work()
    assert shop.runs()["r1"].users == AT_EASE


def test_a_run_where_nobody_is_known_is_over_at_once() -> None:
    shop = Shop()
    shop.tell(RUN)
    shop.work()
    assert shop.runs()["r1"].is_over


def test_a_campaign_that_has_left_the_file_says_so_of_every_user() -> None:
    shop = shop_of("a", "b")
    shop.tell(Run("r1", "gone", day(1)))
    finish(shop)
    assert shop.decided("gone") == ["a: outdated", "b: outdated"]


def test_who_was_erased_is_passed_over() -> None:
    shop = shop_of("a", "b")
    erasure = b'{"type":"profile","event_id":"x","user_id":"a","ts":%d,"kind":"erased"}' % day(0, 2)
    shop.send("events.profile", erasure)
    shop.until(day(0.1))
    shop.tell(RUN)
    finish(shop)
    assert shop.decided("word") == ["b: triggered"]
    assert shop.runs()["r1"].users == 1


def test_a_record_that_nobody_can_read_is_passed_over_once() -> None:
    shop = shop_of("a")
    shop.told.append(Told(0, None))
    shop.tell(Pause("word", day(1)))
    shop.work()
    assert (shop.partition.by_hand.control.position, list(shop.partition.by_hand.control.paused)) == (2, ["word"])


def test_a_marker_of_before_there_were_commands_still_loads() -> None:
    state = State(positions={}, watermark=DAY_MS, census={}, counters={})
    _, value = marker_record(Marker(generation=1, epoch=1, state=state))
    old = msgspec.json.decode(value or b"")
    del old["state"]["control"]
    assert read_marker(msgspec.json.encode(old)).state == state
