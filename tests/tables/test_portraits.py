"""The portrait as it was before each of the last days: whatever the order of arrival, and bounded."""

from itertools import permutations

import msgspec
import pytest

from schemas.times import DAY_MS, NEVER
from tables.action import ACTIVE, HOUR, Action
from tables.portrait import KEPT_VALUES, MAX_VALUES, Portrait
from tables.portraits import FEW_VALUES, MAX_BYTES, MAX_KEPT_BYTES, MAX_LOG, RECENT_DAYS, Portraits

BLOCK = 30


def look(day: float, category: str) -> Action:
    return Action(int(day * DAY_MS), ACTIVE | HOUR, category=category)


def after(*actions: Action) -> Portraits:
    portraits = Portraits()
    for action in actions:
        portraits.add(action)
    return portraits


def seen(portraits: Portraits, day: int) -> dict[object, float]:
    """How often each category came before a midnight, in one block."""
    portrait = portraits.before(day * DAY_MS)
    return {category: weight / portrait.unit for category, weight in portrait.category.weights.items()}


# day      100   101   102   103   104
#          a     b           c     d e     in any order of arrival; some are counted before the others have come
@pytest.mark.parametrize("early", range(MAX_LOG))
def test_as_of_a_midnight_there_is_what_came_before_it(early: int) -> None:
    for order in permutations([look(100, "a"), look(101, "b"), look(103, "c"), look(104, "d")]):
        portraits = after(*[look(100, "a")] * early, *order, *[look(104, "e")] * MAX_LOG)
        assert [set(seen(portraits, day)) for day in range(100, 106)] == [
            set(known) for known in ("", "a", "ab", "ab", "abc", "abcde")
        ]
        assert [seen(portraits, day)["a"] for day in range(101, 106)] == [early + 1] * 5


def test_what_came_long_ago_counts_as_before_every_midnight_that_can_be_asked() -> None:
    days = range(200, 200 + 3 * MAX_LOG)
    portraits = after(*(look(day, "a") for day in days))
    newest = days[-1]
    midnights = range(newest - RECENT_DAYS, newest + 2)
    known = [portraits.before(day * DAY_MS).category.observed for day in midnights]
    assert known == [len([day for day in days if day < midnight]) for midnight in midnights]


# block    1000 1010      1018  1038 1039     by twos, until what is 20 to 29 blocks old weighs nothing
def test_weights_halve_with_each_block_until_nothing_is_left() -> None:
    blocks = (1_000, 1_010, 1_018, 1_038, 1_039)
    weights = (
        after(*(look(block * BLOCK, str(block)) for block in blocks for _ in range(5))).before(NEVER).category.weights
    )
    assert [weights.get(str(block), 0) / weights["1039"] for block in blocks] == [0, 2.0**-29, 2.0**-21, 0.5, 1]
    later = after(*(look(block * BLOCK, str(block)) for block in (*blocks, 1_040))).before(NEVER).category
    assert set(later.weights) == {"1038", "1039", "1040"}


def test_a_life_from_1970_to_2100_is_no_trouble() -> None:
    portraits = after(*(look(day, str(day % 3)) for day in range(1, 47_000, 350)))
    portrait = portraits.before(NEVER)
    assert portrait.category.observed == 135
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(portrait), type=Portrait) == portrait


def test_of_many_values_the_greatest_stay_and_the_others_still_count_in_the_whole() -> None:
    often = [look(100, f"often{number:02}") for number in range(KEPT_VALUES) for _ in range(2)]
    rarely = [look(100, f"rare{number:02}") for number in range(MAX_VALUES - KEPT_VALUES + MAX_LOG)]
    interest = after(*often, *rarely).before(NEVER).category
    assert {name for name in interest.weights if str(name).startswith("often")} == {each.category for each in often}
    assert len(interest.weights) <= MAX_VALUES
    assert (sum(interest.weights.values()) + interest.lost) / 2 == interest.observed == len(often) + len(rarely)


def test_the_greatest_portrait_is_bounded() -> None:
    wide = "\U0001f600" * 60
    portraits = Portraits()
    for number in range(1_000):
        label = f"{number:03}{wide}"
        portraits.add(Action(number * DAY_MS // 7, ACTIVE | HOUR, label, label, label, 3))
    assert len(portraits.packed_counted or b"") <= MAX_BYTES
    assert sum(map(len, portraits.kept.values())) <= MAX_KEPT_BYTES + MAX_BYTES
    assert FEW_VALUES <= len(portraits.counted.brand.weights) <= MAX_VALUES
