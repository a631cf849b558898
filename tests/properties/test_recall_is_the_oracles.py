"""Where nothing comes late: what campaigns decide is the oracle's, and the ledger is what a recount finds."""

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import Wire
from tests.recall_oracle import Told, User
from tests.recall_recount import recounted
from tests.recall_storms import Plot, World, parsed, played, plots, windows
from tests.storms import TOPICS


def told_by(world: World) -> dict[str, Counter[Told]]:
    """What was decided of each user, with what the trigger says beyond it."""
    sent = [trigger for trigger in world.triggers if not trigger["rev"]]
    offers = {trigger["id"]: (trigger["offer"], trigger["expires_at"]) for trigger in sent}
    found: dict[str, Counter[Told]] = {}
    for each in world.decisions:
        offer, expires_at = offers[each["id"]] if each["outcome"] == "triggered" else (None, None)
        told = Told(
            each["campaign"], each["cause"], each["at"], each["outcome"], tuple(each["reasons"]), each["variant"],
            each["recall_channel"], each.get("until"), offer, expires_at,
        )  # fmt: skip
        found.setdefault(each["user_id"], Counter())[told] += 1
    return found


def expected(world: World) -> dict[str, Counter[Told]]:
    file, events = parsed(world.file), world.events()
    until = world.watermark
    told = {
        user: User(user, file).live(
            [each for each in events if each["user_id"] == user],
            [each for each in world.changes if each["user_id"] == user],
            until,
        )
        for user in {event["user_id"] for event in events}
    }
    return {user: Counter(each) for user, each in told.items() if each}


def recount(world: World) -> dict[tuple[int, str, str, str, str], int]:
    until = world.watermark
    return recounted(world.events(), world.decisions, world.triggers, windows(world.file), until)


@settings(max_examples=250, deadline=None)
@given(plots())
def test_decisions_are_the_oracles_and_the_ledger_is_what_a_recount_finds(plot: Plot) -> None:
    world = played(plot)
    assert not any(partition.dead_letters for partition in world.all)
    assert told_by(world) == expected(world)
    assert world.ledger() == recount(world)


@settings(max_examples=100, deadline=None)
@given(plots(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_chunks_restarts_and_partitions_make_no_difference(plot: Plot, random: Random, partitions: int) -> None:
    """The reports are given as they were in the first run: their ids must come out the same."""
    first = played(plot)
    other = World(plot.file, partitions)
    lanes = {
        (number, topic): [
            each for each in first.arrived[0, topic] if each["type"] == "tick" or other.home(each["user_id"]) == number
        ]
        for number in range(partitions)
        for topic in TOPICS
    }
    feed(other, lanes, random)
    assert {each["id"]: each for each in other.decisions} == {each["id"]: each for each in first.decisions}
    assert len(other.decisions) == len(first.decisions)
    assert sorted(map(repr, other.triggers)) == sorted(map(repr, first.triggers))
    assert other.ledger() == first.ledger()


def feed(world: World, lanes: dict[tuple[int, str], list[Wire]], random: Random) -> None:
    """Give the lanes in chunks, without most of their ticks, with epochs and restarts in between."""
    lanes = {
        lane: [each for each in records[:-1] if each["type"] != "tick" or random.random() < 0.2] + records[-1:]
        for lane, records in lanes.items()
    }
    start = dict.fromkeys(lanes, 0)
    while left := [lane for lane in lanes if start[lane] < len(lanes[lane])]:
        lane = random.choice(left)
        stop = start[lane] + random.choice((1, 1, 2, 5, 30))
        world.take(*lane, lanes[lane][start[lane] : stop])
        start[lane] = stop
        if random.random() < 0.1:
            world.restart()
        elif random.random() < 0.2:
            world.harvest()
    world.harvest()
