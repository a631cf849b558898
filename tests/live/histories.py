"""Small hostile histories of one partition, each made by a seed: late events, copies, erasures, unreadable records.

What the oracle and a reference need to know of one is worked out here, without the product's merge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from tables.merge import Position
from tests.oracle import DAY_MS, OracleLimits, Wire, instant
from tests.storms import BASE_MS, ERASED, FLAVOURS, SUBJECT, TOPICS, Storm, encode

LATENESS_MS: Final = 7 * DAY_MS
USERS: Final = 5
DAYS: Final = 150
UNREADABLE: Final = b"{"


class Entry(NamedTuple):
    """A record of a topic: its merge key, and what it says; None where nobody can read it."""

    key: int
    rank: int
    offset: int
    wire: Wire | None

    @property
    def payload(self) -> bytes:
        """What lies in the topic."""
        return UNREADABLE if self.wire is None else encode(self.wire)

    @property
    def is_tick(self) -> bool:
        """Whether it only tells time."""
        return self.wire is not None and self.wire["type"] == "tick"


@dataclass(frozen=True)
class History:
    """All that lies in the topics of one partition; every topic ends with a tick at `until`."""

    lanes: Mapping[str, Sequence[Entry]]
    until: int

    @property
    def storm(self) -> Storm:
        """The same for the oracle, without what cannot be read."""
        lanes = {(0, topic): [e.wire for e in entries if e.wire is not None] for topic, entries in self.lanes.items()}
        return Storm(1, lanes, [], OracleLimits(), LATENESS_MS, self.until)

    def applied(self, positions: Mapping[str, Position]) -> list[Entry]:
        """What lies before some positions, as the merge releases it: events, and what cannot be read."""
        before = [e for topic, entries in self.lanes.items() for e in entries[: positions[topic].offset]]
        return sorted((e for e in before if not e.is_tick), key=lambda entry: entry[:3])

    def below(self, watermark: int) -> list[Entry]:
        """What a partition has applied that stands at a watermark."""
        entries = [e for lane in self.lanes.values() for e in lane]
        return sorted((e for e in entries if not e.is_tick and e.key < watermark), key=lambda entry: entry[:3])

    def bound_before(self, topic: str, offset: int) -> int | None:
        """The time that a topic has told before an offset."""
        keys = [entry.key for entry in self.lanes[topic][:offset]]
        return keys[-1] or None if keys else None


def part_of(storm: Storm, partition: int) -> History:
    """What a storm brings into one partition."""
    return History(
        {topic: keyed(rank, storm.lanes[partition, topic]) for rank, topic in enumerate(TOPICS)}, storm.until
    )


def some_history(random: Random) -> History:
    """At most 60 records over five months."""
    until = BASE_MS + DAYS * DAY_MS
    arrivals: list[tuple[int, str, Wire | None]] = []
    for number in range(random.randint(15, 40)):
        wire = _event(random, number, BASE_MS + random.randrange((DAYS - 20) * DAY_MS))
        topic = f"events.{wire['type']}"
        delay = random.choice((0, 0, 0, 1, LATENESS_MS, random.randrange(LATENESS_MS)))
        arrivals.append((wire["ts"] + delay, topic, wire))
        if random.random() < 0.1:
            arrivals.append((wire["ts"] + random.randint(delay, LATENESS_MS), topic, wire))
    arrivals += [(BASE_MS + random.randrange(DAYS * DAY_MS), random.choice(TOPICS), None) for _ in range(3)]
    arrivals.sort(key=lambda arrival: arrival[0])
    lanes = {topic: [(at, wire) for at, name, wire in arrivals if name == topic] for topic in TOPICS}
    return History({topic: _lane(random, rank, lanes[topic], until) for rank, topic in enumerate(TOPICS)}, until)


def _event(random: Random, number: int, ts: int) -> Wire:
    kind, fields = random.choice((*FLAVOURS, ERASED))
    subject = {SUBJECT[kind]: f"{kind}-{random.randrange(3)}"} if kind in SUBJECT else {}
    user = f"u{random.randrange(USERS)}"
    return {"type": kind, "event_id": f"e{number}", "user_id": user, "ts": ts, **subject, **fields}


def _lane(random: Random, rank: int, arrivals: list[tuple[int, Wire | None]], until: int) -> list[Entry]:
    """A topic's records, with ticks that leave what follows within the allowed lateness."""
    wires: list[Wire | None] = []
    for place, (_, wire) in enumerate(arrivals):
        if random.random() < 0.3:
            following = [instant(later) for _, later in arrivals[place:] if later is not None]
            wires.append({"type": "tick", "ts": min([until, *(ts + LATENESS_MS for ts in following)]) - 1})
        wires.append(wire)
    wires.append({"type": "tick", "ts": until})
    return keyed(rank, wires)


def keyed(rank: int, wires: Sequence[Wire | None]) -> list[Entry]:
    """The records of a topic with their merge keys."""
    entries: list[Entry] = []
    bound = 0
    for offset, wire in enumerate(wires):
        if wire is not None:
            bound = max(bound, instant(wire) + (wire["type"] == "tick"))
        entries.append(Entry(bound, rank, offset, wire))
    return entries
