"""Histories for campaigns: few users, much on the same hour, and a messaging system that answers what is triggered."""

import heapq
import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from hypothesis import strategies as st

from agents.limits import Limits, Span
from agents.partition import Partition
from agents.rules.rulebook import Rulebook
from app.rules_file import read_rules
from schemas.partitioner import partition_of
from tables.changelog import Marker as ChangelogMarker
from tables.changelog import Restore, marker_record
from tables.ledger import Day, read_days
from tables.table import Table
from tests.oracle import DAY_MS, Wire
from tests.recall_recount import Cell, Windows, applied
from tests.storms import HOUR_MS, TOPICS, encode

BEGIN: Final = 1_711_324_800_000  # 2024-03-25T00:00:00Z, a week before clocks are put on in Europe
DAYS: Final = 18
USERS: Final = ("u1", "u2", "u3", "a/b", "u5", "u6")
LIMITS: Final = Limits(
    lifecycle=Span(2 * DAY_MS, 4 * DAY_MS), purchase=Span(3 * DAY_MS, 5 * DAY_MS), allowed_lateness_ms=DAY_MS
)
TOPIC_OF: Final = {topic.removeprefix("events."): topic for topic in TOPICS}

_OFF: Final = "".join(
    f'[[campaign]]\nname = "{name}"\nenabled = false\n'
    for name in ("unactivated", "cart_abandoned", "repurchase", "churn_high", "win_back")
)
_COMMON: Final = (
    _OFF
    + """
[[campaign]]
name = "silent"
on = { tag = "lifecycle", to = "silent" }
channels = [{ channel = "push", cost = 0.01, offer = "p" }, { channel = "sms", cost = 0.05, window = "30h" },
  { channel = "coupon", cost = 1 }]
fallback = true
expiry = "1d"
priority = 5
hold_out = 0.3
variants = [{ name = "a", weight = 1, offer = "x" }, { name = "b", weight = 2 }]
offer = "o"
cap = { max = 1, per = "5d" }

[[campaign]]
name = "lost"
on = { tag = "lifecycle", to = "lost" }
audience = "orders() >= 1"
channels = [{ channel = "email", cost = 0.02 }, { channel = "sms", cost = 0.05 }]
fallback = true
quiet_hours = "none"
priority = 9

[[campaign]]
name = "gone"
on = { tag = "lifecycle", to = "lost" }
channels = [{ channel = "event", window = "12h" }]
quiet_hours = "none"
version = 3

[[campaign]]
name = "bought"
on = { tag = "lifecycle.purchase", after = "6h" }
channels = [{ channel = "gift", cost = 0.5, window = "2d" }, { channel = "event" }]
fallback = true
expiry = "8h"
cap = { max = 2, per = "3d" }

[[campaign]]
name = "back"
on = { tag = "lifecycle", to = "active" }
channels = [{ channel = "event", cost = 0.2 }]
slot = "other"
quiet_hours = "10:30-11:15"

[[campaign]]
name = "cart"
on = { tag = "cart.abandoned", to = true }
channels = [{ channel = "push", cost = 0.01 }, { channel = "coupon", cost = 1 }]
expiry = "12h"
"""
)
FILES: Final = (
    '[recall]\ncap = { max = 3, per = "7d" }\ntimezone = "America/New_York"\n' + _COMMON,
    '[recall]\ncontrol = 0.3\ncap = { max = 5, per = "4d" }\nquiet_hours = "13:00-14:30"\n'
    + _COMMON
    + '[[campaign]]\nname = "quiet"\non = { tag = "lifecycle", to = "silent" }\nmode = "shadow"\nslot = "s"\n'
    'channels = [{ channel = "event" }]\n'
    '[[campaign]]\nname = "never"\non = { tag = "lifecycle", to = "lost" }\nmode = "paused"\n'
    'channels = [{ channel = "event" }]\n'
    '[[campaign]]\nname = "muted"\non = { tag = "lifecycle" }\nmute_before = 2024-04-03T00:00:00Z\n'
    'channels = [{ channel = "event" }]\nslot = "m"\nquiet_hours = "none"\n',
    '[recall]\ncap = { max = 1, per = "2d" }\nquiet_hours = "none"\n' + _COMMON,
)
BUDGET: Final = (
    FILES[1]
    .replace('name = "back"', 'name = "back"\nbudget = 1')
    .replace('name = "silent"', 'name = "silent"\nbudget = 1.04')
)

CONSENT: Final = {"sms": True, "push": True, "email": True}
FLAVOURS: Final[tuple[tuple[str, Wire], ...]] = (
    ("click", {"item_id": "i"}),
    ("click", {"item_id": "i"}),
    ("cart", {"item_id": "i", "price": 5}),
    ("order", {"status": "paid", "total": 25.5}),
    ("order", {"status": "placed", "total": 10}),
    ("order", {"status": "cancelled"}),
    ("profile", {"kind": "login"}),
    ("profile", {"kind": "consent", "consent": CONSENT, "reachable": ["sms", "push", "email"]}),
    ("profile", {"kind": "consent", "consent": CONSENT, "reachable": ["sms", "push", "email"]}),
    ("profile", {"kind": "consent", "consent": {"push": False}, "reachable": ["sms", "push"]}),
    ("profile", {"kind": "updated", "attributes": {"timezone": "Asia/Kathmandu"}}),
    ("profile", {"kind": "updated", "attributes": {"timezone": "Mars/Olympus"}}),
    ("profile", {"kind": "updated", "attributes": {"timezone": "Europe/Berlin"}}),
    ("message", {"kind": "unsubscribed", "trigger_id": "t"}),
)
ERASED: Final = ("profile", {"kind": "erased"})


class Happening(NamedTuple):
    """What a user does: at an hour since the beginning, and that many ms more; it arrives so much later."""

    flavour: tuple[str, Wire]
    user: int
    hour: int
    nudge_ms: int
    order: int
    delay_ms: int


class Answer(NamedTuple):
    """What a messaging system reports of a trigger, that long after it."""

    kind: str
    delay_ms: int
    cost: float | None


class Plot(NamedTuple):
    """What is to happen: reports are given to triggers in turn, `None` for one that is not reported."""

    file: str
    happenings: list[Happening]
    answers: list[list[Answer]]


def plots(*, late: bool = False, file: str | None = None) -> st.SearchStrategy[Plot]:
    """Plots; `late`: with events up to a day late, and none of erasures, of which the time would not be sure."""
    flavours = FLAVOURS if late else (*FLAVOURS, ERASED)
    delays = st.sampled_from((0, 0, 0, 1, HOUR_MS, 20 * HOUR_MS, DAY_MS)) if late else st.just(0)
    happening = st.builds(
        Happening,
        st.sampled_from(flavours),
        st.integers(0, len(USERS) - 1),
        st.one_of(st.integers(0, DAYS * 24), st.integers(0, DAYS).map(lambda day: day * 24 + 9)),
        st.sampled_from((0, 0, 0, 1, -1, 1_234_567)),
        st.integers(0, 3),
        delays,
    )
    kinds = st.sampled_from(("sent", "sent", "delivered", "opened", "clicked", "failed", "failed", "unsubscribed"))
    waits = st.sampled_from((1, 60_000, HOUR_MS, 30 * HOUR_MS))
    answer = st.builds(Answer, kinds, waits, st.sampled_from((None, None, 0.03)))
    return st.builds(
        Plot,
        st.sampled_from(FILES) if file is None else st.just(file),
        st.lists(happening, min_size=1, max_size=40),
        st.lists(st.lists(answer, max_size=3), min_size=1, max_size=6),
    )


@cache
def book(file: str) -> Rulebook:
    return read_rules(file.encode())


@cache
def parsed(file: str) -> Wire:
    return tomllib.loads(file)


def windows(file: str) -> Windows:
    units = {"h": HOUR_MS, "d": DAY_MS}
    texts = {
        (campaign["name"], each["channel"]): (each.get("window", "24h"), each.get("cost", 0))
        for campaign in parsed(file)["campaign"]
        for each in campaign.get("channels", [])
    }
    return {key: (int(text[:-1]) * units[text[-1]], round(cost * 100)) for key, (text, cost) in texts.items()}


@dataclass
class World:
    """Partitions that are fed one record after the other, and all they said; `arrived`: by lane, in order.

    What a live system said is judged as another one, of no partition: it says `until` where time has come.
    """

    file: str
    partitions: int = 1
    arrived: dict[tuple[int, str], list[Wire]] = field(default_factory=dict)
    decisions: list[Wire] = field(default_factory=list)
    triggers: list[Wire] = field(default_factory=list)
    changes: list[Wire] = field(default_factory=list)
    until: int | None = None

    def __post_init__(self) -> None:
        self.all = [self._new(number) for number in range(self.partitions)]
        self.restores = [Restore() for _ in self.all]

    def _new(self, number: int) -> Partition:
        return Partition(number, LIMITS, Table(max_hot=0), self.partitions, book(self.file))

    def home(self, user: str) -> int:
        return partition_of(user.encode(), self.partitions)

    def take(self, number: int, topic: str, records: Sequence[Wire]) -> None:
        """Some records of one lane at once, and then all that they bring."""
        lane = self.arrived.setdefault((number, topic), [])
        partition = self.all[number]
        partition.take(topic, enumerate(map(encode, records), len(lane)))
        lane += records
        while not partition.run() and partition.merge.watermark and partition.watermark < partition.merge.watermark:
            pass

    def tick(self, ts: int) -> None:
        for number in range(self.partitions):
            for topic in TOPICS:
                self.take(number, topic, [{"type": "tick", "ts": ts}])

    def harvest(self) -> list[Wire]:
        """End an epoch everywhere; the triggers since the last one."""
        fresh: list[Wire] = []
        for number, partition in enumerate(self.all):
            epoch = partition.collect()
            self.changes += _wire(epoch.changes)
            self.decisions += _wire(epoch.decisions)
            fresh += _wire(epoch.triggers)
            marker = ChangelogMarker(generation=1, epoch=1, state=epoch.state)
            rows = [(user.encode(), row) for user, row in epoch.rows.items()]
            self.restores[number].read([*rows, *epoch.days.items(), marker_record(marker)])
        self.triggers += fresh
        return fresh

    def restart(self) -> None:
        """Go on from nothing but the changelog; what was taken and not applied is read again, as positions tell."""
        self.harvest()
        for number, restore in enumerate(self.restores):
            assert restore.marker is not None
            partition = self.all[number] = self._new(number)
            partition.resume(restore.marker.state, restore.rows, restore.days)
            for topic in TOPICS:
                lane = self.arrived.get((number, topic), [])
                start = partition.merge.position(topic).offset
                partition.take(topic, [(start + place, encode(each)) for place, each in enumerate(lane[start:])])

    def events(self) -> list[Wire]:
        """All events in the order in which their partitions applied them."""
        return [event for _, event in applied(self.arrived)]

    @property
    def watermark(self) -> int:
        """How far time has come."""
        return min(partition.watermark for partition in self.all) if self.until is None else self.until

    def ledger(self) -> dict[Cell, int]:
        """The cells of the ledger as the changelog has it, summed over partitions."""
        return added(read_days(restore.days) for restore in self.restores)


def added(ledgers: Iterable[dict[int, Day]]) -> dict[Cell, int]:
    """The cells of some ledgers that are not 0, as tests/recall_recount.py counts them."""
    found: dict[Cell, int] = {}
    for days in ledgers:
        for number, day in days.items():
            for key, entry in day.lines.items():
                counts = {**msgspec.structs.asdict(entry)}
                reasons = counts.pop("reasons")
                counts |= {f"reason:{name}": count for name, count in reasons.items()}
                for name, count in counts.items():
                    if count:
                        found[number, *key, name] = found.get((number, *key, name), 0) + count
    return {cell: count for cell, count in found.items() if count}


def _wire(said: Iterable[Any]) -> list[Wire]:
    records: list[Wire] = json.loads(msgspec.json.encode(list(said)))
    return records


def events_of(plot: Plot) -> list[tuple[int, Wire]]:
    """(when it arrives, event) of all that users do."""
    found = []
    for number, each in enumerate(plot.happenings):
        kind, fields = each.flavour
        ts = BEGIN + each.hour * HOUR_MS + each.nudge_ms
        subject = {"order_id": f"o{each.order}"} if kind == "order" else {}
        head = {"type": kind, "event_id": f"e{number}", "user_id": USERS[each.user], "ts": ts}
        found.append((ts + each.delay_ms, head | subject | fields))
    return found


def played(plot: Plot, partitions: int = 1, settle_ms: int = 40 * DAY_MS) -> World:
    """Play a plot: what happens arrives in turn, time goes on by the hour, and every trigger gets its reports."""
    world = World(plot.file, partitions)
    queue = [(at, number, event) for number, (at, event) in enumerate(events_of(plot))]
    heapq.heapify(queue)
    reached, answered = 0, 0
    is_late = any(each.delay_ms for each in plot.happenings)
    beats = iter(range(BEGIN, BEGIN + (DAYS + 6) * DAY_MS, 7 * HOUR_MS))
    beat = next(beats)
    while queue or beat < BEGIN + (DAYS + 5) * DAY_MS:
        if not queue or beat < queue[0][0]:
            at, beat = beat, next(beats)
        else:
            at, _, event = heapq.heappop(queue)
            world.take(world.home(event["user_id"]), TOPIC_OF[event["type"]], [event])
        if at - 1 > reached and not is_late:
            reached = at - 1
            world.tick(reached)
        elif at - 1 - LIMITS.allowed_lateness_ms // 4 > reached:
            reached = at - 1 - LIMITS.allowed_lateness_ms // 4
            world.tick(reached)
        for trigger in (each for each in world.harvest() if not each["rev"]):
            for answer in plot.answers[answered % len(plot.answers)]:
                ts = max(trigger["at"] + answer.delay_ms, reached + 2)
                heapq.heappush(queue, (ts, 1_000 + len(queue) + answered * 100, _report(trigger, answer, ts)))
            answered += 1
    world.tick(max(reached, BEGIN + DAYS * DAY_MS) + settle_ms)
    world.harvest()
    return world


def _report(trigger: Wire, answer: Answer, ts: int) -> Wire:
    cost = {} if answer.cost is None else {"cost": answer.cost}
    named = {"recall_channel": trigger["recall_channel"]} if trigger["recall_channel"] in CONSENT else {}
    ident = f"{trigger['id']}:{answer.kind}:{ts}"
    head = {"type": "message", "event_id": ident, "user_id": trigger["user_id"], "ts": ts}
    return head | {"kind": answer.kind, "trigger_id": trigger["id"]} | named | cost
