"""Hostile traffic: ties, boundaries to the millisecond, late events, copies, erasures, ticks, odd chunks.

A storm is derived from a list of small specs, so that it shrinks to few events that say why it fails.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from tests.oracle import DAY_MS, OracleLimits, Wire, instant

Lane: TypeAlias = tuple[int, str]
"""A partition of a topic."""
Cut: TypeAlias = tuple[int, str, int, int]
"""A chunk: partition, topic, first offset, offset after the last."""
Flavour: TypeAlias = tuple[str, Wire]

TOPICS: Final = ("events.click", "events.cart", "events.order", "events.profile", "events.message", "events.tag")
USERS: Final = ("u1", "u2", "a/b", "ü 4", "用户")
BASE_MS: Final = 1_709_164_800_000  # 2024-02-29T00:00:00Z
HOUR_MS: Final = DAY_MS // 24
MAX_EVENTS: Final = 40
MAX_COPIES: Final = 20  # with MAX_EVENTS below the 64 arrivals in which a copy is known

FLAVOURS: Final[tuple[Flavour, ...]] = (
    ("click", {}),
    ("click", {"action": "search", "query": "red shoes"}),
    ("cart", {"action": "add", "quantity": 2, "price": 19.99}),
    ("cart", {"action": "checkout"}),
    ("order", {"status": "paid", "total": 25}),
    ("order", {"status": "placed", "total": 10.01, "discount": 0.5}),
    ("order", {"items": [{"item_id": "i1", "price": 3.5, "quantity": 2}, {"item_id": "i2", "brand": "b"}]}),
    ("order", {"status": None, "total": 0}),
    ("order", {"status": "cancelled"}),
    ("order", {"status": "returned", "total": 5}),
    ("order", {"status": "returned"}),
    ("profile", {"kind": "registered"}),
    ("profile", {"kind": "login", "channel": "web"}),
    ("profile", {"kind": "updated", "attributes": {"region": "north", "user_type": None}}),
    ("profile", {"kind": "consent", "consent": {"sms": True}, "reachable": ["sms"]}),
    ("profile", {}),
    ("message", {"kind": "sent", "cost": 0.05}),
    ("message", {"kind": "opened", "recall_channel": "email"}),
    ("tag", {"value": "gold"}),
    ("tag", {"value": "gold", "ttl_ms": 1}),
    ("tag", {"value": "silver", "ttl_ms": 40 * DAY_MS, "actor": "ann"}),
    ("tag", {"value": None}),
)
FEW_FLAVOURS: Final[tuple[Flavour, ...]] = (
    ("click", {}),
    ("order", {"status": "paid", "total": 25}),
    ("profile", {"kind": "login"}),
    ("order", {"status": "cancelled"}),
)
ERASED: Final[Flavour] = ("profile", {"kind": "erased"})
SUBJECT: Final = {"click": "item_id", "cart": "item_id", "order": "order_id", "message": "trigger_id", "tag": "tag"}
ZONES_MINUTES: Final = (None, None, None, 0, 345, -210, 840)


@dataclass(frozen=True)
class StormLimits:
    lifecycle: OracleLimits
    lateness_ms: int

    @property
    def spans_ms(self) -> tuple[int, int, int, int]:
        own = self.lifecycle
        return own.silent_ms, own.lost_ms, own.purchase_silent_ms, own.purchase_lost_ms


@dataclass(frozen=True)
class EventSpec:
    flavour: Flavour
    user: int
    subject: int
    nudge_ms: int
    place: int
    letter: str
    delay_ms: int
    copy_delay_ms: int | None
    zone_minutes: int | None


@dataclass(frozen=True)
class TickSpec:
    lane: int
    place: int
    nudge_ms: int
    greedy: bool


@dataclass(frozen=True)
class Arrival:
    """An event or a tick on its way: `at` orders a lane, a tick's record is only known there."""

    at_ms: int
    what: Wire | TickSpec


@dataclass(frozen=True)
class Storm:
    partitions: int
    lanes: dict[Lane, list[Wire]]
    """Every lane's records (events and ticks) in order of arrival; an offset is an index. Each ends with a tick."""
    cuts: list[Cut]
    limits: OracleLimits
    lateness_ms: int
    until: int

    @property
    def watermark(self) -> int:
        """Where every partition stands at the end."""
        return self.until + 1

    def chunks(self) -> Iterator[tuple[int, str, int, list[bytes]]]:
        """(partition, topic, first offset, payloads), as a consumer would hand them over."""
        for partition, topic, start, stop in self.cuts:
            yield partition, topic, start, [encode(record) for record in self.lanes[partition, topic][start:stop]]

    def arrivals(self, partition: int, watermark: int | None = None) -> list[Wire]:
        """The events of a partition in the order in which the merge releases them (below a watermark), no ticks."""
        keyed = [
            (key, rank, offset, record)
            for rank, topic in enumerate(TOPICS)
            for offset, (key, record) in enumerate(merge_keys(self.lanes[partition, topic]))
            if record["type"] != "tick" and key < (self.watermark if watermark is None else watermark)
        ]
        return [record for *_, record in sorted(keyed, key=lambda entry: entry[:3])]

    def all_arrivals(self) -> list[Wire]:
        """The events of all partitions, those of each user as the merge releases them: what the oracle asks for."""
        return [event for partition in range(self.partitions) for event in self.arrivals(partition)]


def encode(record: Wire) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def merge_keys(lane: list[Wire]) -> list[tuple[int, Wire]]:
    """Each record with its lane's time bound after it."""
    bounds = [instant(record) + (record["type"] == "tick") for record in lane]
    return [(max(bounds[: offset + 1]), record) for offset, record in enumerate(lane)]


def partition_of(user: str, partitions: int) -> int:
    return zlib.crc32(user.encode()) % partitions


def rfc3339(ts: int, zone_minutes: int) -> str:
    """An instant as it is written in some zone, to the millisecond."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts)
    return moment.astimezone(timezone(timedelta(minutes=zone_minutes))).isoformat(timespec="milliseconds")


def limits() -> st.SearchStrategy[StormLimits]:
    """Mostly the defaults; also limits that nearly touch each other, that differ, and that are tiny."""
    usual = StormLimits(OracleLimits(), 7 * DAY_MS)
    return st.sampled_from(
        [
            *[usual] * 6,
            _same(8 * DAY_MS, 9 * DAY_MS, 7 * DAY_MS),
            _same(7 * DAY_MS + 1, 7 * DAY_MS + 2, 7 * DAY_MS),
            _same(2, 3, 1),
            _same(5 * HOUR_MS, 50 * HOUR_MS, HOUR_MS),
            StormLimits(OracleLimits(30 * DAY_MS, 60 * DAY_MS, 45 * DAY_MS, 90 * DAY_MS), 7 * DAY_MS),
            StormLimits(OracleLimits(20 * DAY_MS, 40 * DAY_MS, 8 * DAY_MS, 30 * DAY_MS), 7 * DAY_MS),
        ]
    )


def _same(silent_ms: int, lost_ms: int, lateness_ms: int) -> StormLimits:
    return StormLimits(OracleLimits(silent_ms, lost_ms, silent_ms, lost_ms), lateness_ms)


def _instants(bounds: StormLimits) -> st.SearchStrategy[int]:
    """On the grid that the limits span, a millisecond beside it, or anywhere."""
    own = bounds.lifecycle
    pairs = ((own.silent_ms, own.lost_ms), (own.purchase_silent_ms, own.purchase_lost_ms))
    grid = [
        k * silent_ms + j * lost_ms + step
        for step, (silent_ms, lost_ms), j, k in product((0, 1, -1), pairs, range(3), range(4))
    ]
    on_grid = [st.sampled_from(grid) for _ in range(3)]  # three, as one_of takes the same strategy once only
    return st.one_of(*on_grid, st.integers(0, 3 * max(bounds.spans_ms))).map(BASE_MS.__add__)


def _nudges(lateness_ms: int) -> tuple[int, ...]:
    """Mostly none, so that events meet; else to where a late event just still counts."""
    return 0, 0, 0, 0, 1, -1, lateness_ms, -lateness_ms, lateness_ms // 2


def _delays(lateness_ms: int) -> list[int]:
    """Often none or the longest, so that late events come with all that was said before them."""
    extremes = [0, 0, 0, lateness_ms, lateness_ms, lateness_ms - 1]
    return extremes + [lateness_ms * part // 7 for part in range(1, 7)]


def _flavours(*, erasing: bool) -> st.SearchStrategy[tuple[Flavour, ...]]:
    """What a storm is made of: anything, or only what the lifecycles care about, so that it meets more often."""
    erased = (ERASED,) if erasing else ()
    return st.sampled_from(((*FLAVOURS, *erased), FEW_FLAVOURS, (*FEW_FLAVOURS, *erased)))


def _event_spec(
    what: tuple[Flavour, int, int], when: tuple[int, int, str], delay_ms: int, extras: tuple[int | None, int | None]
) -> EventSpec:
    return EventSpec(*what, *when, delay_ms, *extras)


def _event_specs(flavours: Sequence[Flavour], lateness_ms: int) -> st.SearchStrategy[list[EventSpec]]:
    """Specs of four choices each: hypothesis takes at most five away at once, more would not shrink to nothing."""
    delays = _delays(lateness_ms)
    spec = st.builds(
        _event_spec,
        st.sampled_from(list(product(flavours, range(len(USERS)), range(3)))),
        st.sampled_from(list(product(_nudges(lateness_ms), range(8), "abcd"))),
        st.sampled_from(delays),
        st.sampled_from(list(product([*[None] * 2 * len(delays), *delays], ZONES_MINUTES))),
    )
    bursts = st.lists(st.lists(spec, max_size=MAX_EVENTS // 4), min_size=1, max_size=4)
    return bursts.map(lambda found: [spec for burst in found for spec in burst])


def _tick_specs(lateness_ms: int) -> st.SearchStrategy[list[TickSpec]]:
    spec = st.builds(
        TickSpec,
        lane=st.integers(0, 4 * len(TOPICS) - 1),
        place=st.integers(0, 7),
        nudge_ms=st.sampled_from(_nudges(lateness_ms)),
        greedy=st.booleans(),
    )
    return st.lists(spec, max_size=8)


def _beyond(bounds: StormLimits) -> st.SearchStrategy[int]:
    """How far the end lies beyond the last event: at a due time, just beside it, or up to 100 days."""
    due = [span_ms + step for span_ms in bounds.spans_ms for step in (0, 1, -1)]
    return st.sampled_from([0, *due]) | st.integers(0, 100 * DAY_MS)


@st.composite
def storms(draw: st.DrawFn, *, erasing: bool = True) -> Storm:
    """All traffic of 1 to 5 users up to `until`; nobody is erased unless `erasing`."""
    bounds = draw(limits())
    partitions = draw(st.integers(1, 4))
    users = USERS[: draw(st.sampled_from((1, 1, 2, 3, len(USERS))))]
    places = draw(st.lists(_instants(bounds), min_size=1, max_size=draw(st.sampled_from((8, 8, 3, 1)))))
    specs = draw(_event_specs(draw(_flavours(erasing=erasing)), bounds.lateness_ms))
    events = _events(specs, users, places)
    until = max((instant(event) for event in events), default=BASE_MS) + draw(_beyond(bounds))
    arrivals = _with_copies(specs, events)
    ticks = draw(_tick_specs(bounds.lateness_ms))
    lanes = _lanes(partitions, arrivals, [Arrival(_time(tick, places), tick) for tick in ticks])
    settled = {lane: _settle(found, until, bounds.lateness_ms) for lane, found in lanes.items()}
    cuts = _cut(settled, draw(st.lists(st.tuples(st.integers(0, 23), st.integers(1, 6)), max_size=40)))
    return Storm(partitions, settled, cuts, bounds.lifecycle, bounds.lateness_ms, until)


def _time(spec: EventSpec | TickSpec, places: Sequence[int]) -> int:
    return places[spec.place % len(places)] + spec.nudge_ms


def _events(specs: list[EventSpec], users: Sequence[str], places: Sequence[int]) -> list[Wire]:
    """The records of the specs; an event_id is one letter, repeated until no event of its user and type has it."""
    taken: set[tuple[str, str, str]] = set()
    events = []
    for spec in specs:
        user, (kind, fields) = users[spec.user % len(users)], spec.flavour
        event_id = spec.letter
        while (user, kind, event_id) in taken:
            event_id += spec.letter
        taken.add((user, kind, event_id))
        subject = {SUBJECT[kind]: f"{kind}-{spec.subject}"} if kind in SUBJECT else {}
        ts = _written(_time(spec, places), spec.zone_minutes)
        events.append({"type": kind, "event_id": event_id, "user_id": user, "ts": ts, **subject, **fields})
    return events


def _written(ts: int, zone_minutes: int | None) -> int | str:
    return ts if zone_minutes is None else rfc3339(ts, zone_minutes)


def _with_copies(specs: list[EventSpec], events: list[Wire]) -> list[Arrival]:
    """When each event arrives, and its copy not before it."""
    arrivals = []
    copies = 0
    for spec, event in zip(specs, events, strict=True):
        arrivals.append(Arrival(instant(event) + spec.delay_ms, event))
        if spec.copy_delay_ms is not None and copies < MAX_COPIES:
            copies += 1
            arrivals.append(Arrival(instant(event) + max(spec.delay_ms, spec.copy_delay_ms), event))
    return arrivals


def _lanes(partitions: int, events: list[Arrival], ticks: list[Arrival]) -> dict[Lane, list[Arrival]]:
    """Who arrives where, in order: as no delay exceeds the allowed lateness, no event is later than that."""
    lanes: dict[Lane, list[Arrival]] = {(partition, topic): [] for partition in range(partitions) for topic in TOPICS}
    for arrival in events:
        assert not isinstance(arrival.what, TickSpec)
        partition = partition_of(arrival.what["user_id"], partitions)
        lanes[partition, f"events.{arrival.what['type']}"].append(arrival)
    for arrival in ticks:
        assert isinstance(arrival.what, TickSpec)
        lanes[list(lanes)[arrival.what.lane % len(lanes)]].append(arrival)
    return {lane: sorted(found, key=lambda arrival: arrival.at_ms) for lane, found in lanes.items()}


def _settle(found: list[Arrival], until: int, lateness_ms: int) -> list[Wire]:
    """A lane's records: every tick gets a time that leaves what follows within the allowed lateness."""
    records: list[Wire] = []
    for place, arrival in enumerate(found):
        if not isinstance(arrival.what, TickSpec):
            records.append(arrival.what)
            continue
        following = [instant(later.what) for later in found[place:] if not isinstance(later.what, TickSpec)]
        latest = min([until, *(ts + lateness_ms for ts in following)]) - 1
        records.append({"type": "tick", "ts": latest if arrival.what.greedy else min(latest, arrival.at_ms - 1)})
    return [*records, {"type": "tick", "ts": until}]


def _cut(lanes: dict[Lane, list[Any]], turns: list[tuple[int, int]]) -> list[Cut]:
    """Chunks as the turns take them, each from one of the lanes that still have some; then the rest, lane by lane."""
    start = dict.fromkeys(lanes, 0)
    cuts: list[Cut] = []

    def take(lane: Lane, size: int) -> None:
        stop = min(start[lane] + size, len(lanes[lane]))
        cuts.append((*lane, start[lane], stop))
        start[lane] = stop

    for choice, size in turns:
        left = [lane for lane in lanes if start[lane] < len(lanes[lane])]
        if left:
            take(left[choice % len(left)], size)
    for lane, records in lanes.items():
        if start[lane] < len(records):
            take(lane, len(records))
    return cuts
