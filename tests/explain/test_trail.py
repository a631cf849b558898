"""The trail: the newest events of each kind, the first ones, and how many there were."""

from app.explain.trail import NEWEST, Behind, Trail
from schemas.events import AnyEvent
from schemas.times import DAY_MS
from tests.agents.drive import cart, click, day, erased, order

CLICKS = Behind(lambda mark: mark.type == "click")
ORDERS = Behind(lambda mark: mark.type == "order")
FIRST = Behind(lambda mark: mark.is_activity, only_first=True)


def trail_of(*events: AnyEvent) -> Trail:
    trail = Trail()
    for event in events:
        trail.add(event)
    return trail


def test_the_newest_five_are_kept_and_the_others_counted() -> None:
    trail = trail_of(*(click(day(number)) for number in range(8)))
    events, more = trail.behind([CLICKS])
    assert [event.ts for event in events] == [day(number) for number in (7, 6, 5, 4, 3)]
    assert more == 8 - NEWEST


def test_the_order_of_arrival_makes_no_difference() -> None:
    events = [click(day(number)) for number in range(8)]
    assert trail_of(*events).behind([CLICKS]) == trail_of(*reversed(events)).behind([CLICKS])


def test_kinds_are_told_together_in_the_order_of_time() -> None:
    trail = trail_of(click(day(1)), order(day(2)), cart(day(3)), click(day(4), action="review"))
    events, more = trail.behind([CLICKS, ORDERS])
    assert [(event.ts - day(0)) // DAY_MS for event in events] == [4, 2, 1]
    assert more == 0


def test_an_event_behind_two_things_is_counted_once() -> None:
    trail = trail_of(*(click(day(number), brand="b") for number in range(6)))
    assert trail.behind([CLICKS, Behind(lambda mark: "brand" in mark.told)]).more == 1


def test_only_the_first_is_told_where_only_the_first_counts() -> None:
    trail = trail_of(*(click(day(number)) for number in range(8)))
    events, more = trail.behind([FIRST])
    assert [event.ts for event in events] == [day(0)]
    assert more == 0


def test_the_first_has_room_among_the_newest() -> None:
    trail = trail_of(*(click(day(number)) for number in range(8)))
    events, more = trail.behind([FIRST, CLICKS])
    assert [event.ts for event in events] == [day(number) for number in (7, 6, 5, 4, 0)]
    assert more == 3


def test_what_came_before_an_erasure_is_forgotten() -> None:
    trail = trail_of(click(day(1)), erased(day(2)), click(day(3)))
    assert [event.ts for event in trail.behind([CLICKS]).events] == [day(3)]


def test_nothing_is_behind_what_nobody_did() -> None:
    assert trail_of().behind([CLICKS, FIRST]) == ([], 0)
