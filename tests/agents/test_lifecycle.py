"""Silent, lost and back: by time, by a jump, and as a late activity proves what was said wrong.

In the timelines `x` is an activity, `o` one that comes late, `|` a due time, `W` how far time had come.
"""

import pytest
from msgspec import UNSET

from agents.journal import Journal
from agents.lifecycle import Move, end, forget_settled, insert, is_routine, moves_between, next_due, pass_time
from agents.limits import DEFAULT_LIMITS, Limits, Span
from schemas.changes import LIFECYCLE, TagChange
from schemas.times import DAY_MS, NEVER
from tables.lifecycle import ACTIVE, LOST, SILENT, UNACTIVATED, Lifecycle, State
from tables.row import Row
from tables.said import Said
from tests.agents.drive import LATENESS, TIGHT, Story, click, day, order

SPAN = Span(silent_ms=30, lost_ms=60)


def one_click(limits: Limits = DEFAULT_LIMITS) -> Story:
    story = Story(limits)
    assert story.apply(click(day(0))) == [
        "1 lifecycle: null -> active at 0d (click:0d)",
        "2 lifecycle.purchase: null -> unactivated at 0d (click:0d)",
    ]
    return story


# day        0                            30
# activity   x----------------------------|
# lifecycle  active                       silent, said once W is past it
def test_silence_is_said_once_the_watermark_is_past_it() -> None:
    story = one_click()
    assert story.watermark(day(30, -1)) == []
    assert story.watermark(day(30)) == []
    assert story.watermark(day(30, 1)) == ["3 lifecycle: active -> silent at 30d (timer)"]
    assert story.watermark(day(59)) == []


def test_silence_within_an_hour_waits_for_its_millisecond_too() -> None:
    story = Story()
    story.apply(click(day(0, 1234)))
    assert story.watermark(day(30, 1234)) == []
    assert story.watermark(day(30, 1235)) == ["3 lifecycle: active -> silent at 30d+1234ms (timer)"]


# day        0                            30                            60
# activity   x----------------------------x-----------------------------|
# lifecycle  active                                                     silent
@pytest.mark.parametrize("watermark", [day(0), day(30)], ids=["by-a-jump", "by-time"])
def test_an_activity_at_exactly_the_silent_limit_is_in_time(watermark: int) -> None:
    story = one_click()
    story.watermark(watermark)
    assert story.apply(click(day(30))) == []
    assert story.watermark(day(60)) == []
    assert story.watermark(day(60, 1)) == ["3 lifecycle: active -> silent at 60d (timer)"]


# day        0                            30 +1 ms
# activity   x----------------------------|-x
# lifecycle  active                       silent, active
def test_an_activity_a_millisecond_after_the_silent_limit_comes_back_from_silence() -> None:
    assert one_click().apply(click(day(30, 1))) == [
        "3 lifecycle: active -> silent at 30d (timer)",
        "4 lifecycle: silent -> active at 30d+1ms (click:30d+1ms)",
    ]


# day        0                            30                            60
# activity   x----------------------------|-----------------------------x
# lifecycle  active                       silent                        active
def test_an_activity_at_exactly_the_lost_limit_comes_before_the_loss() -> None:
    story = one_click()
    assert story.watermark(day(60)) == ["3 lifecycle: active -> silent at 30d (timer)"]
    assert story.apply(click(day(60))) == ["4 lifecycle: silent -> active at 60d (click:60d)"]


# day        0                            30                            60 +1 ms
# activity   x----------------------------|-----------------------------|-x
# lifecycle  active                       silent                        lost, active
def test_an_activity_a_millisecond_after_the_lost_limit_comes_back_from_loss() -> None:
    assert one_click().apply(click(day(60, 1))) == [
        "3 lifecycle: active -> silent at 30d (timer)",
        "4 lifecycle: silent -> lost at 60d (timer)",
        "5 lifecycle: lost -> active at 60d+1ms (click:60d+1ms)",
    ]


# day        0                            30                            60             100
# activity   x----------------------------|-----------------------------|--------------W
# lifecycle  active                       silent                        lost
def test_time_that_jumps_over_both_limits_says_both_each_at_its_due_time() -> None:
    story = one_click()
    assert story.watermark(day(100)) == [
        "3 lifecycle: active -> silent at 30d (timer)",
        "4 lifecycle: silent -> lost at 60d (timer)",
    ]
    assert story.watermark(day(1000)) == []


# day        0        30       60   70       100      130
# activity   x--------|--------|----x--------|--------|
# lifecycle  active   silent   lost active   silent   lost
def test_who_comes_back_falls_silent_and_is_lost_again() -> None:
    story = one_click()
    story.apply(click(day(70)))
    assert story.watermark(day(200)) == [
        "6 lifecycle: active -> silent at 100d (timer)",
        "7 lifecycle: silent -> lost at 130d (timer)",
    ]


# day        0              20                       50                       80
# order      x--------------|------------------------|------------------------|
# lifecycle  active         silent (purchase)        lost (purchase)          W
def test_each_lifecycle_has_limits_of_its_own() -> None:
    story = Story(Limits(purchase=Span(20 * DAY_MS, 50 * DAY_MS)))
    story.apply(order(day(0)))
    assert story.watermark(day(80)) == [
        "3 lifecycle.purchase: active -> silent at 20d (timer)",
        "4 lifecycle: active -> silent at 30d (timer)",
        "5 lifecycle.purchase: silent -> lost at 50d (timer)",
        "6 lifecycle: silent -> lost at 60d (timer)",
    ]


# day        0                        29  30   W 31                        59
# activity   x------------------------o---|----                            |
# lifecycle  active                       (silent)                         silent
def test_a_late_activity_takes_back_the_silence_and_time_counts_from_it() -> None:
    story = one_click()
    story.watermark(day(31))
    assert story.apply(click(day(29))) == ["4 lifecycle: silent -> active at 30d, takes back 3 (click:29d)"]
    assert story.watermark(day(59)) == []
    assert story.watermark(day(59, 1)) == ["5 lifecycle: active -> silent at 59d (timer)"]


# day        0                            30   W 31
# activity   x----------------------------o----
# lifecycle  active                       (silent)
def test_a_late_activity_at_exactly_the_limit_takes_back_the_silence() -> None:
    story = one_click()
    story.watermark(day(31))
    assert story.apply(click(day(30))) == ["4 lifecycle: silent -> active at 30d, takes back 3 (click:30d)"]


# day        0                            30 +1 ms   W 31
# activity   x----------------------------|-o--------
# lifecycle  active                       silent, active
def test_a_late_activity_just_after_the_limit_leaves_the_silence_and_comes_back() -> None:
    story = one_click()
    story.watermark(day(31))
    assert story.apply(click(day(30, 1))) == ["4 lifecycle: silent -> active at 30d+1ms (click:30d+1ms)"]


# day        0                  30                  55   60   W 61              85
# activity   x------------------|-------------------o----|----                  |
# lifecycle  active             silent              active (lost)               silent
def test_a_late_activity_takes_back_the_loss_alone() -> None:
    story = one_click()
    story.watermark(day(61))
    assert story.apply(click(day(55))) == [
        "5 lifecycle: lost -> silent at 60d, takes back 4 (click:55d)",
        "6 lifecycle: silent -> active at 55d (click:55d)",
    ]
    assert story.watermark(day(100)) == ["7 lifecycle: active -> silent at 85d (timer)"]


# day        0           5       8    9    W 10         13
# activity   x-----------o-------|----|----             |
# lifecycle  active             (silent, lost)          silent     of 8 d and 9 d
def test_a_late_activity_takes_back_both_newest_first() -> None:
    story = one_click(TIGHT)
    story.watermark(day(10))
    assert story.apply(click(day(5))) == [
        "5 lifecycle: lost -> silent at 9d, takes back 4 (click:5d)",
        "6 lifecycle: silent -> active at 8d, takes back 3 (click:5d)",
    ]
    assert story.watermark(day(13, 1)) == ["7 lifecycle: active -> silent at 13d (timer)"]


# day        0                  30                  58   60    62
# activity   x------------------|-------------------o----|-----x
# lifecycle  active             silent              active (lost, active)
def test_a_late_activity_takes_back_a_loss_and_the_return_from_it_newest_first() -> None:
    story = one_click()
    story.apply(click(day(62)))
    assert story.apply(click(day(58))) == [
        "6 lifecycle: active -> lost at 62d, takes back 5 (click:58d)",
        "7 lifecycle: lost -> silent at 60d, takes back 4 (click:58d)",
        "8 lifecycle: silent -> active at 58d (click:58d)",
    ]
    assert story.watermark(day(92)) == []
    assert story.watermark(day(92, 1)) == ["9 lifecycle: active -> silent at 92d (timer)"]


# day        0                            30   33
# activity   x----------------------------o----x
# lifecycle  active                       (silent, active)
def test_a_late_activity_takes_back_a_silence_and_the_return_from_it() -> None:
    story = one_click()
    story.apply(click(day(33)))
    assert story.apply(click(day(30))) == [
        "5 lifecycle: active -> silent at 33d, takes back 4 (click:30d)",
        "6 lifecycle: silent -> active at 30d, takes back 3 (click:30d)",
    ]
    life = story.row().lifecycle
    assert (life.last, life.gap_start, life.gap_end) == (day(33), None, 0)


# day        0                  30                  60        63     66
# activity   x------------------|-------------------|---------o------x
# lifecycle  active             silent              lost      active (active)
def test_a_late_activity_takes_back_a_return_that_came_earlier() -> None:
    story = one_click()
    story.apply(click(day(66)))
    assert story.apply(click(day(63))) == [
        "6 lifecycle: active -> lost at 66d, takes back 5 (click:63d)",
        "7 lifecycle: lost -> active at 63d (click:63d)",
    ]


# day        0             30    31    32    33    34
# activity   x-------------|-----o2----------o1----x       o3 at 32 comes last, and o4 at 30
# lifecycle  active        silent
def test_the_gap_is_split_again_and_again() -> None:
    story = one_click()
    story.apply(click(day(34)))
    assert story.apply(click(day(33))) == [
        "5 lifecycle: active -> silent at 34d, takes back 4 (click:33d)",
        "6 lifecycle: silent -> active at 33d (click:33d)",
    ]
    assert story.apply(click(day(31))) == [
        "7 lifecycle: active -> silent at 33d, takes back 6 (click:31d)",
        "8 lifecycle: silent -> active at 31d (click:31d)",
    ]
    assert story.apply(click(day(32))) == []
    assert story.apply(click(day(30))) == [
        "9 lifecycle: active -> silent at 31d, takes back 8 (click:30d)",
        "10 lifecycle: silent -> active at 30d, takes back 3 (click:30d)",
    ]
    assert story.apply(click(day(29))) == []


# day        0             30    33    39
# activity   x-------------|--o--x-----x        o at 32, 7 d late: the gap is older than the newest activities
# lifecycle  active        silent
def test_the_newest_gap_is_remembered_while_activities_go_on() -> None:
    story = one_click()
    story.apply(click(day(33)), *[click(day(33 + n)) for n in range(1, 7)])
    assert story.apply(click(day(32))) == [
        "5 lifecycle: active -> silent at 33d, takes back 4 (click:32d)",
        "6 lifecycle: silent -> active at 32d (click:32d)",
    ]


# day        0         30        60     65     71
# activity   x---------|---------|--o---x------|        o at 64 comes when W is 71; limits of 30 and 60 d
# order      x---------|---------|------x
def test_one_late_order_corrects_both_lifecycles() -> None:
    story = Story()
    story.apply(order(day(0), "o1"), order(day(65), "o2", order_id="p"))
    story.watermark(day(71))
    assert story.apply(order(day(64), "o3", order_id="q")) == [
        "9 lifecycle: active -> lost at 65d, takes back 5 (order:o3)",
        "10 lifecycle: lost -> active at 64d (order:o3)",
        "11 lifecycle.purchase: active -> lost at 65d, takes back 8 (order:o3)",
        "12 lifecycle.purchase: lost -> active at 64d (order:o3)",
    ]


# day        0                            30         37
# activity   x----------------------------o----------W       7 d late, and 7 d + 1 ms
# lifecycle  active                       (silent)
def test_lateness_of_exactly_the_allowed_corrects_and_a_millisecond_more_does_not() -> None:
    story = one_click()
    story.watermark(day(37))
    assert story.apply(click(day(30)), now=day(30) + LATENESS) == [
        "4 lifecycle: silent -> active at 30d, takes back 3 (click:30d)"
    ]
    story = one_click()
    story.watermark(day(37))
    assert story.apply(click(day(30)), now=day(30) + LATENESS + 1) == []
    assert story.states() == ("silent", "unactivated")


def test_what_is_said_after_a_withdrawal_can_be_withdrawn_in_its_turn() -> None:
    # ---x(0)---|30---W31   o(29): back   ---|59---W60   o(58): back again
    story = one_click()
    story.watermark(day(31))
    story.apply(click(day(29)))
    story.watermark(day(60))
    assert story.apply(click(day(58))) == ["6 lifecycle: silent -> active at 59d, takes back 5 (click:58d)"]
    assert story.history["u"]["lifecycle"] == [(day(0), None, "active")]


@pytest.mark.parametrize(
    ("state", "due"),
    [(None, NEVER), (UNACTIVATED, NEVER), (ACTIVE, 35), (SILENT, 65), (LOST, NEVER)],
)
def test_time_moves_only_who_is_active_or_silent(state: State | None, due: int) -> None:
    assert next_due(Lifecycle(state=state, last=5), SPAN) == due


@pytest.mark.parametrize(
    ("following", "moves"),
    [
        (30, []),
        (31, [(30, "active", "silent"), (31, "silent", "active")]),
        (60, [(30, "active", "silent"), (60, "silent", "active")]),
        (61, [(30, "active", "silent"), (60, "silent", "lost"), (61, "lost", "active")]),
    ],
)
def test_between_two_activities_what_their_distance_makes_true_is_said(
    following: int, moves: list[tuple[int, State, State]]
) -> None:
    assert moves_between(0, following, SPAN) == [Move(*move) for move in moves]


@pytest.mark.parametrize(
    ("ts", "routine"),
    [(1, False), (9, False), (10, True), (11, True), (40, True), (41, False)],
)
def test_routine_is_what_follows_the_newest_activity_within_the_silent_limit(ts: int, routine: bool) -> None:
    assert is_routine(Lifecycle(state=ACTIVE, first=5, last=10), ts, SPAN) is routine


@pytest.mark.parametrize(
    "life",
    [
        Lifecycle(state=ACTIVE, first=10, last=10),
        Lifecycle(state=SILENT, first=5, last=10),
        Lifecycle(state=UNACTIVATED, last=0),
        Lifecycle(),
    ],
    ids=["a-tie-of-the-first", "silent", "unactivated", "nothing"],
)
def test_what_may_change_the_first_or_bring_somebody_back_is_no_routine(life: Lifecycle) -> None:
    assert not is_routine(life, 10, SPAN)


def test_time_passes_up_to_a_bound_that_is_not_included() -> None:
    life, journal = Lifecycle(state=ACTIVE, first=0, last=0), Journal(Row(), "u", "timer")
    pass_time(LIFECYCLE, life, SPAN, 30, journal)
    assert (life.state, journal.changes) == (ACTIVE, [])
    pass_time(LIFECYCLE, life, SPAN, 60, journal)
    assert life.state == SILENT
    pass_time(LIFECYCLE, life, SPAN, 61, journal)
    assert life.state == LOST
    assert [change.at for change in journal.changes] == [30, 60]


def test_an_activity_at_an_instant_that_is_known_changes_nothing() -> None:
    life, journal = Lifecycle(state=ACTIVE, first=0, last=40, gap_start=0, gap_end=40), Journal(Row(), "u", "c")
    for ts in (0, 40):
        insert(LIFECYCLE, life, ts, SPAN, journal)
    assert (journal.changes, life.gap_start, life.gap_end, life.last) == ([], 0, 40, 40)


# at         0      30     35     65
# said       active silent active silent    and then the end, at ever earlier times
@pytest.mark.parametrize(
    ("at", "told"),
    [
        (66, ["silent -> None at 66"]),
        (65, ["takes back 4", "active -> None at 65"]),
        (35, ["takes back 4", "active -> None at 35"]),
        (34, ["takes back 4", "takes back 3", "silent -> None at 34"]),
        (30, ["takes back 4", "takes back 3", "takes back 2", "active -> None at 30"]),
        (0, ["takes back 4", "takes back 3", "takes back 2", "active -> None at 0"]),
        (-1, ["takes back 4", "takes back 3", "takes back 2", "takes back 1"]),
    ],
)
def test_an_end_takes_back_what_was_said_of_later_times(at: int, told: list[str]) -> None:
    said: list[Said[State]] = [Said(0, None, ACTIVE, 1), Said(30, ACTIVE, SILENT, 2), Said(35, SILENT, ACTIVE, 3)]
    life = Lifecycle(state=SILENT, first=0, last=35, said=[*said, Said(65, ACTIVE, SILENT, 4)])
    journal = Journal(Row(sequence=4), "u", "profile:E")
    end(LIFECYCLE, life, at, journal)
    assert [_in_short(change) for change in journal.changes] == told


def _in_short(change: TagChange) -> str:
    if change.corrects is UNSET:
        return f"{change.from_} -> {change.to} at {change.at}"
    return f"takes back {change.corrects.rsplit('/', 1)[1]}"


def test_a_lifecycle_that_says_nothing_ends_without_a_word() -> None:
    journal = Journal(Row(), "u", "profile:E")
    end(LIFECYCLE, Lifecycle(), 5, journal)
    assert journal.changes == []


def test_settled_changes_are_forgotten_and_those_of_the_newest_gap_are_not() -> None:
    said: list[Said[State]] = [Said(at, None, ACTIVE, at) for at in (5, 10, 11, 30, 35, 50)]
    life = Lifecycle(state=ACTIVE, first=5, last=50, gap_start=10, gap_end=45, said=said)
    forget_settled(life, 10)
    assert [each.at for each in life.said] == [10, 11, 30, 35, 50]
    forget_settled(life, 40)
    assert [each.at for each in life.said] == [11, 30, 35, 50]
    life.gap_start = None
    forget_settled(life, 35)
    assert [each.at for each in life.said] == [35, 50]
    forget_settled(life, 51)
    assert life.said == []


def test_what_is_remembered_of_a_long_life_stays_small() -> None:
    # ---x---|30--|60--x---|30--|60--x---   a hundred times, each activity twice, the second one late
    story = Story()
    for turn in range(100):
        story.apply(order(day(90 * turn), f"a{turn}"), order(day(90 * turn - 5), f"b{turn}"), now=day(90 * turn))
    row = story.row()
    assert max(len(row.lifecycle.said), len(row.purchase.said)) <= 6
