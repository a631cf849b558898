"""What producers send: any bytes are a record or a dead letter, and no record stops a partition."""

import json
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition, Wall
from agents.recall.by_hand import ByHand
from agents.recall.campaigns import NO_CAMPAIGNS
from agents.recall.desk import Desk
from app.dead_letters.fixed import line_of
from app.dead_letters.ready import ready
from app.live.outputs import Outputs
from schemas.control import Pause, Resume, Run, control_record, read_control
from schemas.dead_letter import Rejected, dead_letter
from schemas.decode import decode
from schemas.times import DAY_MS, MAX_TS
from schemas.topics import INPUT_TOPICS
from tables import codec
from tables.control import Control
from tables.table import Table
from tests.fuzz.mutate import alone, batches, mutated
from tests.fuzz.target import Target
from tests.storms import ERASED, FLAVOURS, SUBJECT

NOW: Final = 1_709_164_800_000

SEEDS: Final[list[dict[str, Any]]] = [
    {
        "type": kind, "event_id": f"e{number}", "user_id": "u", "ts": NOW + number, "channel": "web",
        **({SUBJECT[kind]: "s"} if kind in SUBJECT else {}), **fields,
    }
    for number, (kind, fields) in enumerate([*FLAVOURS, ERASED, ("tick", {})])
]  # fmt: skip
TIMES: Final = ("2024-02-29T00:00:00.5+05:45", "2024-02-30T00:00:00Z", "2024-02-29 24:00:00z", "2024-02-29T00:00:60Z")

_texts: Final = st.text(max_size=6) | st.sampled_from(["", "用" * 128, "\0", "\x1b[2J", "a/b", "lifecycle", *TIMES])
_numbers: Final = st.integers() | st.sampled_from([0, 1, NOW, MAX_TS, 2**53, 2**63, 2**64, -1]) | st.floats()
_values: Final = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=5,
)
_fields: Final = st.sampled_from(sorted({name for seed in SEEDS for name in seed}))
odd_events: Final = st.builds(
    lambda event, fields: json.dumps({**event, **fields}).encode(),
    st.sampled_from(SEEDS),
    st.dictionaries(_fields, _values, max_size=3),
)
"""JSON objects with the fields of events, some of which hold what they should not."""
_WHOLE: Final = tuple(json.dumps(seed).encode() for seed in SEEDS)
_payloads: Final = mutated(*_WHOLE) | odd_events
_records: Final = st.lists(st.tuples(st.sampled_from(list(INPUT_TOPICS)), _payloads), max_size=8)


def check_record(payload: bytes) -> None:
    """A record comes back as it was; what is none makes a dead letter that can be written."""
    try:
        record = decode(payload)
    except Rejected as why:
        assert why.detail
        letter = dead_letter("events.click", 0, 7, payload, why)
        assert Outputs("app").dead_letters([letter])
        return
    assert decode(msgspec.json.encode(record)) == record


def check_partition(records: list[tuple[str, bytes]]) -> None:
    """Whatever comes, in whichever topic, is applied or buried, and the epoch can be written and read."""
    partition = Partition(0, DEFAULT_LIMITS, Table(max_hot=0))
    for offset, (topic, payload) in enumerate(records):
        partition.take(topic, [(offset, payload)], NOW + DAY_MS)
        partition.run(Wall(NOW + DAY_MS, []))
    epoch = partition.collect()
    assert Outputs("app").changes(epoch.changes) is not None
    assert len(Outputs("app").dead_letters(epoch.dead_letters)) == epoch.state.counters["dead_letters"]
    for row in epoch.rows.values():
        assert row is None or codec.encode(codec.decode(row)) == row
    applied = {name: epoch.state.counters[name] for name in ("applied", "duplicates", "erased", "dead_letters")}
    assert sum(applied.values()) <= len(records)


def check_fixed_line(text: bytes) -> None:
    """A line of corrected dead letters is one that can be sent, or is refused in words."""
    try:
        line = line_of(text)
        found = ready(line.letter, line.payload, NOW + DAY_MS)
    except (ValueError, Rejected) as why:
        assert str(why)
        return
    assert found.topic in INPUT_TOPICS
    assert decode(found.payload).user_id == found.user_id  # type: ignore[union-attr]  # no tick is ready


FIXED: Final = (
    b'{"topic": "events.cart", "partition": 1, "offset": 7, "event": %s}' % json.dumps(SEEDS[2]).encode(),
    b'{"topic": "events.cart", "partition": 1, "offset": 7, "payload": "eyJ0eXBlIjogInRpY2siLCAidHMiOiAxfQ=="}',
)

COMMANDS: Final = tuple(
    control_record(command)[1] for command in (Pause("a", NOW), Resume("a", NOW), Run("r", "a", NOW, 2.5))
)


def check_command(value: bytes) -> None:
    """A command is applied, or passed over; what has come of it can be written and read."""
    table = Table()
    by_hand = ByHand(Desk(NO_CAMPAIGNS, DEFAULT_LIMITS), table, lambda _: NOW)
    by_hand.take([read_control(3, value), read_control(4, COMMANDS[2])])
    by_hand.go_on(1.0)
    assert by_hand.control.position == 5
    assert msgspec.json.decode(msgspec.json.encode(by_hand.control), type=Control) == by_hand.control


WIRE: Final = (
    Target("events", batches(*_WHOLE) | alone(odd_events), check_record),
    Target("partition", alone(_records), check_partition),
    Target("commands", batches(*COMMANDS), check_command),
    Target("fixed dead letters", batches(*FIXED), check_fixed_line),
)
