"""The simulated messaging system: the same answers each time, nothing that was taken back, has expired or is a test."""

from collections import Counter
from itertools import pairwise
from typing import Any, Final

import pytest

from app.messaging.answers import answers
from app.messaging.office import REMEMBERED, Office
from app.messaging.rates import DEFAULT_RATES, Rates, with_rates
from schemas.events import Message
from schemas.recall import RecallTrigger
from schemas.times import DAY_MS, HOUR_MS, MINUTE_MS

AT: Final = 1_704_110_400_000  # 2024-01-01T12:00:00Z
ALL: Final = Rates(0.0, 1.0, 1.0, 1.0, 1.0, HOUR_MS)
NEVER: Final = 2**53


def trigger(number: int = 1, **fields: Any) -> RecallTrigger:
    known: dict[str, Any] = {
        "id": f"u{number}/silent/{AT}/{number}", "rev": 0, "user_id": f"u{number}", "campaign": "silent",
        "variant": None, "reason": "lifecycle: silent", "recall_channel": "email", "offer": None, "at": AT,
        "expires_at": AT + 3 * DAY_MS, "test": False, "churn_risk": None, "profile": {}, "cause": "c",
    }  # fmt: skip
    return RecallTrigger(**known | fields)


def office(rates: Rates = ALL, seed: int = 0) -> Office:
    return Office({**DEFAULT_RATES, "email": rates}, seed)


def kinds(messages: list[Message]) -> list[str]:
    return [message.kind for message in messages]


def test_answers_are_the_same_each_time_and_other_ones_with_another_seed() -> None:
    told = [answers(trigger(number), DEFAULT_RATES["email"], 0) for number in range(200)]
    assert told == [answers(trigger(number), DEFAULT_RATES["email"], 0) for number in range(200)]
    assert told != [answers(trigger(number), DEFAULT_RATES["email"], 1) for number in range(200)]


def test_answers_name_their_trigger_and_say_that_they_are_simulated() -> None:
    for message in answers(trigger(), ALL, 0):
        assert (message.trigger_id, message.user_id) == (trigger().id, "u1")
        assert (message.campaign, message.recall_channel) == ("silent", "email")
        assert message.event_id.startswith("simulated-")
        assert message.session_id == "simulated"


def test_the_ids_of_answers_follow_from_trigger_and_kind_alone() -> None:
    whole = {message.kind: message.event_id for message in answers(trigger(), ALL, 0)}
    assert len(set(whole.values())) == len(whole) == 5
    for message in answers(trigger(), ALL, 7):
        assert message.event_id == whole[message.kind]
    assert not set(whole.values()) & {message.event_id for message in answers(trigger(2), ALL, 0)}


def test_the_longest_trigger_id_still_makes_an_event_id() -> None:
    long = trigger(id=f"{'u' * 128}/{'c' * 64}/{AT}/{2**62}")
    assert all(len(message.event_id) <= 128 for message in answers(long, ALL, 0))


def test_answers_come_in_their_order_and_after_the_trigger() -> None:
    for number in range(300):
        told = answers(trigger(number), ALL, 0)
        order = [kind for kind in kinds(told) if kind != "unsubscribed"]
        assert order == ["sent", "delivered", "opened", "clicked"]
        assert all(first.ts <= second.ts for first, second in pairwise(told))
        assert AT < told[0].ts <= AT + MINUTE_MS


def test_the_rates_are_those_that_were_asked_for() -> None:
    rates = Rates(0.2, 0.9, 0.5, 0.3, 0.1, HOUR_MS)
    told = Counter(kind for number in range(20_000) for kind in kinds(answers(trigger(number), rates, 0)))
    assert told["failed"] + told["sent"] == 20_000
    assert told["failed"] / 20_000 == pytest.approx(0.2, abs=0.01)
    assert told["delivered"] / told["sent"] == pytest.approx(0.9, abs=0.01)
    assert told["opened"] / told["delivered"] == pytest.approx(0.5, abs=0.015)
    assert told["clicked"] / told["opened"] == pytest.approx(0.3, abs=0.02)
    assert told["unsubscribed"] / told["delivered"] == pytest.approx(0.1, abs=0.01)


def test_a_report_is_given_once_when_its_time_has_come() -> None:
    desk = office()
    desk.take(trigger(), (0, 0))
    first, *later = answers(trigger(), ALL, 0)
    assert desk.due(0, first.ts - 1) == []
    assert desk.due(0, first.ts) == [first]
    assert desk.due(1, NEVER) == []
    assert desk.due(0, NEVER) == later
    assert desk.due(0, NEVER) == []


def test_a_trigger_that_comes_twice_is_sent_once() -> None:
    desk = office()
    desk.take(trigger(), (0, 0))
    told = desk.due(0, NEVER)
    desk.take(trigger(), (0, 1))
    assert len(told) == 5
    assert desk.due(0, NEVER) == []
    assert desk.counts == {"triggers": 1, "copies": 1}


def test_what_is_taken_back_before_it_was_sent_is_not_sent() -> None:
    desk = office()
    desk.take(trigger(), (0, 0))
    desk.take(trigger(rev=1), (0, 1))
    desk.take(trigger(rev=1), (0, 2))
    desk.take(trigger(), (0, 3))
    assert desk.due(0, NEVER) == []
    assert desk.counts == {"triggers": 1, "cancelled": 1, "copies": 2}


def test_what_is_taken_back_after_it_was_sent_goes_on() -> None:
    desk = office()
    desk.take(trigger(), (0, 0))
    sent = answers(trigger(), ALL, 0)[0]
    assert kinds(desk.due(0, sent.ts)) == ["sent"]
    desk.take(trigger(rev=1), (0, 1))
    assert "opened" in kinds(desk.due(0, NEVER))
    assert desk.counts["cancelled"] == 0


def test_a_cancellation_without_its_trigger_does_nothing_and_the_trigger_is_not_sent_later() -> None:
    desk = office()
    desk.take(trigger(rev=1), (0, 0))
    desk.take(trigger(), (0, 1))
    assert desk.due(0, NEVER) == []


@pytest.mark.parametrize(
    ("expires_at", "now"),
    [
        pytest.param(AT + 1, 0, id="before-it-could-be-sent"),
        pytest.param(AT + DAY_MS, AT + DAY_MS, id="by-the-clock-on-the-wall"),
    ],
)
def test_what_has_expired_is_not_sent(expires_at: int, now: int) -> None:
    desk = office()
    desk.take(trigger(expires_at=expires_at), (0, 0), now)
    assert desk.due(0, NEVER) == []
    assert desk.counts == {"expired": 1}


def test_a_test_is_sent_to_nobody() -> None:
    desk = office()
    desk.take(trigger(test=True), (0, 0))
    assert desk.due(0, NEVER) == []
    assert desk.counts == {"tests": 1}


def test_after_a_restart_it_reads_from_the_oldest_trigger_with_something_left_to_report() -> None:
    desk = office()
    assert desk.next_offset(0, 17) == 17
    for number in (1, 2, 3):
        desk.take(trigger(number, at=AT + number * DAY_MS, expires_at=AT + 9 * DAY_MS), (0, 10 + number))
    assert desk.next_offset(0, 17) == 11
    assert desk.next_offset(1, 5) == 5
    last = answers(trigger(1, at=AT + DAY_MS), ALL, 0)[-1].ts
    desk.due(0, last)
    assert desk.next_offset(0, 17) == 12
    desk.due(0, NEVER)
    assert desk.next_offset(0, 17) == 17


def test_of_very_many_triggers_the_newest_are_remembered() -> None:
    desk = office(Rates(1.0, 0, 0, 0, 0, 1))
    for number in range(REMEMBERED + 2):
        desk.take(trigger(number), (0, number))
    desk.take(trigger(REMEMBERED), (0, 0))
    assert desk.counts["copies"] == 1
    assert len(desk.due(0, NEVER)) == REMEMBERED + 2


def test_rates_can_be_replaced_one_by_one() -> None:
    rates = with_rates(["email.opened=0.5", "push.failed=1"])
    assert rates["email"] == DEFAULT_RATES["email"]._replace(opened=0.5)
    assert rates["push"].failed == 1
    assert rates["sms"] == DEFAULT_RATES["sms"]


@pytest.mark.parametrize("text", ["", "email", "email.opened", "email.opened=2", "fax.opened=0.5", "email.read=0.5",
                                  "email.opens_after_ms=1", "email.opened=nan"])  # fmt: skip
def test_what_is_no_rate_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"email\.opened=0\.4"):
        with_rates([text])
