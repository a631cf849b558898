"""When rules are worked out, and what is said of it. `x` an event, `|` what time alone says."""

from typing import Final

import msgspec
import pytest

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from agents.rules.build import Draft, Drafts, build
from agents.rules.rulebook import NO_RULES, Rule, Rulebook
from agents.rules.view import View
from schemas.events import Scalar
from schemas.rules import Band, Choice, TagRule
from schemas.times import HOUR_MS, Millis
from tables.table import Table
from tests.agents.drive import Story, about, cart, click, day, erased, message, order, profile, tag
from tests.agents.drive import line as line_of
from tests.agents.drive import moment as _moment


def book(*rules: TagRule, version: int = 1) -> Rulebook:
    return build(Drafts([Draft(rule, ()) for rule in rules], version=version))


BUYER: Final = TagRule(name="buyer", when="orders(30d) >= 1")


def test_a_tag_comes_with_the_event_and_goes_at_the_midnight_that_its_window_leaves_behind() -> None:
    # day  0.5                    30
    #      x order                |       the day of the order is the oldest of 30 up to day 29
    story = Story(rulebook=book(BUYER))
    story.apply(order(day(0.5), "o"))
    story.watermark(day(30))
    assert told(story, "buyer") == ["buyer: null -> true at 1d-43200000ms (order:o)"]
    assert about("buyer", story.watermark(day(30, 1))) == ["buyer: true -> null at 30d (timer)"]


def test_an_instant_is_looked_at_once_whatever_its_ties() -> None:
    rulebook = book(TagRule(name="kinds", value="clicks() + 10 * carts()"))
    story = Story(rulebook=rulebook)
    story.apply(click(day(1), "a"), cart(day(1), "b"), click(day(1), "c"))
    assert about("kinds", story.watermark(day(1, 1))) == ["kinds: null -> 12 at 1d (click:c)"]


def test_what_time_changed_before_an_event_is_said_before_it() -> None:
    story = Story(rulebook=book(BUYER))
    story.apply(order(day(0)))
    lines = about("buyer", story.apply(order(day(40), order_id="p")))
    assert lines == ["buyer: null -> true at 0d (order:0d)", "buyer: true -> null at 30d (timer)"]
    assert about("buyer", story.watermark(day(41))) == ["buyer: null -> true at 40d (order:40d)"]


def test_what_an_event_does_not_touch_is_not_worked_out() -> None:
    asked: list[Millis] = []
    rulebook = book(BUYER)
    rule = rulebook.rules[0]

    def evaluate(view: View, held: Scalar) -> Scalar:
        asked.append(view.now)
        return rule.evaluate(view, held)

    story = Story(rulebook=Rulebook([rule._replace(evaluate=evaluate)], 1, "aaaaaaaa"))
    story.apply(click(day(0)), click(day(1)), order(day(2)), click(day(3)))
    story.watermark(day(4))
    assert asked == [day(0), day(2)]  # the first look is a whole one


# day      0                  3       5       7
#          o                  |early  |       |late       each is worked out at its own time alone
def test_where_only_time_passed_only_the_rules_whose_own_time_has_come_are_worked_out() -> None:
    asked: list[tuple[str, Millis]] = []

    def noted(rule: Rule) -> Rule:
        def evaluate(view: View, held: Scalar) -> Scalar:
            asked.append((rule.name, view.now))
            return rule.evaluate(view, held)

        return rule._replace(evaluate=evaluate)

    early, late = (TagRule(name=name, when="orders(3d) >= 1") for name in ("early", "late"))
    late = msgspec.structs.replace(late, when="orders(7d) >= 1")
    reader = TagRule(name="reader", value="tag('early')")
    story = Story(rulebook=Rulebook(map(noted, book(early, late, reader).rules), 1, "aaaaaaaa"))
    story.apply(order(day(0)))
    story.watermark(day(9))
    assert sorted(asked) == sorted(
        [(name, day(0)) for name in ("early", "late", "reader")]
        + [("early", day(3)), ("reader", day(3)), ("late", day(7))]
    )


# day      0        1        2       3 4              the orders leave the window one after the other
#          o  |     o  |     o  |
def test_a_daily_rule_follows_the_tags_that_it_reads() -> None:
    lately = TagRule(name="lately", value="orders(2d)")
    again = TagRule(name="again", value="tag('lately')")
    story = Story(rulebook=book(lately, again, TagRule(name="daily", value="tag('again')", daily=True)))
    story.apply(*(order(day(each + 0.5), order_id=str(each)) for each in range(3)))
    story.watermark(day(9))
    assert [line.split(" (")[0] for line in told(story, "daily")] == [
        "daily: null -> 1 at 1d-1ms",
        "daily: 1 -> 2 at 2d-1ms",
        "daily: 2 -> 1 at 4d-1ms",
        "daily: 1 -> 0 at 5d-1ms",
    ]


def test_what_the_orders_come_to_is_worked_out_anew_after_each_order() -> None:
    story = Story(rulebook=book(TagRule(name="greatest", value="max_order")))
    story.apply(order(day(0), order_id="a", total=5), order(day(1), order_id="b", total=9))
    story.apply(order(day(2), order_id="b", status="cancelled"))
    story.watermark(day(3))
    assert [line.split(" at ")[0] for line in told(story, "greatest")] == [
        "greatest: null -> 5.0",
        "greatest: 5.0 -> 9.0",
        "greatest: 9.0 -> 5.0",
    ]


def test_hysteresis_goes_by_the_value_at_the_end_of_the_day_before() -> None:
    # day      0      1        2          3
    # clicks   2      3        5          (none: 3 + 5 ... leave the window of 2 days)
    rule = TagRule(name="warmth", score="clicks(1d)", bands=[Band("cold", 3.0), Band("warm")], hysteresis=1.5)
    story = Story(rulebook=book(rule))
    for at, clicks in ((0, 2), (1, 3), (2, 5), (3, 2), (4, 1)):
        story.apply(*(click(day(at + 0.1 * number), f"{at}-{number}") for number in range(1, clicks + 1)))
    story.watermark(day(5))
    said = [line.split(" (")[0] for line in told(story, "warmth")]
    assert said == [
        "warmth: null -> cold at 0d+8640000ms",
        "warmth: cold -> warm at 3d-43200000ms",  # 5 clicks: past 3 + 1.5; 3 clicks on day 1 were not
        "warmth: warm -> cold at 3d",  # none yet on day 3: below 3 - 1.5
        "warmth: cold -> warm at 3d+17280000ms",  # 2 clicks: against yesterday's warm they are within 1.5
        "warmth: warm -> cold at 4d",
    ]


def test_what_happens_in_the_last_millisecond_of_a_day_is_seen_by_the_daily_rules_of_that_day() -> None:
    # day  0       1       1.5      2-1ms
    #      x click |       x click  x order    after the click all that reads clicks waits for the end of the day
    daily = TagRule(name="deeds", value="clicks() + 10 * orders()", daily=True)
    reads_orders = TagRule(name="points", value="10 * orders()", daily=True)
    story = Story(rulebook=book(daily, reads_orders, BUYER))
    story.apply(click(day(0)), click(day(1.5)), order(day(2, -1)))
    story.watermark(day(9))
    assert told(story, "deeds") == [
        "deeds: null -> 1 at 1d-1ms (timer)",
        "deeds: 1 -> 12 at 2d-1ms (order:2d-1ms)",
    ]
    assert told(story, "points")[-1] == "points: 0 -> 10 at 2d-1ms (order:2d-1ms)"


def test_a_value_whose_time_to_live_is_over_shows_nothing_until_the_rule_says_another() -> None:
    rule = TagRule(name="last", value="top(category)", ttl="36h")
    story = Story(rulebook=book(rule))
    story.apply(click(day(0), category="shoes"), click(day(1), category="shoes"))
    story.watermark(day(2.9))
    assert told(story, "last") == [
        "last: null -> shoes at 0d (click:0d)",
        "last: shoes -> null at 2d+43199999ms (timer)",
    ]
    story.apply(click(day(3), category="shoes"))
    assert about("last", story.watermark(day(4))) == []
    story.apply(*(click(day(5), f"h{number}", category="hats") for number in range(5)))
    assert about("last", story.watermark(day(5, 1))) == ["last: null -> hats at 5d (click:h4)"]


def test_of_a_group_only_the_tag_with_the_greatest_priority_stands() -> None:
    rulebook = book(
        TagRule(name="any", when="clicks() > 0", group="one", priority=1),
        TagRule(name="many", when="clicks() > 2", group="one", priority=2),
    )
    story = Story(rulebook=rulebook)
    story.apply(click(day(0), "a"), click(day(1), "b"), click(day(2), "c"))
    story.watermark(day(3))
    assert told(story, "any") == ["any: null -> true at 0d (click:a)", "any: true -> null at 2d (click:c)"]
    assert told(story, "many") == ["many: null -> true at 2d (click:c)"]


def test_a_tag_set_by_hand_hides_that_of_a_rule_until_it_ends() -> None:
    # day   0            1                2            4
    #       x order      x by hand: gold  x order     | the end of what was set by hand
    rule = TagRule(name="vip", values=[Choice("two", "orders() >= 2"), Choice("one", "orders() >= 1")])
    story = Story(rulebook=book(rule))
    story.apply(order(day(0)), tag(day(1), value="gold", ttl_ms=day(4) - day(1)), order(day(2), order_id="p"))
    story.watermark(day(5))
    assert told(story, "vip") == [
        "vip: null -> one at 0d (order:0d)",
        "vip: one -> gold at 1d (tag:1d)",
        "vip: gold -> two at 4d (timer)",
    ]


def test_removing_a_tag_set_by_hand_shows_that_of_the_rule_again() -> None:
    story = Story(rulebook=book(TagRule(name="vip", when="orders() >= 1")))
    story.apply(order(day(0)), tag(day(1), "t1", value="gold"), tag(day(2), "t2", value=None))
    story.watermark(day(3))
    assert told(story, "vip")[-1] == "vip: gold -> true at 2d (tag:t2)"


def test_who_unsubscribes_has_no_consent_from_then_on() -> None:
    story = Story(rulebook=book(TagRule(name="mail", when='consent("email")')))
    story.apply(profile(day(0), kind="consent", consent={"email": True}))
    story.apply(message(day(1), kind="opened"), message(day(2), kind="unsubscribed", recall_channel="email"))
    story.watermark(day(3))
    assert told(story, "mail") == ["mail: null -> true at 0d (profile:0d)", "mail: true -> null at 2d (message:2d)"]


def test_a_rule_reads_the_tags_of_others_and_the_lifecycles() -> None:
    rulebook = book(
        TagRule(name="sleeper", when="tag('buyer') and tag('lifecycle') == 'silent'"),
        TagRule(name="buyer", when="orders() >= 1"),
    )
    story = Story(rulebook=rulebook)
    story.apply(order(day(0)))
    said = story.watermark(day(70))
    assert about("sleeper", said) == [
        "sleeper: null -> true at 30d (timer)",
        "sleeper: true -> null at 60d (timer)",
    ]


def test_a_late_event_takes_back_what_proves_wrong_and_says_it_of_the_end_of_its_day() -> None:
    # day   0          2          3
    #       x order               |  looked at
    #          o late: a second order on day 1
    rule = TagRule(name="often", when="orders(30d) >= 2")
    story = Story(rulebook=book(rule, BUYER))
    story.apply(order(day(0)), click(day(3)))
    story.watermark(day(3, 1))
    said = story.apply(order(day(1.5), order_id="p"), now=day(3, 1))
    assert about("often", said) == ["often: null -> true at 2d-1ms (order:2d-43200000ms)"]
    assert about("buyer", said) == []


def test_a_late_cancellation_withdraws_the_tag() -> None:
    story = Story(rulebook=book(BUYER))
    story.apply(order(day(0)), click(day(3)))
    story.watermark(day(3, 1))
    said = story.apply(order(day(0), "x", status="cancelled"), now=day(3, 1))
    assert about("buyer", said) == ["buyer: true -> null at 0d, takes back 3 (order:x)"]


def test_an_erasure_takes_every_tag_to_null() -> None:
    story = Story(rulebook=book(BUYER))
    story.apply(order(day(0)), erased(day(1)))
    story.watermark(day(2))
    assert told(story, "buyer")[-1] == "buyer: true -> null at 1d (profile:1d)"


def test_a_daily_rule_knows_of_what_came_in_the_last_millisecond_of_the_day() -> None:
    # day   1                          2
    #          x order          x click|      another daily rule waits for that end of the day already
    daily = TagRule(name="bought", value="orders()", daily=True), TagRule(name="seen", value="clicks()", daily=True)
    story = Story(rulebook=book(*daily, TagRule(name="known", when="clicks() > 0")))
    story.apply(click(day(0), "a"))
    story.watermark(day(1))
    story.apply(order(day(1.5)), click(day(2, -1), "b"))
    assert about("seen", story.watermark(day(3))) == ["seen: 1 -> 2 at 2d-1ms (click:b)"]


def test_new_rules_are_said_when_the_user_is_touched_or_swept() -> None:
    old, new = book(BUYER), book(TagRule(name="customer", when="orders() >= 1", version=2), version=2)
    story = Story(rulebook=old)
    for user in ("u", "v"):
        story.apply(order(day(0), user_id=user))
    story.watermark(day(1))
    renew(story, new)
    assert story.partition.unswept == 2
    story.apply(click(day(2)))
    said = story.watermark(day(2, 1))
    assert about("buyer", said) == ["buyer: true -> null at 2d (click:2d)"]
    assert about("customer", said) == ["customer: null -> true at 2d (click:2d)"]
    story.partition.sweep(at_most=10)
    assert story.partition.unswept == 0
    assert [line.split(" ", 2)[2] for line in story.watermark(day(2, 1))] == [
        "buyer: true -> null at 1d (rules)",
        "customer: null -> true at 1d (rules)",
    ]
    assert story.partition.state.rules_mark == new.mark


def test_without_rules_all_tags_of_rules_go() -> None:
    story = Story(rulebook=book(BUYER))
    story.apply(order(day(0)))
    story.watermark(day(1))
    renew(story, NO_RULES)
    story.partition.sweep(at_most=10)
    assert about("buyer", story.watermark(day(1))) == ["buyer: true -> null at 1d (rules)"]


@pytest.mark.parametrize("at", [0.0, 0.5])
def test_hour_windows_move_by_the_hour(at: float) -> None:
    story = Story(rulebook=book(TagRule(name="now", when="clicks(2h) >= 1")))
    story.apply(click(day(at, 90)))
    story.watermark(day(at) + 2 * HOUR_MS)
    assert about("now", story.watermark(day(at) + 2 * HOUR_MS + 1)) == [
        f"now: true -> null at {_moment(day(at) + 2 * HOUR_MS)} (timer)"
    ]


def told(story: Story, name: str) -> list[str]:
    """All that was said of a tag."""
    return about(name, [line_of(each) for each in story.changes])


def renew(story: Story, rulebook: Rulebook) -> None:
    """A restart with other rules."""
    before = story.partition
    epoch = before.collect()
    story.changes += epoch.changes
    story.partition = Partition(0, DEFAULT_LIMITS, Table(), rulebook=rulebook)
    rows = {user.encode(): encoded for user, encoded in before.table.encoded_rows().items()}
    story.partition.resume(msgspec.structs.replace(epoch.state, watermark=day(1)), rows)
