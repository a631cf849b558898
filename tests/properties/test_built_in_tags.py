"""Each built-in tag is what its doc line says, at the end of every UTC day and at the end, whatever a user did.

A history is a list of bursts (the same thing done some times, at even intervals), so that thresholds are reached within
a few choices, and a failure shrinks to the bursts that matter.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.rules_file import load_rules
from schemas.decode import decode
from schemas.events import AnyEvent, order_key
from tables.table import Table
from tests.oracle import DAY_MS, Wire, effective, instant
from tests.storms import BASE_MS, HOUR_MS, encode
from tests.tags_oracle import DEFINITIONS, Value, values_of

LAST_MS: Final = 130 * DAY_MS
"""No event comes later after the start."""
USERS: Final = ("u", "u", "u", "v")
THINGS: Final = tuple(
    {"category": category, "brand": brand, "price": price}
    for category, brand, price in product(("shoes", "tea", None), ("acme", "zenith", None), (9.99, 16, 250, None))
)
PAUSES_MS: Final = (1, HOUR_MS, DAY_MS - 1, DAY_MS, 25 * HOUR_MS, 0, 7 * HOUR_MS, 1, 0, 3 * DAY_MS, 33 * DAY_MS)
GAPS_MS: Final = (HOUR_MS, DAY_MS, 1, 10 * DAY_MS // 3, DAY_MS - 1, 0, HOUR_MS // 2, 7 * DAY_MS)
TAILS_MS: Final = tuple(
    days * DAY_MS + step for days in (0, 0, 0, 1, 7, 30, 31, 60, 120) for step in (0, 1, DAY_MS - 1)
)

CLICKS: Final = ("view", "search", "favorite", "share", "compare", "review", "coupon_claim", "campaign_join")
ORDERS: Final[tuple[Wire, ...]] = (
    *({}, {"status": "placed"}, {"total": 80}, {"total": 100}, {"total": 250}, {"total": 380}),
    {"total": 1200.5, "coupon_id": "c"},
    *({"status": "cancelled"}, {"status": "returned"}, {"status": "returned", "total": 5}),
    {"status": "paid", "total": 90, "of": "the same orders"},
)
REMEMBERED: Final = 32
"""Orders of a user, the newest by their time: of those of one time any may be the first that is forgotten."""
DEEDS: Final[tuple[Wire, ...]] = (
    *({"type": "click", "action": action} for action in CLICKS),
    *({"type": "cart", "action": action} for action in ("add", "remove", "checkout")),
    *({"type": "order", **fields} for fields in ORDERS),
    *({"type": "profile", "kind": kind} for kind in ("registered", "login", "updated", "erased")),
    *({"type": "profile", "attributes": {"timezone": zone}} for zone in ("Asia/Tokyo", "America/New_York", "-03:30")),
    *({"type": "profile", "attributes": {"gender": word}} for word in ("F", " Man ", "女", "diverse", None, 1)),
    {"type": "message", "kind": "sent", "trigger_id": "t"},
    {"type": "tag", "tag": "blocked", "value": True},
)
_PREFERENCES: Final = [tag for tag in DEFINITIONS if tag.startswith("prefers.")]
ABOUT: Final[dict[str, set[str]]] = {
    **{tag: {"click", "cart"} for tag in _PREFERENCES},
    "registered": {"profile"},
    "new_user": {"profile"},
    "gender": {"profile"},
    "growth_level": {"order", "review"},
    "coupons.claimed": {"coupon_claim"},
    "coupons.used": {"c"},
    "campaigns.joined": {"campaign_join"},
    "reviews": {"review"},
    "shares": {"share"},
    "cart.abandoned": {"cart"},
    "shopping_style": {"click", "cart", "order"},
}
"""What a tag is about, where that is not orders: its histories are mostly of that, so that each value comes up."""


class Burst(NamedTuple):
    """`times` times the same deed, with a gap between them; the first one after a pause."""

    deed: Wire
    thing: Wire
    user: str
    channel: str | None
    pause_ms: int
    gap_ms: int
    times: int


def fast(deed: Wire, times: int, thing: int = 0) -> Burst:
    return Burst(deed, THINGS[thing], "u", "app", pause_ms=0, gap_ms=0, times=times)


_ORDER: Final = {"type": "order", "total": 100}
_VIEWS: Final = fast({"type": "click"}, 20)
_STYLE: Final = [_VIEWS, fast({"type": "cart"}, 4), fast(_ORDER, 3)]
_TASTES: Final = [_VIEWS, fast({"type": "click"}, 7, thing=len(THINGS) // 2)]
BASES: Final = {**dict.fromkeys(_PREFERENCES, _TASTES), "shopping_style": _STYLE}
"""What a ladder may stand on; else many orders."""


class History(NamedTuple):
    """The events of some users, and until when time goes on."""

    events: list[Wire]
    until: int


@st.composite
def histories(draw: st.DrawFn, tag: str) -> History:
    """Of one or two users who do few different things, so that these meet; mostly what the tag is about.

    It often begins with a ladder: the same thing once a day, so that each threshold is met on the way.
    """
    own = [
        deed for deed in DEEDS if {deed["type"], deed.get("action"), deed.get("coupon_id")} & ABOUT.get(tag, {"order"})
    ]
    deeds = draw(st.lists(st.sampled_from((*own * (2 * len(DEEDS) // len(own)), *DEEDS)), min_size=1, max_size=6))
    things = draw(st.lists(st.sampled_from(THINGS), min_size=1, max_size=4))
    burst = st.builds(
        Burst,
        deed=st.sampled_from(deeds),
        thing=st.sampled_from(things),
        user=st.sampled_from(USERS),
        channel=st.sampled_from(("app", "web", None)),
        pause_ms=st.sampled_from(PAUSES_MS),
        gap_ms=st.sampled_from(GAPS_MS),
        times=st.sampled_from((1, 3, 8, 2, 1, 5, 12, 20)),
    )
    found = draw(st.lists(st.lists(burst, min_size=1, max_size=8), min_size=1, max_size=3))  # (one list would be short)
    ladder = Burst(draw(st.sampled_from(own)), things[0], "u", "web", pause_ms=0, gap_ms=DAY_MS, times=25)
    base = BASES.get(tag, [fast(_ORDER, draw(st.sampled_from((25, 3))))])
    opening = draw(st.sampled_from(([], [*base, ladder], [ladder], [*base, ladder])))
    start = BASE_MS + draw(st.sampled_from((0, DAY_MS - 1)))
    return history_of(start, [opening, *found], draw(st.sampled_from(TAILS_MS)))


def history_of(start: int, found: Sequence[Sequence[Burst]], tail_ms: int) -> History:
    """The events of the bursts, one burst after the other.

    Nothing more happens to a user's orders once there are so many that a row may have forgotten one of them.
    """
    at, events, bought = start, list[Wire](), dict.fromkeys(USERS, 0)
    for burst in (burst for several in found for burst in several):
        at += burst.pause_ms
        for place in range(burst.times):
            at += burst.gap_ms if place else 0
            is_forgotten = is_later(burst.deed) and bought[burst.user] >= REMEMBERED
            if at <= start + LAST_MS and not is_forgotten:
                events.append(record_of(burst, place, f"e{len(events):03}", at, bought))
    return History(events, max(map(instant, events)) + tail_ms)


def record_of(burst: Burst, place: int, event_id: str, ts: int, bought: dict[str, int]) -> Wire:
    """One event; what happens to orders later happens to the newest ones, from the last one back."""
    head = {"user_id": burst.user, "event_id": event_id, "ts": ts, "channel": burst.channel, **burst.deed}
    if head["type"] in ("click", "cart"):
        return {**head, "item_id": f"i{place % 5}", **burst.thing}
    if head["type"] != "order":
        return head
    if is_later(burst.deed):
        head.pop("of", None)
        return {**head, "order_id": f"o{max(bought[burst.user] - 1 - place, 0)}"}
    bought[burst.user] += 1
    return {**head, "order_id": f"o{bought[burst.user] - 1}", "items": [{"item_id": "i", "quantity": 2, **burst.thing}]}


def is_later(deed: Wire) -> bool:
    """Whether it happens to an order that is there already."""
    return "of" in deed or deed.get("status") in ("cancelled", "returned")


def by_user(history: History) -> Iterator[tuple[str, list[Wire]]]:
    for user in sorted({record["user_id"] for record in history.events}):
        yield user, [record for record in history.events if record["user_id"] == user]


def said_of(history: History) -> Any:
    """What a partition with the built-in rules says: by user and tag the changes (at, from, to)."""
    events: list[AnyEvent] = [decode(encode(record)) for record in history.events]  # type: ignore[misc]  # no ticks
    partition = Partition(0, DEFAULT_LIMITS, Table(), rulebook=load_rules())
    for each in sorted(events, key=order_key):
        partition.apply(each, each.ts)
    partition.advance(history.until + 1)
    return effective(msgspec.json.decode(msgspec.json.encode(partition.table.changes)), load_rules().names)


def instants_of(events: Sequence[Wire], until: int) -> list[int]:
    """The end of each UTC day since the first event, and the end."""
    ends = range(instant(events[0]) // DAY_MS * DAY_MS + DAY_MS - 1, until, DAY_MS)
    return [*ends, until]


def exact(line: Sequence[Value]) -> list[tuple[bool, Value]]:
    """As true is no 1."""
    return [(isinstance(value, bool), value) for value in line]


@pytest.mark.parametrize("tag", DEFINITIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_built_in_tag_is_what_its_doc_line_says(tag: str, data: st.DataObject) -> None:
    history = data.draw(histories(tag))
    said = said_of(history)
    for user, events in by_user(history):
        instants = instants_of(events, history.until)
        changes = said.get(user, {}).get(tag, [])
        found = [next((to for at, _, to in reversed(changes) if at <= each), None) for each in instants]
        true = values_of(tag, events, instants)
        for value in set(true):
            event(f"{tag}: {value}")
        assert exact(found) == exact(true)


def test_every_built_in_tag_has_its_definition() -> None:
    assert DEFINITIONS.keys() == load_rules().names
