"""What came of triggers: to which of them activity and purchases are put down, and what is taken back again."""

from agents.recall.campaign import Channel
from schemas.events import AnyEvent
from schemas.times import DAY_MS, HOUR_MS
from tables.ledger import Entry, totals
from tables.recalls import RECALLED, Sent
from tests.agents.drive import click, day, erased, message, order, tag
from tests.agents.recall.test_desk import EVENT, VIP, Play, campaign

DAY: Channel = EVENT._replace(window_ms=DAY_MS)


def sold(at: int, event_id: str = "o1", **fields: object) -> AnyEvent:
    return order(at, event_id, **{"total": 20, **fields})  # type: ignore[arg-type]  # fields of an order


def triggered(*days: int, hold_out: float = 0.0) -> Play:
    """Triggers of one campaign on some days, with windows of a day."""
    play = Play(campaign("c", VIP, DAY, hold_out=hold_out))
    for number in days:
        play.apply(tag(day(number), value="gold"), tag(day(number, 5), value=None))
    return play


def entry(play: Play, of: int | None = None) -> Entry:
    """All that is counted of the campaign's triggers, or of those of one day."""
    days = play.partition.desk.ledger.days
    found = totals(days.values() if of is None else [days[day(of) // DAY_MS]])
    return found["c", "", "event"]


def test_activity_within_the_window_counts_once() -> None:
    for at, count in ((day(1), 0), (day(1, 6), 1), (day(2), 1), (day(2, 1), 0)):
        play = triggered(1)
        play.apply(click(at, "a"), click(at, "b"))
        assert entry(play).recalled == count, at


def test_activity_is_put_down_to_the_last_trigger_before_it_alone() -> None:
    play = triggered(1)
    play.apply(tag(day(1, 9), value="gold"), tag(day(1, 10), value=None), click(day(1, 20)))
    first, second = (each.marks & RECALLED for each in _sent(play))
    assert (bool(first), bool(second)) == (False, True)
    assert entry(play).recalled == 1


def test_only_the_first_time_of_a_user_in_a_campaign_is_compared() -> None:
    play = triggered(1)
    play.apply(click(day(1, 6)), tag(day(1, 9), value="gold"), tag(day(1, 10), value=None), click(day(1, 20), "later"))
    found = entry(play)
    assert (found.triggered, found.recalled) == (2, 2)
    assert (found.first, found.first_recalled) == (1, 1)


def test_a_late_activity_still_counts() -> None:
    play = triggered(1)
    play.apply(click(day(4)))
    assert entry(play).recalled == 0
    play.apply(click(day(1, 9)))
    assert entry(play).recalled == 1


def test_who_is_held_out_is_counted_apart_and_has_no_reports() -> None:
    play = triggered(1, hold_out=0.999)
    decision = play.decisions[0]
    assert (decision.outcome, play.triggers) == ("held_out", [])
    play.apply(message(day(1, 6), kind="sent", trigger_id=decision.id), sold(day(1, 7)))
    play.until(day(33))
    found = entry(play)
    assert (found.held_recalled, found.held_revenue, found.held_lost_again) == (1, 2000, 1)
    assert (found.recalled, found.revenue, found.lost_again, found.sent, found.cost) == (0, 0, 0, 0, 0)


def test_an_order_counts_once_by_its_first_record_and_what_corrects_it_is_put_right() -> None:
    play = triggered(1)
    play.apply(sold(day(1, HOUR_MS), "b"))
    assert entry(play).revenue == 2000
    play.apply(sold(day(1, 2 * HOUR_MS), "c", total=50))
    assert entry(play).revenue == 2000
    play.apply(sold(day(1, 60_000), "d", total=30))
    assert entry(play).revenue == 3000
    play.apply(sold(day(1, 60_000), "a", total=40))
    assert entry(play).revenue == 4000
    play.apply(sold(day(1, -1), "z", total=70))
    assert entry(play).revenue == 0


def test_a_correction_moves_a_purchase_from_one_trigger_to_the_one_before() -> None:
    play = triggered(1, 3)
    play.apply(sold(day(3, HOUR_MS), "b"))
    assert (entry(play, 1).revenue, entry(play, 3).revenue) == (0, 2000)
    play.apply(sold(day(1, HOUR_MS), "a", total=30))
    assert (entry(play, 1).revenue, entry(play, 3).revenue) == (3000, 0)


def test_a_return_or_a_cancellation_takes_nothing_off() -> None:
    play = triggered(1)
    play.apply(sold(day(1, HOUR_MS), "b"), sold(day(1, 2 * HOUR_MS), "c", status="cancelled"))
    assert entry(play).revenue == 2000


def test_who_came_back_and_then_stays_away_for_30_days_is_lost_again() -> None:
    play = triggered(1)
    play.apply(click(day(1, 9)))
    play.until(day(32))
    assert entry(play).lost_again == 0
    play.until(day(32, 1))
    assert entry(play).lost_again == 1
    play.until(day(90))
    assert entry(play).lost_again == 1


def test_a_late_sign_of_life_takes_that_back() -> None:
    play = triggered(1)
    play.apply(click(day(1, 9)))
    play.until(day(33))
    play.apply(click(day(32)))
    assert entry(play).lost_again == 0
    play.until(day(90))
    assert entry(play).lost_again == 0


def test_who_does_something_after_the_window_has_stayed_and_who_never_came_back_is_not_lost_again() -> None:
    stayed = triggered(1)
    stayed.apply(click(day(1, 9)), click(day(2, 1)))
    stayed.until(day(90))
    away = triggered(1)
    away.until(day(90))
    assert (entry(stayed).lost_again, entry(away).lost_again) == (0, 0)


def test_each_kind_of_report_counts_once_and_costs_what_is_told_or_else_configured() -> None:
    play = triggered(1, 3)
    first, second = (each.id for each in play.triggers)
    for number, ident in enumerate((first, first, second)):
        cost = 0.25 if ident == second else None
        play.apply(message(day(3, 9 + number), kind="sent", trigger_id=ident, cost=cost))
    play.apply(message(day(3, 20), kind="opened", trigger_id=first), message(day(3, 21), trigger_id="of another"))
    found = entry(play)
    assert (found.sent, found.opened, found.cost) == (2, 1, 10 + 25)


def test_what_is_reported_or_done_after_an_erasure_is_put_down_to_nothing() -> None:
    play = triggered(1)
    play.apply(erased(day(1, 9)), click(day(1, 10)), message(day(1, 11), kind="sent", trigger_id=play.triggers[0].id))
    found = entry(play)
    assert (found.recalled, found.sent, found.cancelled) == (0, 0, 1)


def _sent(play: Play) -> list[Sent]:
    row = play.partition.table.get("u")
    assert row is not None
    return list(row.recalls.sent)
