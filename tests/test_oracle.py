"""The oracle against cases worked out by hand, and storms against their own promises.

In the timelines `x` is activity that is no order, `o` an order, `E` an erasure, `|` a due time.
"""

import json
from collections import Counter
from itertools import count
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import (
    ANY_ACTIVITY,
    DAY_MS,
    PURCHASES,
    TAGS,
    Change,
    OracleLimits,
    Value,
    Wire,
    effective,
    follow,
    history,
    instant,
)
from tests.storms import BASE_MS, TOPICS, Storm, StormLimits, limits, merge_keys, partition_of, storms

T0: Final = BASE_MS
LATER: Final = T0 + 1_000 * DAY_MS
FEWER: Final = settings(max_examples=50)

_serial = count()


def event(kind: str, at: int | str, event_id: str | None = None, /, **fields: object) -> Wire:
    return {"type": kind, "event_id": event_id or f"e{next(_serial)}", "user_id": "u", "ts": at, **fields}


def click(at: int | str, event_id: str | None = None) -> Wire:
    return event("click", at, event_id, item_id="i")


def order(at: int, event_id: str | None = None, status: str | None = "paid") -> Wire:
    return event("order", at, event_id, order_id="o", status=status)


def erased(at: int) -> Wire:
    return event("profile", at, kind="erased")


def told(tag: str, arrivals: list[Wire], watermark: int) -> list[Change]:
    return history(arrivals, watermark).get("u", {}).get(tag, [])


# day        0                            30                  W
# activity   x----------------------------|-------------------
# lifecycle  active                       silent, said once W is past it
@pytest.mark.parametrize(("beyond_ms", "is_said"), [(-1, False), (0, False), (1, True)])
def test_silence_is_said_once_the_watermark_is_past_it(beyond_ms: int, is_said: bool) -> None:
    due = T0 + 30 * DAY_MS
    silent = [(due, "active", "silent")] if is_said else []
    assert told(ANY_ACTIVITY, [click(T0)], due + beyond_ms) == [(T0, None, "active"), *silent]


# day        0                            30                            60                  W
# activity   x----------------------------x-----------------------------|-------------------
# lifecycle  active                                                     silent
def test_an_activity_at_exactly_thirty_days_is_in_time() -> None:
    back = T0 + 30 * DAY_MS
    assert told(ANY_ACTIVITY, [click(T0), click(back)], T0 + 61 * DAY_MS) == [
        (T0, None, "active"),
        (back + 30 * DAY_MS, "active", "silent"),
    ]


# day        0                            30 +1 ms
# activity   x----------------------------|-x---
# lifecycle  active                       silent
#                                           active
def test_an_activity_a_millisecond_after_thirty_days_comes_back_from_silence() -> None:
    due = T0 + 30 * DAY_MS
    assert told(ANY_ACTIVITY, [click(T0), click(due + 1)], due + 2) == [
        (T0, None, "active"),
        (due, "active", "silent"),
        (due + 1, "silent", "active"),
    ]


# day        0                            30                            60
# activity   x----------------------------|-----------------------------x---
# lifecycle  active                       silent                        active
def test_an_activity_at_exactly_sixty_days_comes_before_the_loss() -> None:
    back = T0 + 60 * DAY_MS
    assert told(ANY_ACTIVITY, [click(T0), click(back)], back + 1) == [
        (T0, None, "active"),
        (T0 + 30 * DAY_MS, "active", "silent"),
        (back, "silent", "active"),
    ]


# day        0                  30                  60                  90
# activity   x------------------|-------------------|-------------------x---
# lifecycle  active             silent              lost                active
def test_a_jump_over_both_limits_says_both() -> None:
    back = T0 + 90 * DAY_MS
    assert told(ANY_ACTIVITY, [click(T0), click(back)], back + 1) == [
        (T0, None, "active"),
        (T0 + 30 * DAY_MS, "active", "silent"),
        (T0 + 60 * DAY_MS, "silent", "lost"),
        (back, "lost", "active"),
    ]


# day        0                  10                  40                            70      W
# activity   x------------------o-------------------|-----------------------------|-------
# lifecycle  active                                 silent                        lost
# purchase   unactivated        active              silent                        lost
def test_the_first_order_after_a_click_activates_the_purchase_lifecycle() -> None:
    bought = T0 + 10 * DAY_MS
    after = [(bought + 30 * DAY_MS, "active", "silent"), (bought + 60 * DAY_MS, "silent", "lost")]
    assert history([click(T0), order(bought)], LATER)["u"] == {
        ANY_ACTIVITY: [(T0, None, "active"), *after],
        PURCHASES: [(T0, None, "unactivated"), (bought, "unactivated", "active"), *after],
    }


# day        0                  10                  30        40        W
# activity   o------------------x-------------------|---------|---------
# lifecycle  active                                           silent
# purchase   active                                 silent
def test_a_first_activity_that_is_an_order_is_active_at_once() -> None:
    arrivals = [order(T0), click(T0 + 10 * DAY_MS)]
    assert history(arrivals, T0 + 50 * DAY_MS)["u"] == {
        ANY_ACTIVITY: [(T0, None, "active"), (T0 + 40 * DAY_MS, "active", "silent")],
        PURCHASES: [(T0, None, "active"), (T0 + 30 * DAY_MS, "active", "silent")],
    }


# day        0                  30                  60                  W
# activity   x------------------|-------------------|-------------------
# purchase   unactivated, for good
def test_who_never_ordered_stays_unactivated() -> None:
    assert told(PURCHASES, [click(T0)], LATER) == [(T0, None, "unactivated")]


@pytest.mark.parametrize("is_click_first", [True, False])
def test_the_least_event_id_breaks_a_tie_at_the_first_millisecond(is_click_first: bool) -> None:
    clicked, ordered = (click(T0, "a"), order(T0, "b")) if is_click_first else (click(T0, "b"), order(T0, "a"))
    through_unactivated = [(T0, None, "unactivated"), (T0, "unactivated", "active")]
    for arrivals in ([clicked, ordered], [ordered, clicked]):
        assert told(PURCHASES, arrivals, T0 + 1) == (through_unactivated if is_click_first else [(T0, None, "active")])


@pytest.mark.parametrize(("kind", "first"), [("cart", "unactivated"), ("click", "unactivated"), ("profile", "active")])
def test_the_type_breaks_a_tie_of_event_ids(kind: str, first: str) -> None:
    arrivals = [order(T0, "a"), event(kind, T0, "a", kind="login")]
    assert told(PURCHASES, arrivals, T0 + 1)[0] == (T0, None, first)


@pytest.mark.parametrize(
    "silent",
    [
        event("message", T0, kind="opened", trigger_id="t"),
        event("profile", T0, kind="updated"),
        event("profile", T0, kind="consent"),
        event("profile", T0),
        event("tag", T0, tag="vip", value="gold"),
        order(T0, status="cancelled"),
        order(T0, status="returned"),
    ],
    ids=lambda silent: f"{silent['type']}-{silent.get('kind') or silent.get('status')}",
)
def test_what_is_no_activity_says_nothing(silent: Wire) -> None:
    assert history([silent], LATER) == {}


# day        0                  20                  30                  W
# events     o------------------cancelled, opened---|-------------------
# both       active                                 silent
def test_a_message_and_a_cancelled_order_do_not_keep_anyone_active() -> None:
    at = T0 + 20 * DAY_MS
    arrivals = [order(T0), order(at, status="cancelled"), event("message", at, kind="opened", trigger_id="t")]
    silent = [(T0, None, "active"), (T0 + 30 * DAY_MS, "active", "silent")]
    assert history(arrivals, T0 + 31 * DAY_MS)["u"] == dict.fromkeys(TAGS, silent)


@pytest.mark.parametrize("status", ["placed", "paid", None])
def test_placed_and_paid_orders_are_activity(status: str | None) -> None:
    assert told(PURCHASES, [order(T0, status=status)], T0 + 1) == [(T0, None, "active")]


@pytest.mark.parametrize("kind", ["login", "registered"])
def test_login_and_registration_are_activity(kind: str) -> None:
    assert told(ANY_ACTIVITY, [event("profile", T0, kind=kind)], T0 + 1) == [(T0, None, "active")]


def test_copies_count_once() -> None:
    assert told(PURCHASES, [click(T0, "a"), click(T0 + DAY_MS, "a"), order(T0 + DAY_MS, "a")], T0 + 2 * DAY_MS) == [
        (T0, None, "unactivated"),
        (T0 + DAY_MS, "unactivated", "active"),
    ]


# day        0         10        40                  70        W
# activity   x---------E---------x-------------------|---------
# lifecycle  active    null      active              silent
# purchase   unactiv.  null      unactivated
def test_an_erased_user_who_comes_back_starts_anew() -> None:
    gone, back = T0 + 10 * DAY_MS, T0 + 40 * DAY_MS
    assert history([click(T0), erased(gone), click(back)], T0 + 80 * DAY_MS)["u"] == {
        ANY_ACTIVITY: [
            (T0, None, "active"),
            (gone, "active", None),
            (back, None, "active"),
            (back + 30 * DAY_MS, "active", "silent"),
        ],
        PURCHASES: [(T0, None, "unactivated"), (gone, "unactivated", None), (back, None, "unactivated")],
    }


# day        0                            30
# activity   x----------------------------|E
@pytest.mark.parametrize(("after_due_ms", "last"), [(-1, "active"), (0, "active"), (1, "silent")])
def test_only_what_is_due_before_an_erasure_is_said(after_due_ms: int, last: str) -> None:
    due = T0 + 30 * DAY_MS
    silent = [(due, "active", "silent")] if last == "silent" else []
    assert told(ANY_ACTIVITY, [click(T0), erased(due + after_due_ms)], LATER) == [
        (T0, None, "active"),
        *silent,
        (due + after_due_ms, last, None),
    ]


def test_an_erasure_is_the_last_of_its_millisecond() -> None:
    assert told(ANY_ACTIVITY, [click(T0), erased(T0)], LATER) == [(T0, None, "active"), (T0, "active", None)]


def test_an_erasure_of_nobody_says_nothing() -> None:
    assert history([erased(T0)], LATER) == {}


# day        0         5         10        12
# activity   x---------x(dead)---E---------x
# arrival    1         3         2         4
@pytest.mark.parametrize("dead_at", [T0 + 5 * DAY_MS, T0 + 10 * DAY_MS])
def test_what_arrives_after_an_erasure_and_is_not_newer_stays_dead(dead_at: int) -> None:
    gone, back = T0 + 10 * DAY_MS, T0 + 12 * DAY_MS
    arrivals = [click(T0), erased(gone), order(dead_at), click(back)]
    assert history(arrivals, back + 1) == history([click(T0), erased(gone), click(back)], back + 1)


def test_a_dead_erasure_erases_nothing() -> None:
    gone = T0 + 10 * DAY_MS
    living = [click(T0), erased(gone)]
    assert history([*living, erased(gone - DAY_MS), erased(gone)], LATER) == history(living, LATER)


# day        0         10        11        W
# activity   x---------E---------o---------
# arrival    1         3         2
# lifecycle  active    null      active
# purchase   unactiv.  null      active
def test_what_came_before_a_late_erasure_and_is_newer_starts_anew() -> None:
    gone, back = T0 + 10 * DAY_MS, T0 + 11 * DAY_MS
    assert history([click(T0), order(back), erased(gone)], back + 1)["u"] == {
        ANY_ACTIVITY: [(T0, None, "active"), (gone, "active", None), (back, None, "active")],
        PURCHASES: [(T0, None, "unactivated"), (gone, "unactivated", None), (back, None, "active")],
    }


# day        0         1
# events     E---------x 'a', o 'b'      both had arrived before E, or only one, or none
def test_a_late_erasure_takes_the_names_that_break_ties() -> None:
    clicked, ordered, gone = click(T0 + DAY_MS, "a"), order(T0 + DAY_MS, "b"), erased(T0)
    end = T0 + 2 * DAY_MS

    def first_of(*arrivals: Wire) -> Value:
        return told(PURCHASES, list(arrivals), end)[0][2]

    assert first_of(gone, clicked, ordered) == "unactivated"
    assert first_of(clicked, ordered, gone) == "active"
    assert first_of(ordered, gone, clicked) == "active"
    assert first_of(clicked, gone, ordered) == "unactivated"


@pytest.mark.parametrize("late_is_dead", [True, False])
def test_only_a_living_erasure_takes_names(late_is_dead: bool) -> None:
    arrivals = [erased(T0 + 2)] if late_is_dead else []
    arrivals += [click(T0 + 3, "a"), order(T0 + 3, "b"), erased(T0 + 1)]
    assert told(PURCHASES, arrivals, T0 + 4) == (
        [(T0 + 3, None, "unactivated"), (T0 + 3, "unactivated", "active")]
        if late_is_dead
        else [(T0 + 3, None, "active")]
    )


def test_times_may_be_written_with_an_offset_and_are_cut_to_milliseconds() -> None:
    assert told(ANY_ACTIVITY, [click("2024-02-29T05:45:00.0019+05:45")], LATER)[0] == (T0 + 1, None, "active")


def test_each_lifecycle_has_its_own_limits() -> None:
    own = OracleLimits(silent_ms=10, lost_ms=20, purchase_silent_ms=15, purchase_lost_ms=30)
    assert history([order(T0)], T0 + 20, own)["u"] == {
        ANY_ACTIVITY: [(T0, None, "active"), (T0 + 10, "active", "silent")],
        PURCHASES: [(T0, None, "active"), (T0 + 15, "active", "silent")],
    }


def said(number: int, at: int, before: Value, after: Value, corrects: int | None = None, **fields: str) -> Wire:
    correction = {} if corrects is None else {"corrects": f"u/{corrects}"}
    record: Wire = {"id": f"u/{number}", "user_id": "u", "tag": ANY_ACTIVITY, "from": before, "to": after, "at": at}
    return record | correction | fields


# day        0                  25 (late)           30        31        55        W
# activity   x------------------x-------------------|---------x---------|
# said       1 active                               2 silent  3 active
# withdrawn                                         5 (of 2)  4 (of 3)
SILENT_IN_ERROR: Final = [
    said(1, 0, None, "active"),
    said(2, 30, "active", "silent"),
    said(3, 31, "silent", "active"),
    said(4, 31, "active", "silent", corrects=3),
    said(5, 30, "silent", "active", corrects=2),
]


def test_withdrawn_changes_and_withdrawals_are_no_effective_history() -> None:
    assert effective(SILENT_IN_ERROR) == {"u": {ANY_ACTIVITY: [(0, None, "active")]}}
    assert follow(SILENT_IN_ERROR) == {"u": {ANY_ACTIVITY: "active"}}


def test_a_user_whose_changes_were_all_withdrawn_has_no_effective_history() -> None:
    assert effective([said(1, 0, None, "active"), said(2, 0, "active", None, corrects=1)]) == {}


def test_effective_history_is_sorted_by_time_and_then_as_said() -> None:
    changes = [said(1, 9, None, "b"), said(2, 9, "b", None, corrects=1), said(3, 9, None, "c"), said(4, 9, "c", "d")]
    assert effective(changes) == {"u": {ANY_ACTIVITY: [(9, None, "c"), (9, "c", "d")]}}
    out_of_order = [said(1, 9, "a", "b"), said(2, 5, None, "a")]
    assert effective(out_of_order) == {"u": {ANY_ACTIVITY: [(5, None, "a"), (9, "a", "b")]}}


def test_other_tags_are_left_out() -> None:
    assert effective([said(1, 0, "odd", "gold", tag="vip")]) == {}
    assert follow([said(1, 0, "odd", "gold", tag="vip")]) == {}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ([said(1, 0, None, "active"), said(1, 1, "active", "silent")], "used twice"),
        ([said(2, 0, "active", None, corrects=1), said(1, 0, None, "active")], "no ordinary change before"),
        ([*SILENT_IN_ERROR, said(6, 30, "active", "silent", corrects=5)], "no ordinary change before"),
        ([*SILENT_IN_ERROR, said(6, 30, "silent", "active", corrects=2)], "a second time"),
        ([said(1, 0, None, "active"), said(2, 1, "active", None, corrects=1)], "not the inverse"),
        ([said(1, 0, None, "active"), said(2, 0, None, "active", corrects=1)], "not the inverse"),
        ([said(1, 0, None, "active"), said(2, 0, "active", None, corrects=1, tag=PURCHASES)], "not the inverse"),
        ([said(1, 0, None, "active"), said(2, 0, "active", None, corrects=1, user_id="v")], "not the inverse"),
        ([said(1, 0, "lost", "active")], "should start from"),
        ([said(1, 0, None, "active"), said(2, 1, "silent", "lost")], "should start from"),
    ],
)
def test_what_may_not_be_said_is_noticed(changes: list[Wire], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        effective(changes)


def test_a_leap_is_noticed_by_who_only_follows() -> None:
    with pytest.raises(AssertionError, match="should start from"):
        follow([said(1, 9, "a", "b"), said(2, 5, None, "a")])


@given(limits())
def test_storms_have_limits_that_a_late_event_can_correct(drawn: StormLimits) -> None:
    own, lateness_ms = drawn.lifecycle, drawn.lateness_ms
    assert 0 < lateness_ms < own.silent_ms < own.lost_ms
    assert lateness_ms < own.purchase_silent_ms < own.purchase_lost_ms


@FEWER
@given(storms())
def test_no_event_of_a_storm_is_later_than_allowed(storm: Storm) -> None:
    for lane in storm.lanes.values():
        bound = 0
        for record, (key, _) in zip(lane, merge_keys(lane), strict=True):
            if record["type"] == "tick":
                bound = max(bound, instant(record) + 1)
            else:
                bound = max(bound, instant(record))
                assert bound - instant(record) <= storm.lateness_ms
            assert key == bound


@FEWER
@given(storms())
def test_a_storm_ends_with_ticks_that_release_everything(storm: Storm) -> None:
    assert all(lane[-1] == {"type": "tick", "ts": storm.until} for lane in storm.lanes.values())
    events = [record for lane in storm.lanes.values() for record in lane if record["type"] != "tick"]
    assert len(storm.all_arrivals()) == len(events)
    assert storm.all_arrivals() == [e for p in range(storm.partitions) for e in storm.arrivals(p, storm.watermark)]
    assert all(instant(event) < storm.watermark for event in events)


@FEWER
@given(storms())
def test_the_chunks_of_a_storm_cover_every_lane_in_its_order(storm: Storm) -> None:
    taken: dict[tuple[int, str], list[Wire]] = {lane: [] for lane in storm.lanes}
    for partition, topic, first_offset, payloads in storm.chunks():
        assert payloads
        assert first_offset == len(taken[partition, topic])
        taken[partition, topic] += [json.loads(payload) for payload in payloads]
    assert taken == storm.lanes
    assert set(taken) == {(partition, topic) for partition in range(storm.partitions) for topic in TOPICS}


@FEWER
@given(storms())
def test_the_records_of_a_storm_are_in_their_lane(storm: Storm) -> None:
    for (partition, topic), lane in storm.lanes.items():
        for record in (record for record in lane if record["type"] != "tick"):
            assert f"events.{record['type']}" == topic
            assert partition_of(record["user_id"], storm.partitions) == partition


@FEWER
@given(storms())
def test_the_copies_of_a_storm_are_exact_and_soon(storm: Storm) -> None:
    arrivals = storm.all_arrivals()
    assert max(Counter(event["user_id"] for event in arrivals).values(), default=0) <= 64
    first: dict[tuple[str, str, str], Wire] = {}
    for record in arrivals:
        assert first.setdefault((record["user_id"], record["type"], record["event_id"]), record) == record


@FEWER
@given(storms(), st.data())
def test_what_a_merge_has_released_is_below_its_watermark(storm: Storm, data: st.DataObject) -> None:
    watermark = data.draw(st.sampled_from([instant(record) for lane in storm.lanes.values() for record in lane]))
    for partition in range(storm.partitions):
        released = storm.arrivals(partition, watermark)
        assert released == storm.arrivals(partition)[: len(released)]
        assert all(instant(event) < watermark for event in released)


@FEWER
@given(storms(erasing=False))
def test_a_storm_erases_nobody_unless_asked(storm: Storm) -> None:
    assert not any(event.get("kind") == "erased" for event in storm.all_arrivals())
