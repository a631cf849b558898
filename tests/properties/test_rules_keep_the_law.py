"""The law for the tags of rules: at the end of every day, and now, each has the value that sorted events give it.

```
                day             day              day      watermark
sorted       a   |     b c   b   |  d             |         e |
storm        a   |     b c   b   |                |   d     e |     the same at each of these lines
```
"""

from random import Random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.partition import Partition
from agents.rules.rulebook import Rulebook
from app.rules_file import read_rules
from schemas.decode import decode
from schemas.events import AnyEvent, order_key
from schemas.times import DAY_MS
from tables.table import Table
from tests.oracle import effective, follow
from tests.properties.test_rows_are_order_free import recut
from tests.properties.test_the_law import drive, limits_of, said_by
from tests.storms import Storm, encode, storms

RULES: Final[Rulebook] = read_rules(b"""
[[tag]]
name = "cart.abandoned"
when = "cart_items > 0"  # rows do not remember former words on an item (docs/semantics.md, "As of a midnight")
enabled = false

[[tag]]
name = "often"
when = "clicks(2d) >= 2 or orders(3d) >= 2"

[[tag]]
name = "spent"
values = [{ value = "much", when = "spend(7d) >= 30" }, { value = "some", when = "spend() > 0" }]
else = "nothing"

[[tag]]
name = "quiet"
when = "days_since(last_activity) >= 2 and not (hours_since(last_activity) > 100)"

[[tag]]
name = "state"
value = "tag('lifecycle')"

[[tag]]
name = "warm"
score = "clicks(30d) + 2 * orders(30d)"
bands = [{ value = "cold", below = 2 }, { value = "mild", below = 5 }, { value = "hot" }]
hysteresis = 1.5

[[tag]]
name = "short"
when = "clicks(60d) >= 2"
ttl = "36h"

[[tag]]
name = "choice.first"
when = "tag('warm') == 'hot'"
group = "choice"
priority = 2

[[tag]]
name = "choice.second"
when = "clicks() > 0"
group = "choice"
priority = 1
""")

Values = dict[str, dict[str, list[Any]]]
"""By user and tag: the value at each instant."""


def in_order(storm: Storm) -> list[dict[str, object]]:
    """What is said if all events come sorted, in one partition."""
    events: list[AnyEvent] = [decode(encode(record)) for record in storm.all_arrivals()]  # type: ignore[misc]  # a storm has no ticks here
    partition = Partition(0, limits_of(storm), Table(), rulebook=RULES)
    for event in sorted(events, key=order_key):
        partition.apply(event, event.ts)
    partition.advance(storm.watermark)
    return said_by([partition])


def values_at(said: list[dict[str, Any]], instants: list[int]) -> Values:
    """What the effective history makes true at each instant, of all tags that rules give."""
    found: Values = {}
    for user, tags in effective(said, RULES.names).items():
        for tag, changes in tags.items():
            line = [next((to for at, _, to in reversed(changes) if at <= each), None) for each in instants]
            if any(value is not None for value in line):
                found.setdefault(user, {})[tag] = line
    return found


def differences(found: Values, true: Values) -> dict[tuple[str, str], tuple[list[Any] | None, list[Any] | None]]:
    """What a user's tag was, and what it should have been."""
    names = {(user, tag) for values in (found, true) for user, tags in values.items() for tag in tags}
    pairs = {(user, tag): (found.get(user, {}).get(tag), true.get(user, {}).get(tag)) for user, tag in sorted(names)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def instants_of(storm: Storm) -> list[int]:
    """The end of every day of the storm, and of the storm."""
    first = min((decode(encode(record)).ts for record in storm.all_arrivals()), default=storm.until)
    return [*range((first // DAY_MS + 1) * DAY_MS - 1, storm.watermark, DAY_MS), storm.watermark - 1]


@settings(max_examples=100, deadline=None)
@given(storms(erasing=False), st.randoms(use_true_random=False))
def test_whatever_the_order_of_arrival_and_the_chunks_each_tag_has_the_same_value_at_the_end_of_every_day(
    storm: Storm, random: Random
) -> None:
    instants = instants_of(storm)
    true = values_at(in_order(storm), instants)
    for each in (storm, recut(storm, random)):
        said = said_by(drive(each, rulebook=RULES))
        assert differences(values_at(said, instants), true) == {}


@settings(max_examples=100, deadline=None)
@given(storms())
def test_who_only_follows_from_and_to_is_never_led_astray(storm: Storm) -> None:
    said = said_by(drive(storm, rulebook=RULES))
    followed = follow(said, RULES.names)
    for user, tags in effective(said, RULES.names).items():
        for tag, changes in tags.items():
            assert followed[user][tag] == changes[-1][2]
