"""Whatever traffic there was: every user can be explained, and what is shown is what was said."""

import json
from io import StringIO

import msgspec
from hypothesis import given, settings
from rich.console import Console

from agents.partition import Partition
from app.explain.explain import Basis, explain
from app.explain.explanation import Explanation
from app.explain.known import Known
from app.explain.shown import show
from app.explain.trail import Trail
from app.explain.written import written
from app.rules_file import load_rules
from schemas.decode import decode
from schemas.events import AnyEvent, order_key
from tables.table import Table
from tests.oracle import effective
from tests.properties.test_the_law import drive, limits_of
from tests.storms import Storm, encode, storms

BOOK, WRITTEN = load_rules(), written(None)


class Everything:
    """All names of tags."""

    def __contains__(self, _: object) -> bool:
        return True


def said_last(partition: Partition, user: str) -> dict[str, object]:
    """The values that the effective history of a user ends with."""
    said = json.loads(msgspec.json.encode(partition.table.changes))
    return {tag: changes[-1][2] for tag, changes in effective(said, Everything()).get(user, {}).items()}


def told_of(told: Explanation) -> dict[str, object]:
    """The values that an explanation shows."""
    tags: dict[str, object] = {tag.name: tag.value for tag in told.tags}
    return tags | {life.name: life.value for life in told.profile.lifecycles}


def check(partition: Partition, user: str, trail: Trail, storm: Storm) -> None:
    """Explain a user of a partition, if it knows one."""
    row = partition.table.get(user)
    if row is None:
        return
    changes = [change for change in partition.table.changes if change.user_id == user]
    before = msgspec.msgpack.encode(row)
    known = Known(user, row, storm.watermark - 1, changes, trail, "a storm")
    told = explain(known, Basis(BOOK, WRITTEN, limits_of(storm)), with_all=True)
    last = said_last(partition, user)
    assert {name: value for name, value in told_of(told).items() if value is not None} == {
        name: value for name, value in last.items() if value is not None
    }
    assert msgspec.msgpack.encode(row) == before
    assert all(tag.rule_says == tag.value for tag in told.tags if not tag.by_hand and row.rules_mark)
    text = StringIO()
    show(Console(file=text, width=60), told)
    assert text.getvalue()
    assert msgspec.json.decode(msgspec.json.encode(told), type=Explanation) == told


@settings(max_examples=100, deadline=None)
@given(storms())
def test_every_user_of_a_storm_is_explained_with_the_values_that_were_said(storm: Storm) -> None:
    for partition in drive(storm, rulebook=BOOK):
        for user in {event["user_id"] for event in storm.all_arrivals()}:
            check(partition, user, Trail(), storm)


@settings(max_examples=100, deadline=None)
@given(storms())
def test_every_user_of_a_history_is_explained_with_the_values_that_were_said(storm: Storm) -> None:
    events: list[AnyEvent] = [decode(encode(event)) for event in storm.all_arrivals()]  # type: ignore[misc]  # no ticks
    partition, trails = Partition(0, limits_of(storm), Table(), rulebook=BOOK), dict[str, Trail]()
    for event in sorted(events, key=order_key):
        partition.apply(event, event.ts)
        trails.setdefault(event.user_id, Trail()).add(event)
    partition.advance(storm.watermark)
    for user, trail in trails.items():
        check(partition, user, trail, storm)
