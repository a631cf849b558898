"""What the oracle says depends on arrival order for erasures only, and may stand as a record of changes."""

from itertools import count
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import History, Wire, effective, follow, history, instant, living, nameless, without_copies
from tests.storms import Storm, storms


def sorted_by_key(events: list[Wire]) -> list[Wire]:
    """By (ts, event_id, type), with an erasure last in its millisecond."""
    return sorted(events, key=lambda e: (instant(e), e.get("kind") == "erased", e["event_id"], e["type"]))


def as_records(told: History) -> list[Wire]:
    number = count()
    return [
        {"id": f"{next(number)}", "user_id": user, "tag": tag, "at": at, "from": before, "to": after}
        for user, tags in told.items()
        for tag, changes in tags.items()
        for at, before, after in changes
    ]


@given(storms(erasing=False), st.randoms(use_true_random=False))
def test_without_erasures_arrival_order_does_not_matter(storm: Storm, random: Random) -> None:
    arrivals = storm.all_arrivals()
    shuffled = random.sample(arrivals, len(arrivals))
    assert history(shuffled, storm.watermark, storm.limits) == history(arrivals, storm.watermark, storm.limits)


@given(storms())
def test_with_erasures_sorting_the_living_changes_nothing_but_forgotten_names(storm: Storm) -> None:
    alive: list[Wire] = []
    for user in {event["user_id"] for event in storm.all_arrivals()}:
        of_user = living(without_copies([e for e in storm.all_arrivals() if e["user_id"] == user]))
        alive += [] if any(nameless(of_user)) else of_user
    in_order = history(sorted_by_key(alive), storm.watermark, storm.limits)
    assert in_order == history(alive, storm.watermark, storm.limits)


@given(storms())
def test_the_oracle_says_what_may_be_said(storm: Storm) -> None:
    told = history(storm.all_arrivals(), storm.watermark, storm.limits)
    records = as_records(told)
    assert effective(records) == told
    assert follow(records) == {
        user: {tag: changes[-1][2] for tag, changes in tags.items()} for user, tags in told.items()
    }
