"""Lessons: what a trigger has brought is told once, when its window and the allowed lateness are over.

```
day   0        30 T                 31            38
      x click     |----- window ----|-- lateness --|> lesson
```
"""

from typing import Any, Final

import pytest
from msgspec.structs import replace

from agents.churn.grid import Grid
from agents.limits import DEFAULT_LIMITS
from agents.recall.campaign import Campaign, Channel, On
from agents.recall.campaigns import Campaigns
from agents.rules.rulebook import Rulebook
from schemas.examples import Lesson, Swept, user_key
from schemas.recall import RecallDecision, RecallTrigger
from schemas.times import DAY_MS, HOUR_MS
from tests.agents.drive import LATENESS, Story, click, day, erased, message, order, profile

CHANNELS: Final = (Channel("push", 1), Channel("sms", 5), Channel("coupon", 100))
DUE: Final = day(30)
KNOWN_AT: Final = day(31) + LATENESS


def campaign(**fields: Any) -> Campaign:
    made = Campaign("silent", CHANNELS, on=On("lifecycle", "silent"), learned=True, value=200, falls_back=True)
    return made._replace(**fields)


class Told(Story):
    """A story of user `u`, who agrees to push and sms and comes on day 0; what campaigns say of it."""

    def __init__(self, only: Campaign | None = None, *, grid: Grid | None = None) -> None:
        campaigns = Campaigns((only or campaign(),))
        super().__init__(replace(DEFAULT_LIMITS, churn=grid), Rulebook((), campaigns=campaigns))
        agreed = {"push": True, "sms": True}
        self.apply(profile(day(0), "p", consent=agreed, reachable=["push", "sms", "email"]), click(day(0)))

    def come_to_trigger(self) -> RecallTrigger:
        self.watermark(DUE + 1)
        return self.said()[0]

    def said(self) -> tuple[RecallTrigger, RecallDecision]:
        (trigger,), (decision,) = self.partition.desk.said.take()
        return trigger, decision

    def lessons(self) -> list[Lesson]:
        return self.partition.desk.lessons.take()


def test_a_lesson_is_told_when_window_and_lateness_are_over_and_only_once() -> None:
    story = Told()
    trigger = story.come_to_trigger()
    story.watermark(KNOWN_AT)
    assert story.lessons() == []
    story.watermark(KNOWN_AT + 1)
    (lesson,) = story.lessons()
    assert (lesson.user, lesson.campaign, lesson.channel) == (user_key("u"), "silent", trigger.recall_channel)
    assert (lesson.at, lesson.as_of) == (DUE, KNOWN_AT)
    story.watermark(day(100))
    story.apply(click(day(100)), order(day(101)))
    assert story.lessons() == []


def test_it_tells_the_chances_that_the_decision_told() -> None:
    story = Told()
    story.watermark(DUE + 1)
    _, decision = story.said()
    assert decision.propensities == pytest.approx({"push": 1 / 3, "sms": 1 / 3, "coupon": 1 / 3})
    assert decision.policy == "uniform"
    story.watermark(day(60))
    (lesson,) = story.lessons()
    assert lesson.propensities == decision.propensities


def test_a_channel_without_consent_has_no_chance() -> None:
    story = Told()
    story.apply(profile(day(1), consent={"sms": False}))
    story.watermark(DUE + 1)
    _, decision = story.said()
    assert decision.propensities == {"push": 0.5, "coupon": 0.5}


COSTS: Final = {channel.name: channel.cost for channel in CHANNELS}


def test_who_does_nothing_brings_what_was_spent() -> None:
    story = Told()
    trigger = story.come_to_trigger()
    story.watermark(day(60))
    assert [each.reward for each in story.lessons()] == [-COSTS[trigger.recall_channel]]


def test_a_recall_brings_its_value_and_purchases_their_amounts_late_ones_too() -> None:
    story = Told()
    cost = COSTS[story.come_to_trigger().recall_channel]
    story.apply(click(DUE + HOUR_MS, "c1"), click(DUE + 2 * HOUR_MS, "c2"))
    story.apply(order(DUE + 3 * HOUR_MS, "o1", order_id="1", total=10), click(day(31, 1), "c3"))
    story.apply(order(day(31, 2), "o2", order_id="2", total=70))
    story.apply(order(DUE + 4 * HOUR_MS, "o3", order_id="3", total=2.5), now=KNOWN_AT - 1)
    story.watermark(KNOWN_AT + 1)
    assert [each.reward for each in story.lessons()] == [200 + 1000 + 250 - cost]


def test_a_purchase_that_is_corrected_counts_as_it_is_in_the_end() -> None:
    story = Told()
    cost = COSTS[story.come_to_trigger().recall_channel]
    story.apply(order(DUE + 2, "o1", total=10), order(DUE + 1, "o2", total=4), now=day(32))
    story.watermark(KNOWN_AT + 1)
    (bought,) = story.row().orders.values()
    assert [each.reward for each in story.lessons()] == [200 + bought.amount - cost]


@pytest.mark.parametrize("kinds", [("failed",), ("sent",), ("sent", "failed")])
def test_a_message_that_was_never_sent_costs_nothing(kinds: tuple[str, ...]) -> None:
    story = Told(campaign(falls_back=False))
    trigger = story.come_to_trigger()
    for number, kind in enumerate(kinds):
        story.apply(message(DUE + 1 + number, kind, kind=kind, trigger_id=trigger.id))
    story.watermark(day(60))
    cost = 0 if kinds == ("failed",) else COSTS[trigger.recall_channel]
    assert [each.reward for each in story.lessons()] == [-cost]


def test_after_a_failure_the_choice_is_among_the_channels_behind_and_each_trigger_is_a_lesson() -> None:
    story = Told(campaign(channels=CHANNELS[1:]))
    story.apply(profile(day(1), "p2", consent={"sms": True}))
    first = story.come_to_trigger()
    story.apply(message(DUE + 1, kind="failed", trigger_id=first.id))
    story.watermark(day(60))
    told = [(each.channel, sorted(each.propensities)) for each in story.lessons()]
    expected = [("sms", ["coupon", "sms"]), ("coupon", ["coupon"])]
    assert told == expected[: len(told)] if first.recall_channel == "sms" else told == [("coupon", ["coupon", "sms"])]


def test_what_is_known_at_the_decision_does_not_change_with_what_follows() -> None:
    quiet, busy = Told(), Told()
    for story in (quiet, busy):
        story.come_to_trigger()
    busy.apply(click(DUE + 1, "c"), order(DUE + 2, total=500))
    contexts = []
    for story in (quiet, busy):
        story.watermark(day(60))
        contexts += [each.context for each in story.lessons() if each.at == DUE]
    assert contexts[0] == contexts[1]
    assert contexts[0]["recency"] == pytest.approx(3.434, abs=0.001)  # ln(1 + 30)


@pytest.mark.parametrize(
    "fields",
    [{"learned": False}, {"is_test": True}, {"mode": "shadow"}, {"mode": "paused"}, {"hold_out": 1.0}],
)
def test_there_is_nothing_to_learn_where_nothing_was_drawn_or_nobody_was_told(fields: dict[str, Any]) -> None:
    story = Told(campaign(**fields))
    story.watermark(day(60))
    assert story.lessons() == []


def test_who_is_held_out_has_a_channel_with_its_chances_all_the_same() -> None:
    story = Told(campaign(hold_out=1.0))
    story.watermark(DUE + 1)
    _, (decision,) = story.partition.desk.said.take()
    assert decision.outcome == "held_out"
    assert isinstance(decision.propensities, dict)
    assert len(decision.propensities) == 3


def test_a_trigger_that_was_taken_back_teaches_nothing() -> None:
    story = Told()
    story.come_to_trigger()
    story.apply(click(day(29), "late"), now=day(31))
    assert any(each.rev for each in story.partition.desk.said.take()[0])
    story.watermark(day(58))
    assert story.lessons() == []


def test_nothing_is_learnt_of_who_was_erased() -> None:
    story = Told()
    story.come_to_trigger()
    story.apply(erased(DUE + HOUR_MS), now=DUE + HOUR_MS)
    story.watermark(day(100))
    assert story.lessons() == []


def test_what_is_to_be_learnt_survives_a_restart() -> None:
    story = Told()
    story.come_to_trigger()
    story.apply(order(DUE + 1, total=3))
    story.cool()
    row = story.row()
    story.partition.table.schedule("u", row, row.recall_due)
    story.watermark(KNOWN_AT + 1)
    assert [each.reward + COSTS[each.channel] for each in story.lessons()] == [500]


def test_lessons_go_before_the_word_that_their_instant_is_done_with() -> None:
    story = Told(grid=Grid(DAY_MS, 30 * DAY_MS, lateness_ms=0))
    story.watermark(KNOWN_AT + 2 * DAY_MS)
    examples = list(story.partition.collect().examples)
    (lesson,) = [place for place, each in enumerate(examples) if isinstance(each, Lesson)]
    swept = next(place for place, each in enumerate(examples) if isinstance(each, Swept) and each.as_of >= KNOWN_AT)
    assert lesson < swept


def test_without_models_of_churn_there_is_nobody_to_tell() -> None:
    story = Told()
    story.watermark(day(60))
    assert story.partition.collect().examples == ()
    assert story.lessons() == []
