"""A chunk or a crash at every await of the epoch commit: restored rows always equal the rows at the marker.

Real tasks of two workers on a log in memory; a seed decides who is cut off where, and whether that came to be written.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, Final

import msgspec
import pytest

from agents.limits import DEFAULT_LIMITS
from agents.partition import Counters, Partition
from schemas.changes import LIFECYCLE, PURCHASE
from schemas.events import TYPE_OF
from schemas.topics import DEAD_LETTERS, TAG_CHANGES
from tables import codec
from tables.changelog import Marker, Restore, State
from tables.moves import read_moves
from tables.row import Row
from tables.table import Table
from tests.live.fake_log import FakeBroker, Point
from tests.live.fates import Chance
from tests.live.histories import History, some_history
from tests.live.quick_loop import run_quickly
from tests.live.world import Step, World
from tests.oracle import Wire, effective, history

SEEDS: Final = 500
BLOCK: Final = 25


class Reference:
    """A partition that applied exactly what was committed, in one process, without a log; compared with the log."""

    def __init__(self, told: History, *, transactional: bool) -> None:
        self._told = told
        self._transactional = transactional
        self._partition = Partition(0, DEFAULT_LIMITS, Table())
        self._applied: list[Step] = []
        self._said: list[Wire] = []
        self._marker: Marker | None = None

    def committed(self, broker: FakeBroker, marker: Marker, steps: Sequence[Step]) -> None:
        """Do what was done in the epoch; then everything has to be as the marker says."""
        for step in steps:
            if step.event is None:
                self._partition.advance(step.now)
            else:
                self._partition.apply(step.event, step.now)
        self._applied += [step for step in steps if step.event is not None]
        changes = self._partition.table.collect().changes
        self._partition.moves.count(changes)
        self._said += words(changes)
        self._marker = marker
        self._check_state(marker.state)
        self.crashed(broker)
        self._check_outputs(broker)

    def crashed(self, broker: FakeBroker) -> None:
        """What a restore finds is what was true at the marker."""
        restore = Restore()
        restore.read(broker.changelog)
        assert restore.marker == self._marker
        restored = {user.decode(): without_due(codec.decode(row)) for user, row in restore.rows.items()}
        assert restored == self._rows()
        assert read_moves(restore.days) == {number: day for number, day in self._partition.moves.days.items() if day}

    def ended(self, broker: FakeBroker) -> None:
        """In the end everything is said, and it is what the oracle says."""
        said = once(outputs(broker, TAG_CHANGES)) if not self._transactional else outputs(broker, TAG_CHANGES)
        storm = self._told.storm
        assert said == self._said
        assert effective(said) == history(storm.all_arrivals(), storm.watermark)
        assert self._dead(broker) == [(entry.rank, entry.offset) for entry in self._told.below(storm.watermark)
                                      if entry.wire is None]  # fmt: skip

    def _check_state(self, state: State) -> None:
        entries = self._told.applied(state.positions)
        assert entries == self._told.below(state.watermark)
        assert [(entry.key, *name(entry.wire)) for entry in entries if entry.wire is not None] == [
            (step.now, TYPE_OF[type(step.event)], step.event.event_id) for step in self._applied if step.event
        ]
        for topic, position in state.positions.items():
            assert position.bound == self._told.bound_before(topic, position.offset)
        self._partition.counters.dead_letters = sum(entry.wire is None for entry in entries)
        assert msgspec.convert(state.counters, Counters) == self._partition.counters
        assert {tag: {v: n for v, n in users.items() if n} for tag, users in state.census.items()} == self._census()

    def _check_outputs(self, broker: FakeBroker) -> None:
        said = outputs(broker, TAG_CHANGES)
        if self._transactional:
            assert said == self._said
        else:
            assert once(said) == self._said[: len(once(said))]

    def _dead(self, broker: FakeBroker) -> list[tuple[int, int]]:
        letters = outputs(broker, DEAD_LETTERS)
        ranks = list(self._told.lanes)
        places = [(ranks.index(letter["topic"]), letter["offset"]) for letter in letters]
        return places if self._transactional else list(dict.fromkeys(places))

    def _rows(self) -> dict[str, Row]:
        encoded = self._partition.table.encoded_rows()
        return {user: without_due(codec.decode(row)) for user, row in encoded.items()}

    def _census(self) -> dict[str, dict[str, int]]:
        rows = self._rows().values()
        states = {LIFECYCLE: [row.lifecycle.state for row in rows], PURCHASE: [row.purchase.state for row in rows]}
        return {tag: dict(Counter(state for state in found if state)) for tag, found in states.items()}


def without_due(row: Row) -> Row:
    """When the row is looked at next is no one's business but the timers'."""
    row.due = 0
    return row


def name(wire: Wire) -> tuple[str, str]:
    return wire["type"], wire["event_id"]


def words(values: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(values))


def outputs(broker: FakeBroker, topic: str) -> list[Wire]:
    return [msgspec.json.decode(output.value) for output in broker.outputs if output.topic == topic]


def once(said: Iterable[Wire]) -> list[Wire]:
    """Without what was said again, which has to be the same."""
    known: dict[str, Wire] = {}
    for change in said:
        assert known.setdefault(change["id"], change) == change
    return list(known.values())


def lived(seed: int, *, transactional: bool) -> Counter[tuple[Point, str]]:
    """What was done to the workers of one run, which has to end well."""
    random = Random(seed)  # noqa: S311  repeatable
    told = some_history(random)
    reference = Reference(told, transactional=transactional)

    async def story() -> World:
        world = World(told, Chance(random), reference, transactional=transactional)
        await world.live()
        return world

    try:
        world = run_quickly(story())
        reference.ended(world.broker)
    except BaseException as error:
        error.add_note(f"seed {seed}, transactional {transactional}")
        raise
    return world.hits


@pytest.mark.parametrize("transactional", [True, False], ids=["whole", "in steps"])
@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_restored_rows_are_the_rows_at_the_marker_whatever_is_cut_off_where(first: int, transactional: bool) -> None:
    for seed in range(first, first + BLOCK):
        lived(seed, transactional=transactional)


@pytest.mark.parametrize("transactional", [True, False], ids=["whole", "in steps"])
def test_the_fates_of_some_seeds_meet_every_point(transactional: bool) -> None:
    hits: Counter[tuple[Point, str]] = Counter()
    for seed in range(100):
        hits += lived(seed, transactional=transactional)
    kinds = ("chunk", "crash", "cancelled", *(["taken over"] if transactional else []))
    met = {(point, kind) for point in Point if point is not Point.CLOSING for kind in kinds}
    assert met <= hits.keys()
