"""A desk in a partition: what is decided when, what takes its place, and what is taken back."""

from typing import Any, Final

from msgspec import UNSET

from agents.partition import Partition
from agents.recall.campaign import Campaign, Channel, On, Quiet
from agents.recall.campaigns import Campaigns
from agents.rules.rulebook import Rulebook
from schemas.changes import TagChange, change_id
from schemas.events import AnyEvent
from schemas.recall import RecallDecision, RecallTrigger
from schemas.times import DAY_MS, HOUR_MS, Millis
from tables.row import Row
from tables.table import Table
from tests.agents.drive import TIGHT, click, day, erased, message, moment, order, profile, tag

EVENT: Final = Channel("event", 10)
PUSH: Final = Channel("push", 1)
VIP: Final = On("vip", "gold")


def campaign(name: str, on: On, *channels: Channel, **fields: Any) -> Campaign:
    return Campaign(name, channels or (EVENT,), on=on, **fields)


class Play:
    """A partition with campaigns; each decision is a line: campaign, outcome, reasons, time."""

    def __init__(self, *campaigns: Campaign, partitions: int = 1, number: int = 0) -> None:
        ranked = tuple(sorted(campaigns, key=lambda each: (-each.priority, each.name)))
        rulebook = Rulebook((), campaigns=Campaigns(ranked))
        self.partition = Partition(number, TIGHT, Table(), partitions, rulebook)
        self.triggers: list[RecallTrigger] = []
        self.decisions: list[RecallDecision] = []
        self._now = 0

    def apply(self, *events: AnyEvent) -> list[str]:
        for event in events:
            self._now = max(self._now, event.ts)
            self.partition.apply(event, self._now)
        return self._said()

    def until(self, reached: Millis) -> list[str]:
        self._now = max(self._now, reached)
        self.partition.advance(reached)
        self.partition.watermark = reached
        return self._said()

    def _said(self) -> list[str]:
        triggers, decisions = self.partition.desk.said.take()
        self.triggers += triggers
        self.decisions += decisions
        return [_line(each) for each in decisions]


def _row(play: Play) -> Row:
    row = play.partition.table.get("u")
    assert row is not None
    return row


def _line(each: RecallDecision) -> str:
    user = "" if each.user_id == "u" else f"{each.user_id} "
    why = f" ({', '.join(each.reasons)})" if each.reasons else ""
    return f"{user}{each.campaign}: {each.outcome}{why} at {moment(each.at)}"


def gold(at: Millis, event_id: str | None = None, **fields: Any) -> AnyEvent:
    return tag(at, event_id, value="gold", **fields)


def test_a_campaign_decides_at_the_change_once_time_has_passed_it() -> None:
    play = Play(campaign("c", VIP))
    assert play.apply(gold(day(1))) == []
    assert play.until(day(1)) == []
    assert play.until(day(1, 1)) == ["c: triggered at 1d"]
    (trigger,) = play.triggers
    assert (trigger.id, trigger.rev) == (play.decisions[0].id, 0)
    assert (trigger.at, trigger.expires_at, trigger.reason) == (day(1), day(4), "vip: gold")
    assert play.until(day(30)) == []


def test_a_campaign_that_waits_decides_so_much_later_by_what_is_true_then() -> None:
    play = Play(campaign("c", VIP._replace(after_ms=DAY_MS)))
    play.apply(gold(day(1)), tag(day(1, 5), user_id="v", value="gold"), tag(day(2, 4), "x", "v", value=None))
    assert play.until(day(3)) == ["c: triggered at 2d", "v c: suppressed (outdated) at 2d+5ms"]


def test_a_newer_change_takes_the_place_of_the_one_that_waits() -> None:
    play = Play(campaign("c", On("vip", None, DAY_MS)))
    play.apply(gold(day(1)))
    assert play.apply(tag(day(1, 9), value="silver")) == ["c: suppressed (superseded) at 2d"]
    assert play.until(day(3)) == ["c: triggered at 2d+9ms"]


def test_what_is_due_before_an_event_is_decided_before_it() -> None:
    play = Play(campaign("c", VIP, PUSH))
    play.apply(gold(day(1)))
    agreed = profile(day(1, 1), kind="consent", consent={"push": True}, reachable=["push"])
    assert play.apply(agreed) == ["c: suppressed (no_consent) at 1d"]


def test_quiet_hours_put_a_decision_off_until_they_end() -> None:
    play = Play(campaign("c", VIP, quiet=Quiet(0, 9 * 60)))
    play.apply(gold(day(1)))
    assert play.until(day(2)) == ["c: deferred (quiet_hours) at 1d", "c: triggered at 1d+32400000ms"]
    assert (play.decisions[0].until, play.triggers[0].expires_at) == (day(1) + 9 * HOUR_MS, day(4))


def test_of_two_at_one_instant_the_greater_priority_goes_and_the_name_decides_the_rest() -> None:
    play = Play(campaign("b", VIP, priority=1), campaign("c", VIP, priority=2), campaign("a", VIP, slot="s"))
    play.apply(gold(day(1)))
    assert play.until(day(2)) == ["c: triggered at 1d", "b: suppressed (outranked) at 1d", "a: triggered at 1d"]


def test_a_change_that_a_late_event_withdraws_takes_back_its_trigger_until_that_expires() -> None:
    for watermark, expected in ((day(11), ["c: cancelled (corrected) at 11d"]), (day(13, 1), [])):
        play = Play(campaign("c", On("lifecycle", "silent"), expiry_ms=5 * DAY_MS))
        play.apply(click(day(0)))
        assert play.until(watermark) == ["c: triggered at 8d"]
        assert play.apply(click(day(7))) == expected
        assert [each.rev for each in play.triggers] == ([0, 1] if expected else [0])
    play = Play(campaign("c", On("lifecycle", "silent"), expiry_ms=5 * DAY_MS))
    play.apply(click(day(0)))
    play.until(day(11))
    play.apply(click(day(7)))
    sent, cancelled = play.triggers
    assert (cancelled.id, cancelled.at, cancelled.expires_at) == (sent.id, sent.at, sent.expires_at)
    assert play.decisions[1].cancels == sent.id
    assert play.apply(click(day(6))) == []


def test_what_waits_is_cancelled_when_its_change_is_withdrawn() -> None:
    play = Play(campaign("c", On("lifecycle", "silent", 2 * DAY_MS)))
    play.apply(click(day(0)))
    assert play.until(day(8, 5)) == []
    assert play.apply(click(day(7))) == ["c: cancelled (corrected) at 10d"]
    assert play.until(day(30)) == ["c: suppressed (outdated) at 17d"]  # silent at 15d, lost at 16d
    assert play.triggers == []


def moved(number: int, from_: str | None, to: str | None, corrects: int | None = None) -> TagChange:
    """A change of the tag `vip` of the user `u` at 1d, as a rule would say or withdraw it."""
    taken_back = UNSET if corrects is None else change_id("u", "vip", day(1), corrects)
    ident = change_id("u", "vip", day(1), number)
    fields: dict[str, Any] = {"user_id": "u", "tag": "vip", "at": day(1), "cause": "click:c", "rule_version": 1}
    return TagChange(id=ident, from_=from_, to=to, corrects=taken_back, **fields)


def test_a_change_that_is_withdrawn_and_said_again_keeps_its_trigger() -> None:
    play = Play(campaign("c", VIP))
    play.apply(gold(day(1)))
    play.until(day(2))
    row, desk = _row(play), play.partition.desk
    (sent,) = row.recalls.sent
    first = int(sent.cause.rsplit("/", 1)[1])
    desk.hear(row, "u", [moved(7, "gold", None, first), moved(8, None, "gold")], day(2))
    assert (play.until(day(2, 1)), len(play.triggers)) == ([], 1)
    assert row.recalls.sent[0].cause == moved(8, None, "gold").id
    desk.hear(row, "u", [moved(9, "gold", None, 8)], day(2))
    assert play.until(day(2, 2)) == ["c: cancelled (corrected) at 2d"]


def test_a_change_that_is_said_again_and_withdrawn_at_once_is_taken_back() -> None:
    play = Play(campaign("c", VIP))
    play.apply(gold(day(1)))
    play.until(day(2))
    row, desk = _row(play), play.partition.desk
    first = int(row.recalls.sent[0].cause.rsplit("/", 1)[1])
    again = [moved(7, "gold", None, first), moved(8, None, "gold"), moved(9, "gold", None, 8)]
    desk.hear(row, "u", again, day(2))
    assert play.until(day(2, 1)) == ["c: cancelled (corrected) at 2d"]


def test_a_change_that_is_said_and_withdrawn_at_once_starts_nothing() -> None:
    play = Play(campaign("c", VIP))
    play.apply(click(day(1)))
    row = _row(play)
    play.partition.desk.hear(row, "u", [moved(7, None, "gold"), moved(8, "gold", None, 7)], day(1))
    assert row.packed_recalls is None


def test_what_follows_from_a_late_event_is_decided_now_and_not_in_the_past() -> None:
    play = Play(campaign("c", VIP))
    play.apply(click(day(5)))
    play.until(day(6))
    assert play.apply(gold(day(4))) == []
    assert play.until(day(7)) == ["c: triggered at 6d"]
    assert play.triggers[0].expires_at == day(7)


def test_no_decision_goes_by_a_word_that_is_newer_than_it() -> None:
    play = Play(campaign("c", VIP, PUSH))
    play.apply(profile(day(5), kind="consent", consent={"push": True}, reachable=["push"]), gold(day(4)))
    assert play.until(day(7)) == ["c: triggered at 5d"]


def test_who_is_erased_gets_nothing_more() -> None:
    waits = campaign("w", VIP._replace(after_ms=5 * DAY_MS))
    play = Play(campaign("c", VIP), waits)
    play.apply(gold(day(1)))
    play.until(day(2))
    assert play.apply(erased(day(3))) == ["w: cancelled (erased) at 6d", "c: cancelled (erased) at 3d"]
    assert [(each.campaign, each.rev) for each in play.triggers] == [("c", 0), ("c", 1)]
    assert play.until(day(40)) == []


def test_who_is_erased_after_all_expired_hears_of_no_cancellation() -> None:
    play = Play(campaign("c", VIP))
    play.apply(gold(day(1)))
    play.until(day(2))
    assert play.apply(erased(day(4))) == []


def failed(play: Play, at: Millis, number: int = -1) -> AnyEvent:
    return message(at, kind="failed", trigger_id=play.triggers[number].id)


def test_a_failure_leads_to_the_next_channel_until_there_is_none() -> None:
    play = Play(campaign("c", VIP, EVENT, Channel("gift"), falls_back=True))
    play.apply(gold(day(1)))
    play.until(day(2))
    play.apply(failed(play, day(2, 5)))
    assert play.until(day(2, 6)) == ["c: triggered at 2d+5ms"]
    assert [each.recall_channel for each in play.triggers] == ["event", "gift"]
    assert play.triggers[0].cause == play.triggers[1].cause
    assert play.triggers[0].expires_at == play.triggers[1].expires_at
    play.apply(failed(play, day(2, 7)))
    assert play.until(day(3)) == ["c: suppressed (failed) at 2d+7ms"]


def test_a_failure_leads_nowhere_where_the_campaign_does_not_fall_back_or_it_was_told_before() -> None:
    play = Play(campaign("c", VIP, EVENT, Channel("gift")))
    play.apply(gold(day(1)))
    play.until(day(2))
    play.apply(failed(play, day(2, 5)))
    assert play.until(day(3)) == []
    play = Play(campaign("c", VIP, EVENT, Channel("gift"), falls_back=True))
    play.apply(gold(day(1)))
    play.until(day(2))
    assert play.apply(failed(play, day(2, 5)), failed(play, day(2, 6))) == ["c: triggered at 2d+5ms"]
    assert play.until(day(3)) == []


def test_the_failure_of_what_was_taken_back_leads_nowhere() -> None:
    play = Play(campaign("c", On("lifecycle", "silent"), EVENT, Channel("gift"), falls_back=True, expiry_ms=9 * DAY_MS))
    play.apply(click(day(0)))
    play.until(day(8, 5))
    assert play.apply(click(day(7))) == ["c: cancelled (corrected) at 8d+5ms"]
    assert play.apply(failed(play, day(9), 0)) == []
    assert play.until(day(15)) == []


def test_a_fallback_does_not_take_the_place_of_a_newer_change() -> None:
    play = Play(campaign("c", On("vip", None, DAY_MS), EVENT, Channel("gift"), falls_back=True))
    play.apply(gold(day(1)))
    play.until(day(2, 1))
    play.apply(tag(day(2, 5), value="silver"))
    assert play.apply(failed(play, day(2, 6))) == ["c: suppressed (superseded) at 2d+6ms"]
    assert play.until(day(4)) == ["c: triggered at 3d+5ms"]


def golden(play: Play, number: int, users: int) -> None:
    """So many users turn gold on a day, one ms after the other."""
    play.apply(*(gold(day(number, place), user_id=f"v{number}.{place}") for place in range(users)))
    play.until(day(number + 1) - 1)


def test_a_budget_is_of_a_day() -> None:
    play = Play(campaign("c", VIP, budget=50))
    golden(play, 1, 7)
    assert (len(play.triggers), _line(play.decisions[-1])) == (5, "v1.6 c: suppressed (budget) at 1d+6ms")
    golden(play, 2, 1)
    assert len(play.triggers) == 6


def test_a_partition_has_its_part_of_a_budget_and_all_parts_are_the_whole() -> None:
    sent = []
    for number in range(3):
        play = Play(campaign("c", VIP, budget=50), partitions=3, number=number)
        golden(play, 1, 9)
        sent.append(len(play.triggers))
    assert sent == [1, 1, 1]  # of 17, 17 and 16, at 10 each
    parts = [Play(campaign("c", VIP, EVENT._replace(cost=1), budget=5), partitions=3, number=n) for n in range(3)]
    for play in parts:
        golden(play, 1, 9)
    assert [len(play.triggers) for play in parts] == [2, 2, 1]


def test_who_is_held_out_takes_nothing_from_the_budget() -> None:
    play = Play(campaign("c", VIP, hold_out=0.8, budget=30))
    golden(play, 1, 60)
    outcomes = [each.outcome for each in play.decisions]
    assert outcomes[: outcomes.index("suppressed")].count("held_out") > 3
    assert (len(play.triggers), play.partition.desk.ledger.booked(day(1), "c")) == (3, 30)


def test_a_run_asks_for_no_change_and_all_else_holds() -> None:
    play = Play(campaign("c", VIP, EVENT, PUSH))
    play.apply(click(day(1)))
    row = _row(play)
    play.partition.desk.run(row, "u", "c", "r1", day(2))
    play.partition.table.schedule("u", row, row.recall_due)
    assert play.until(day(3)) == ["c: triggered at 2d"]
    assert play.triggers[0].cause == "run:r1"


def test_a_campaign_that_has_left_the_file_decides_nothing() -> None:
    play = Play(campaign("c", VIP._replace(after_ms=DAY_MS)))
    play.apply(gold(day(1)))
    epoch = play.partition.collect()
    other = Play(campaign("d", VIP))
    other.partition.resume(epoch.state, {user.encode(): row or b"" for user, row in epoch.rows.items()}, epoch.days)
    assert other.until(day(3)) == ["c: suppressed (outdated) at 2d"]


def test_a_purchase_starts_a_campaign_of_the_lifecycle_over_orders() -> None:
    play = Play(campaign("c", On("lifecycle.purchase", "active")))
    play.apply(order(day(1), total=5))
    assert play.until(day(2)) == ["c: triggered at 1d"]
