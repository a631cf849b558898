"""The ledger, counted once more from records alone: events, decisions and triggers, as they lie on the topics.

It shares no code with the product. What the topics do not tell (windows and configured costs) comes from the file of
campaigns. Erasures have to come in time: a late one would have to be placed between records of other topics.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tests.oracle import DAY_MS, Wire, instant, is_activity, is_erasure, is_purchase
from tests.storms import TOPICS

Cell: TypeAlias = tuple[int, str, str, str, str]
"""UTC day of the trigger, campaign, variant, channel, and what is counted; a reason is counted as `reason:NAME`."""
Windows: TypeAlias = Mapping[tuple[str, str], tuple[int, int]]
"""(window in ms, cost of a message in minor units) by campaign and channel."""
STAY_MS: Final = 30 * DAY_MS


@dataclass
class Shot:
    """A trigger, or what would have been one."""

    decision: Wire
    window_ms: int
    cost: int
    reported: set[str] = field(default_factory=set)

    @property
    def order(self) -> tuple[int, int]:
        return self.decision["at"], int(self.decision["id"].rsplit("/", 1)[1])

    @property
    def end(self) -> int:
        return int(self.decision["at"] + self.window_ms)

    @property
    def is_held(self) -> bool:
        return bool(self.decision["outcome"] == "held_out")

    def cell(self, name: str) -> Cell:
        return _cell(self.decision, self.decision["at"], f"held_{name}" if self.is_held else name)


def applied(lanes: Mapping[tuple[int, str], Sequence[Wire]]) -> list[tuple[int, Wire]]:
    """All events of the lanes (partition, topic), in the order in which their partitions applied them.

    With each how far time had come in its lane.
    """
    found = []
    for (number, topic), lane in lanes.items():
        bound = 0
        for offset, record in enumerate(lane):
            bound = max(bound, instant(record) + (record["type"] == "tick"))
            if record["type"] != "tick":
                found.append((number, bound, TOPICS.index(topic), offset, record))
    return [(bound, record) for _, bound, *_, record in sorted(found, key=lambda each: each[:4])]


def recounted(
    events: Sequence[Wire], decisions: Iterable[Wire], triggers: Iterable[Wire], windows: Windows, until: int
) -> dict[Cell, int]:
    """All cells that are not 0. `events`: in the order in which they were applied; `until`: how far time has come."""
    decisions = list(decisions)
    found: Counter[Cell] = Counter()
    for decision in decisions:
        found.update(_decided(decision))
    shots: dict[str, list[Shot]] = {}
    for decision in decisions:
        if decision["outcome"] in ("triggered", "held_out"):
            window_ms, cost = windows[decision["campaign"], decision["recall_channel"]]
            shots.setdefault(decision["user_id"], []).append(Shot(decision, window_ms, cost))
    _check_triggers(decisions, triggers)
    of_user: dict[str, list[Wire]] = {}
    for event in _fresh(events):
        of_user.setdefault(event["user_id"], []).append(event)
    for user, own in shots.items():
        for life in _lives(of_user.get(user, []), own, until):
            found.update(_came_of(*life))
    return {cell: count for cell, count in found.items() if count}


def _cell(decision: Wire, at: int, name: str) -> Cell:
    return at // DAY_MS, decision["campaign"], decision["variant"] or "", decision["recall_channel"] or "", name


def _decided(decision: Wire) -> list[Cell]:
    """One decision: its outcome, its reasons; a cancellation counts on the day of what it takes back."""
    at, outcome = decision["at"], decision["outcome"]
    if "cancels" in decision:
        at = int(decision["cancels"].rsplit("/", 2)[1])
    names = [outcome, *(f"reason:{reason}" for reason in decision["reasons"])]
    if outcome in ("triggered", "held_out", "shadow"):
        names.append("eligible")
    return [_cell(decision, at, name) for name in names]


def _check_triggers(decisions: Iterable[Wire], triggers: Iterable[Wire]) -> None:
    """A trigger for each decision to send, a cancellation for each that was taken back, and no others, none twice."""
    decisions = list(decisions)
    sent = {decision["id"] for decision in decisions if decision["outcome"] == "triggered"}
    taken_back = {decision["cancels"] for decision in decisions if "cancels" in decision}
    expected = sorted([(ident, 0) for ident in sent] + [(ident, 1) for ident in taken_back & sent])
    assert sorted((trigger["id"], trigger["rev"]) for trigger in triggers) == expected


def _fresh(events: Iterable[Wire]) -> Iterable[Wire]:
    """Without copies, nor what came from before an erasure."""
    seen: set[tuple[str, str, str]] = set()
    erased: dict[str, int] = {}
    for event in events:
        user, ts = event["user_id"], instant(event)
        key = user, event["type"], event["event_id"]
        if key in seen or ts <= erased.get(user, -1):
            continue
        seen.add(key)
        if is_erasure(event):
            erased[user] = ts
        yield event


def _lives(events: Sequence[Wire], shots: Sequence[Shot], until: int) -> Iterable[tuple[list[Wire], list[Shot], int]]:
    """What lies between erasures, and when it ended: nothing is put down to a trigger from before one."""
    ends = [instant(event) for event in events if is_erasure(event)]
    for start, end in zip([-1, *ends], [*ends, until], strict=True):
        own = sorted((shot for shot in shots if start <= shot.order[0] < end), key=lambda shot: shot.order)
        yield [event for event in events if start < instant(event) <= end], own, end


def _came_of(events: Sequence[Wire], shots: Sequence[Shot], until: int) -> Iterable[Cell]:
    yield from _reported(events, shots)
    deeds = [instant(event) for event in events if is_activity(event)]
    first = {shot.decision["campaign"]: shot for shot in reversed(shots)}
    yield from (shot.cell("first") for shot in first.values())
    for shot in shots:
        if any(_credited(shots, ts) is shot for ts in deeds):
            yield shot.cell("recalled")
            if first[shot.decision["campaign"]] is shot:
                yield shot.cell("first_recalled")
            stayed = any(shot.end < ts <= shot.end + STAY_MS for ts in deeds)
            if not stayed and shot.end + STAY_MS < until:
                yield shot.cell("lost_again")
    for ts, amount in _purchases(events):
        if (credited := _credited(shots, ts)) is not None:
            yield from [credited.cell("revenue")] * amount


def _credited(shots: Sequence[Shot], ts: int) -> Shot | None:
    """The last trigger before a moment, if that lies within its window."""
    before = [shot for shot in shots if shot.order[0] < ts]
    return before[-1] if before and ts <= before[-1].end else None


def _purchases(events: Sequence[Wire]) -> Iterable[tuple[int, int]]:
    """When each order was placed or paid first, and its amount in minor units."""
    first: dict[str, tuple[int, str, int]] = {}
    for event in filter(is_purchase, events):
        key, known = (instant(event), event["event_id"], _amount(event)), first.get(event["order_id"])
        if known is None or key[:2] < known[:2]:
            first[event["order_id"]] = key
    return [(ts, amount) for ts, _, amount in first.values()]


def _amount(order: Wire) -> int:
    if order.get("total") is not None:
        total: float = order["total"]
        return round(total * 100)
    items: list[dict[str, Any]] = order.get("items") or []
    return sum(round((item.get("price") or 0) * 100) * (item.get("quantity") or 1) for item in items)


def _reported(events: Sequence[Wire], shots: Sequence[Shot]) -> Iterable[Cell]:
    """The first report of each kind on each trigger; what was sent costs what is told, else as configured."""
    by_id = {shot.decision["id"]: shot for shot in shots if not shot.is_held}
    for event in events:
        shot = by_id.get(event["trigger_id"]) if event["type"] == "message" else None
        if shot is not None and event["kind"] not in shot.reported:
            shot.reported.add(event["kind"])
            yield shot.cell(event["kind"])
            if event["kind"] == "sent":
                told = event.get("cost")
                yield from [shot.cell("cost")] * (shot.cost if told is None else round(told * 100))
