"""Examples for models: all users at every instant of the grid, with the labels that the events themselves tell.

```
grid        g1         g2         g3         g4
user            a  b        c                           known from g2 on; label of g2: whether c (or later) is in time
```
"""

from collections import Counter
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.churn.grid import Grid
from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from schemas.decode import decode
from schemas.events import AnyEvent, order_key
from schemas.examples import Example, Features, Label, Swept, user_key
from schemas.times import DAY_MS
from tables.table import Table
from tests.properties.test_rows_are_order_free import recut
from tests.properties.test_the_law import limits_of
from tests.storms import Storm, encode, storms

GRIDS = st.builds(
    Grid,
    st.sampled_from([DAY_MS, 7 * DAY_MS, 15 * DAY_MS]),
    st.sampled_from([1, 10 * DAY_MS, 30 * DAY_MS]),
    st.just(0),
)


def driven(storm: Storm, grid: Grid, at_most_warm: int = 0) -> list[Partition]:
    limits = replace(limits_of(storm), churn=grid)
    partitions = [Partition(number, limits, Table(at_most_warm)) for number in range(storm.partitions)]
    for number, topic, offset, payloads in storm.chunks():
        partitions[number].take(topic, enumerate(payloads, offset))
        partitions[number].run()
    for partition in partitions:
        while not partition.run():
            pass
    return partitions


def examples_of(partitions: list[Partition]) -> list[Example]:
    return [each for partition in partitions if partition.sampler for each in partition.sampler.examples]


def counted(examples: list[Example]) -> Counter[str]:
    return Counter(repr(each) for each in examples if not isinstance(each, Swept))


def activity(storm: Storm) -> dict[str, list[int]]:
    """The times of each user's activity, in order."""
    events: list[AnyEvent] = [decode(encode(each)) for each in storm.all_arrivals()]  # type: ignore[misc]  # a storm has no ticks here
    times: dict[str, list[int]] = {}
    for event in sorted(events, key=order_key):
        if event.is_activity:
            times.setdefault(event.user_id, []).append(event.ts)
    return times


def labels(storm: Storm, grid: Grid) -> set[tuple[str, int, int, bool]]:
    """Who is known at an instant, and whether they stayed away: of all instants that are settled at the end."""
    return {
        (user_key(user), as_of, span_ms, not any(as_of < ts <= as_of + span_ms for ts in times))
        for user, times in activity(storm).items()
        for span_ms in grid.spans_ms
        for as_of in range(grid.before(times[0]) + grid.every_ms, storm.watermark, grid.every_ms)
        if as_of + grid.wait_ms(span_ms) < storm.watermark
    }


@settings(max_examples=150, deadline=None)
@given(storms(erasing=False), GRIDS)
def test_everybody_gets_the_label_that_the_events_tell_once_all_of_them_have_come(storm: Storm, grid: Grid) -> None:
    grid = replace(grid, lateness_ms=storm.lateness_ms)
    examples = examples_of(driven(storm, grid))
    found = [(each.user, each.as_of, each.span_ms, each.inactive) for each in examples if isinstance(each, Label)]
    assert len(found) == len(set(found))
    known = {(each.user, each.as_of) for each in examples if isinstance(each, Features)}
    true = {label for label in labels(storm, grid) if label[:2] in known}
    assert {label for label in found if label[:2] in known} == true


@settings(max_examples=100, deadline=None)
@given(storms(), GRIDS, st.randoms(use_true_random=False))
def test_examples_are_the_same_whatever_the_chunks(storm: Storm, grid: Grid, random: Random) -> None:
    found = counted(examples_of(driven(storm, grid)))
    assert counted(examples_of(driven(recut(storm, random), grid))) == found
    assert max(found.values(), default=1) == 1


def in_order(events: list[AnyEvent], grid: Grid, until: int, slices: int | None = None) -> Partition:
    partition = Partition(0, replace(DEFAULT_LIMITS, churn=grid), Table())
    for event in events:
        partition.apply(event, event.ts)
    while not partition.advance(until + 1, slices):
        pass
    return partition


@settings(max_examples=100, deadline=None)
@given(storms(erasing=False), GRIDS, st.floats(0, 1), st.sampled_from([None, 1, 2]))
def test_no_example_knows_of_anything_that_comes_later(
    storm: Storm, grid: Grid, share: float, slices: int | None
) -> None:
    events: list[AnyEvent] = [decode(encode(each)) for each in storm.all_arrivals()]  # type: ignore[misc]  # a storm has no ticks here
    events.sort(key=order_key)
    assume(events)
    cut = int(events[0].ts + share * (events[-1].ts - events[0].ts))
    whole = examples_of([in_order(events, grid, storm.until, slices)])
    begun = examples_of([in_order([each for each in events if each.ts <= cut], grid, cut)])
    assert counted(begun) == counted([each for each in whole if _said_by(each, grid) <= cut])
    known = {(each.user, each.as_of) for each in whole if isinstance(each, Features)}
    assert known == {
        (user_key(user), as_of)
        for user, times in activity(storm).items()
        for as_of in range(grid.before(times[0]) + grid.every_ms, storm.watermark, grid.every_ms)
    }


def _said_by(example: Example, grid: Grid) -> int:
    return example.as_of + (grid.wait_ms(example.span_ms) if isinstance(example, Label) else 0)


@settings(max_examples=60, deadline=None)
@given(storms(), GRIDS, st.integers(0, 5))
def test_a_sweep_goes_on_from_where_an_epoch_ended(storm: Storm, grid: Grid, slices: int) -> None:
    limits = replace(limits_of(storm), churn=grid)
    assume(storm.partitions == 1)
    partition, found = Partition(0, limits, Table()), list[Example]()
    for number, (_, topic, offset, payloads) in enumerate(storm.chunks()):
        partition.take(topic, enumerate(payloads, offset))
        partition.run()
        if number % (slices + 1) == 0:
            epoch = partition.collect()
            found += epoch.examples
    while not partition.run():
        pass
    found += partition.collect().examples
    assert counted(found) == counted(examples_of(driven(storm, grid)))
