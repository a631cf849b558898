"""What a row knows of its user follows from the user's events, whatever their order of arrival and the chunks."""

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.partition import Partition
from schemas.decode import decode
from schemas.events import AnyEvent, order_key
from schemas.times import DAY_MS
from tables import codec
from tables.dimensions import DIMENSIONS
from tables.interest import Interest
from tables.orders import OrderState
from tables.panes import DAYS_KEPT, HOURS_KEPT, Panes
from tables.portrait import Portrait
from tables.row import ManualTag, Row
from tables.table import Table
from tests.agents.drive import Counts, counted
from tests.dressed import dressed
from tests.properties.test_the_law import drive, limits_of
from tests.storms import Cut, Storm, encode, storms

Rows = dict[str, Row]


def recut(storm: Storm, random: Random) -> Storm:
    """The same lanes, read in other chunks, lane by lane or in turns."""
    starts = dict.fromkeys(storm.lanes, 0)
    largest = random.choice((1, 3, 1000))
    cuts: list[Cut] = []
    while left := [lane for lane, records in storm.lanes.items() if starts[lane] < len(records)]:
        lane = random.choice(left)
        stop = min(starts[lane] + random.randint(1, largest), len(storm.lanes[lane]))
        cuts.append((*lane, starts[lane], stop))
        starts[lane] = stop
    return replace(storm, cuts=cuts)


def rows_of(partitions: list[Partition], storm: Storm) -> Rows:
    """Each user's row as it is stored."""
    users = {event["user_id"] for event in storm.all_arrivals()}
    found = [(user, partition.table.get(user)) for user in users for partition in partitions]
    return {user: codec.decode(codec.encode(row)) for user, row in found if row is not None}


def sorted_rows(storm: Storm) -> Rows:
    """The rows if all events had come in order, in one partition."""
    events: list[AnyEvent] = [decode(encode(record)) for record in storm.all_arrivals()]  # type: ignore[misc]  # a storm has no ticks here
    partition = Partition(0, limits_of(storm), Table())
    for event in sorted(events, key=order_key):
        partition.apply(event, event.ts)
    partition.advance(storm.watermark)
    return rows_of([partition], storm)


def facts(row: Row) -> dict[str, Any]:
    """All of a row that follows from the events alone: neither sequence numbers nor what late events might correct."""
    return {
        "first": row.first,
        "lifecycles": [(life.state, life.first, life.last) for life in (row.lifecycle, row.purchase)],
        "totals": row.totals,
        "max_order": row.max_order,
        "orders": {key: _order(state) for key, state in row.orders.items()},
        "cart": (row.cart, row.cart_closed_at),
        "profile": (row.registered_at, row.attributes, row.consent, row.reachable),
        "messages": row.messages,
        "tags": {name: _tag(known) for name, known in row.tags.items()},
        "forgotten": row.forgotten,
        "portraits": _portraits(row),
        "habits": (row.day_parts, row.channels),
    }


def _portraits(row: Row) -> list[Any]:
    """What is known now, and as of each of the last midnights."""
    newest = max([row.portraits.today, *(action.ts // DAY_MS for action in row.portraits.actions)])
    return [_portrait(row.portraits.before(day * DAY_MS)) for day in range(newest - 7, newest + 2)]


def _portrait(portrait: Portrait) -> Any:
    interests = [_interest(portrait.interest(dimension)) for dimension in DIMENSIONS]
    return interests, portrait.done, portrait.bought, portrait.last, portrait.cart, portrait.checkout


def _interest(interest: Interest) -> Any:
    """Weights are shares of one another: which block they are counted from is no one's business."""
    weights, spends = interest.weights, interest.spends or {}
    shares = {value: Fraction(weight) / Fraction(sum(weights.values())) for value, weight in weights.items()}
    of_spend = {value: Fraction(spend) / Fraction(sum(spends.values()) or 1) for value, spend in spends.items()}
    return interest.observed, shares, of_spend


def _order(state: OrderState) -> Any:
    """When an order was bought is known only if it was."""
    return state.entries(), state.is_cancelled, state.whole_return_ts, state.is_purchased and (state.ts, state.amount)


def _tag(known: ManualTag) -> Any:
    return known.value, known.ts, known.event_id, known.expires_at, known.ended_sequence is not None


def panes(one: Panes, other: Panes, kept: int) -> tuple[dict[int, Counts], dict[int, Counts]]:
    """The panes that both have to remember: an empty one may be the newest of one of them."""
    oldest = max(max(each[::5], default=0) for each in (one, other)) - kept
    remembered = [{n: counts for n, counts in counted(each).items() if n >= oldest} for each in (one, other)]
    return remembered[0], remembered[1]


def assert_equal(one: Rows, other: Rows) -> None:
    assert one.keys() == other.keys()
    for user, row in one.items():
        assert facts(row) == facts(other[user])
        for mine, theirs in (
            panes(row.days, other[user].days, DAYS_KEPT),
            panes(row.hours, other[user].hours, HOURS_KEPT),
        ):
            assert mine == theirs


@settings(max_examples=200, deadline=None)
@given(storms(erasing=False).map(dressed), st.randoms(use_true_random=False))
def test_other_chunks_make_the_same_rows(storm: Storm, random: Random) -> None:
    assert_equal(rows_of(drive(storm), storm), rows_of(drive(recut(storm, random)), storm))


@settings(max_examples=200, deadline=None)
@given(storms(erasing=False).map(dressed))
def test_late_events_make_the_same_rows_as_sorted_ones(storm: Storm) -> None:
    assert_equal(rows_of(drive(storm), storm), sorted_rows(storm))
