"""Tastes: shares by dimension, of many actions, in whole numbers, in a bounded room."""

from random import Random

from xxhash import xxh3_64_intdigest

from agents.gender.tastes import BUCKETS, MIN_ACTIONS, tastes_of
from schemas.events import AnyEvent, Item
from tests.agents.drive import Story, click, day, order, profile


def bucket(text: str) -> int:
    return xxh3_64_intdigest(text.encode()) % BUCKETS


def story_of(*events: AnyEvent) -> Story:
    story = Story()
    story.apply(*events)
    return story


def test_tastes_are_thousandths_of_the_actions_in_each_dimension() -> None:
    things = [{"category": "shoes", "channel": "app"}] * 6 + [{"category": "tea", "brand": "Bolt", "price": 5}] * 14
    clicks = [click(day(0, number), f"{number}", **thing) for number, thing in enumerate(things)]
    assert tastes_of(story_of(*clicks).row()) == {
        bucket("category=shoes"): 300,
        bucket("category=tea"): 700,
        bucket("brand=Bolt"): 1000,
        bucket("channel=app"): 1000,
        bucket("price_band=3"): 1000,
        bucket("hour=0"): 1000,
    }


def test_of_few_actions_nothing_is_made_and_logins_are_none() -> None:
    logins = [profile(day(0, number), f"p{number}", kind="login") for number in range(MIN_ACTIONS)]
    clicks = [click(day(1, number), f"{number}") for number in range(MIN_ACTIONS)]
    assert tastes_of(story_of(*logins, *clicks[1:]).row()) is None
    assert tastes_of(story_of(*logins, *clicks).row()) == {bucket("hour=0"): 1000}


def test_the_order_in_which_things_were_seen_makes_no_difference() -> None:
    clicks = [click(day(0), f"{number}", category=f"c{number % 7}", brand=f"b{number % 4}") for number in range(40)]
    found = tastes_of(story_of(*clicks).row())
    Random(1).shuffle(clicks)  # noqa: S311  an order, no secret
    again = tastes_of(story_of(*clicks).row())
    assert list((again or {}).items()) == list((found or {}).items())


def test_what_is_taken_fits_however_much_was_seen() -> None:
    story = story_of(
        *(
            order(day(number / 50), f"{number}", order_id=f"{number}", items=items(number), channel=f"ch{number}")
            for number in range(400)
        )
    )
    found = tastes_of(story.row())
    assert found is not None
    assert max(found) < BUCKETS
    assert all(type(share) is int and 0 < share <= 5000 for share in found.values())


def items(number: int) -> list[Item]:
    return [Item(item_id=f"{k}", category=f"{number}-{k}", brand=f"{number + k}", price=2**k) for k in range(5)]
