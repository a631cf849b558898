"""The population of every tag by day: counted as changes come, it is what their effective history tells."""

from collections import Counter

from hypothesis import given, settings

from app.population import LIFECYCLES, STATES, Population
from app.tag_moves import Key, key_of
from schemas.changes import TagChange
from schemas.times import DAY_MS
from tests.oracle import History, effective
from tests.properties.test_rules_keep_the_law import RULES
from tests.properties.test_the_law import drive, said_by
from tests.storms import Storm, storms


def users_at(told: History, tag: str, end: int) -> Counter[Key]:
    """Users by value just before a time."""
    values = [[to for at, _, to in tags.get(tag, []) if at < end] for tags in told.values()]
    return Counter(key_of(past[-1]) for past in values if past and past[-1] is not None)


@settings(max_examples=100, deadline=None)
@given(storms())
def test_every_day_of_every_tag_is_the_count_of_the_effective_histories(storm: Storm) -> None:
    partitions = drive(storm, rulebook=RULES)
    said: list[TagChange] = [change for partition in partitions for change in partition.table.changes]
    population = Population(RULES.names)
    for change in said:
        population.add(change)
    by_hand = {change.tag for change in said} - RULES.names - {*LIFECYCLES}
    told = effective(said_by(partitions), {*RULES.names, *LIFECYCLES, *by_hand})
    assert population.tags.keys() == RULES.names | by_hand
    for tag, moves in population.tags.items():
        days = moves.days(storm.until)
        keys = list(moves.users())
        for day, *counts in zip(days, *moves.by_day(keys, days), strict=True):
            found = {key: count for key, count in zip(keys, counts, strict=True) if count}
            assert found == users_at(told, tag, (day + 1) * DAY_MS)
    for tag in LIFECYCLES:
        assert population.states(tag) == {state: users_at(told, tag, 2**62)[key_of(state)] for state in STATES}
