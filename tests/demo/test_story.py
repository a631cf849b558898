"""The demo's histories are the same each time, in order, and say of every made-up event that it is one."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from app.demo import story
from app.demo.generated import generated_events
from app.demo.labels import LABELS, cause_in_words
from app.demo.simulated import with_sessions
from app.demo.story import GENERATED_LABEL, own_story, shop_story
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.history.history import History
from schemas.events import AnyEvent, Item, Order, cause_of, order_key
from schemas.times import DAY_MS

NOON: Final = 1_704_110_400_000  # 2024-01-01T12:00:00Z


def order(number: int, day: int, **fields: str) -> Order:
    items = [Item(item_id=f"sku-{number}")]
    return Order(
        event_id=f"o{number}",
        user_id=f"u{number % 3}",
        ts=NOON + day * DAY_MS,
        order_id=f"o{number}",
        items=items,
        **fields,  # type: ignore[arg-type]  # any field of an order
    )


def orders() -> list[AnyEvent]:
    return [order(number, number) for number in range(100)]


def is_sorted(events: list[AnyEvent]) -> bool:
    return all(order_key(first) <= order_key(second) for first, second in pairwise(events))


def test_simulated_sessions_are_the_same_each_time_and_sorted() -> None:
    events = with_sessions(orders(), NOON + 99 * DAY_MS)
    assert events == with_sessions(orders(), NOON + 99 * DAY_MS)
    assert is_sorted(events)
    assert len({(event.user_id, event.event_id) for event in events}) == len(events)


def test_real_orders_stay_as_they_are_and_all_else_is_labelled() -> None:
    events = with_sessions(orders(), NOON + 99 * DAY_MS)
    assert [event for event in events if isinstance(event, Order)] == orders()
    for event in events:
        if not isinstance(event, Order):
            assert event.event_id.startswith("simulated-")
            assert event.session_id == "simulated"
            assert cause_in_words(cause_of(event)).endswith(", simulated")


def test_every_order_has_clicks_and_a_cart_before_it_and_the_history_ends_as_it_did() -> None:
    real = order(1, 0)
    events = with_sessions([real], real.ts)
    assert events[-1] == real
    assert {type(event).__name__ for event in events[:-1]} == {"Click", "Cart"}
    assert all(real.ts - DAY_MS < event.ts < real.ts for event in events[:-1])


def test_some_visits_come_without_an_order() -> None:
    last = max(event.ts for event in orders())
    assert any(event.ts > last for event in with_sessions(orders(), last + 100 * DAY_MS))
    assert max(event.ts for event in with_sessions(orders(), last)) == last


def test_nothing_is_simulated_around_a_return() -> None:
    returned = order(1, 0, status="returned")
    assert with_sessions([returned], returned.ts + 100 * DAY_MS) == [returned]


def test_the_generated_year_is_the_same_each_time_sorted_and_labelled() -> None:
    events = generated_events(50)
    assert events == generated_events(50)
    assert is_sorted(events)
    for event in events:
        assert event.event_id.startswith("generated-")
        assert event.user_id.startswith("generated-")
        assert event.session_id == "generated"
    assert len({(event.user_id, event.event_id) for event in events}) == len(events)


def test_of_the_generated_users_some_leave_and_some_come_back() -> None:
    visits: dict[str, list[int]] = {}
    for event in generated_events(300):
        visits.setdefault(event.user_id, []).append(event.ts)
    end = max(max(times) for times in visits.values())
    assert sum(end - times[-1] > 60 * DAY_MS for times in visits.values()) > 30
    assert sum(any(b - a > 60 * DAY_MS for a, b in pairwise(times)) for times in visits.values()) > 30
    assert sum(end - times[-1] < 30 * DAY_MS for times in visits.values()) > 30


def test_without_the_published_file_the_history_is_generated_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "published_history", lambda: None)
    assert shop_story().label == GENERATED_LABEL
    telling = shop_story().read()
    assert not isinstance(telling.events, History)
    assert len({event.user_id for event in telling.events}) > 1_900


def test_the_published_orders_are_those_of_a_backtest(published: Path) -> None:
    telling = shop_story().read()
    assert not isinstance(telling.events, History)
    real = [event for event in telling.events if isinstance(event, Order)]
    assert real == list(History([published], dead_letters=lambda _: None, file_format=FileFormat.ONLINE_RETAIL))
    assert telling.last_ts == real[-1].ts
    assert telling.total == len(telling.events) > 4 * len(real)
    made_up = [event for event in telling.events if not isinstance(event, Order)]
    assert all(event.event_id.startswith("simulated-") and event.session_id == "simulated" for event in made_up)
    assert not any(event.event_id.startswith(LABELS) for event in real)


def test_the_users_own_history_keeps_its_bytes_and_goes_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    lines = [
        {"type": "click", "event_id": f"e{n}", "user_id": "u", "ts": NOON + n, "item_id": "i", "own": n}
        for n in (2, 0, 1)
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    mine = own_story([path], FileFormat.WIRE)
    telling = mine.read()
    assert mine.label == "mine.jsonl"
    assert telling[1:] == (3, NOON, NOON + 2)
    assert isinstance(telling.events, History)
    assert [json.loads(payload)["own"] for _, payload in telling.events.wire()] == [0, 1, 2]


@pytest.mark.parametrize(("content", "why"), [("", "they hold none"), ("nonsense\n", "rekindle backtest")])
def test_a_history_without_an_event_says_what_to_do(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(content)
    with pytest.raises(HistoryError, match=why):
        own_story([path], FileFormat.WIRE).read()


def test_a_file_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="there is no such file"):
        own_story([tmp_path / "mine.jsonl"], FileFormat.WIRE)
