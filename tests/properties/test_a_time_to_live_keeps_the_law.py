"""The law for tags of rules once more, where it is hard: lives of a few days, and events that come days late.

```
day          0       1       2       3       4
sorted       a   b   |   c   | d     |  e    |
late         a       |   c   |  b    |  e d  |     the same at each of these lines
```
"""

from typing import Final

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.rules.rulebook import Rulebook
from schemas.events import AnyEvent, order_key
from schemas.rules import Band, TagRule
from schemas.times import DAY_MS, Millis
from tests.agents.drive import LATENESS, Story, click, day, order, profile
from tests.agents.rules.test_look import book
from tests.oracle import effective

BANDS: Final = [Band("cold", 2.0), Band("mild", 4.0), Band("hot")]
RULES: Final[Rulebook] = book(
    TagRule(name="today", when="clicks(1d) >= 1", ttl="36h"),
    TagRule(name="count", value="clicks(2d)", ttl="5h"),
    TagRule(name="warm", score="clicks(3d) + 2 * orders(2d)", bands=BANDS, hysteresis=1.0, ttl="60h"),
    TagRule(name="away", when="days_since(last_activity) >= 1", ttl="30h"),
    TagRule(name="same", value="tag('warm')", ttl="26h"),
    TagRule(name="first", when="tag('today') or orders(1d) >= 1", group="one", priority=2, ttl="40h"),
    TagRule(name="second", when="clicks(5d) > 1", group="one", priority=1, ttl="3d"),
    TagRule(name="daily", value="clicks(2d)", daily=True, ttl="30h"),
    TagRule(name="bought", value="orders()", daily=True),
    TagRule(name="likes", value="top(category)", ttl="49h"),
)

Arrival = tuple[Millis, AnyEvent]
"""How far time has come when the event comes."""


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """Events on a grid of quarters of days, or a millisecond beside it: half of them in time, the others late."""
    instants = st.builds(day, st.integers(0, 64).map(lambda quarters: quarters / 4), st.sampled_from((0, 0, 1, -1)))
    delays = st.sampled_from([0] * 4 + [DAY_MS // 2, 2 * DAY_MS, LATENESS - 1, LATENESS])
    kinds = st.sampled_from(("x", "y", "order", "login"))
    specs = draw(st.lists(st.tuples(instants, delays, kinds), min_size=2, max_size=12))
    found = [(at + delay, _event(at, kind, str(number))) for number, (at, delay, kind) in enumerate(specs)]
    return sorted(found, key=lambda arrival: arrival[0])


def _event(at: Millis, kind: str, event_id: str) -> AnyEvent:
    if kind == "order":
        return order(at, event_id, order_id=event_id, total=10)
    return profile(at, event_id, kind="login") if kind == "login" else click(at, event_id, category=kind)


def values_at(arrivals: list[Arrival], instants: list[Millis]) -> dict[str, list[object]]:
    """What each tag was at these instants, as its history tells in the end."""
    story = Story(rulebook=RULES)
    for now, event in arrivals:
        story.watermark(now)
        story.apply(event, now=now)
        story.cool()
    story.watermark(instants[-1] + 1)
    told = effective(msgspec.json.decode(msgspec.json.encode(story.changes)), RULES.names).get("u", {})
    return {
        tag: [next((to for at, _, to in reversed(told.get(tag, ())) if at <= each), None) for each in instants]
        for tag in RULES.names
    }


def _ordered(*instants: tuple[float, float]) -> list[Arrival]:
    """An order for each (day on which it comes, day on which it was)."""
    return [(day(came), _event(day(at), "order", str(number))) for number, (came, at) in enumerate(instants)]


@settings(max_examples=200, deadline=None)
@example(_ordered((0, 0), (3, 3), (7, 5)), 0)  # a life ends: with hysteresis, that alone changes the next day's answer
@given(arrivals(), st.integers(0, 8))
def test_late_events_leave_each_tag_with_the_value_that_sorted_events_give_it(late: list[Arrival], days: int) -> None:
    end = late[-1][0] + days * DAY_MS
    first = min(event.ts for _, event in late)
    instants = [*range((first // DAY_MS + 1) * DAY_MS - 1, end, DAY_MS), end]
    in_time = [(event.ts, event) for event in sorted((event for _, event in late), key=order_key)]
    assert values_at(late, instants) == values_at(in_time, instants)
