"""What the structs say of themselves: their order, what is activity, what an order is worth."""

import json
from itertools import pairwise
from typing import Any, get_args

import pytest

from schemas.decode import decode
from schemas.events import TYPE_OF, AnyEvent, Order, Tick, cause_of, order_key
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE

NEEDED: dict[str, dict[str, Any]] = {
    "click": {"item_id": "i1"},
    "cart": {"item_id": "i1"},
    "order": {"order_id": "o1"},
    "profile": {},
    "message": {"kind": "clicked", "trigger_id": "t1"},
    "tag": {"tag": "vip"},
}


def event(kind: str, /, ts: int = 5, event_id: str = "e1", **fields: object) -> AnyEvent:
    record = decode(
        json.dumps({"type": kind, "event_id": event_id, "user_id": "u1", "ts": ts, **NEEDED[kind], **fields}).encode()
    )
    assert not isinstance(record, Tick)
    return record


def order(**fields: Any) -> Order:
    record = event("order", **fields)
    assert isinstance(record, Order)
    return record


def test_events_are_ordered_by_ts_then_event_id_then_type() -> None:
    in_order = [
        event("tag", ts=4, event_id="z"),
        event("tag", ts=5, event_id="B"),
        event("order", ts=5, event_id="a"),
        event("cart", ts=5, event_id="a1"),
        event("click", ts=5, event_id="a1"),
        event("message", ts=5, event_id="a1"),
        event("order", ts=5, event_id="a1"),
        event("profile", ts=5, event_id="a1"),
        event("tag", ts=5, event_id="a1"),
        event("click", ts=5, event_id="a10"),
        event("click", ts=5, event_id="a9"),
        event("click", ts=5, event_id="é"),
        event("cart", ts=6, event_id="a"),
    ]
    keys = [order_key(each) for each in in_order]
    assert all(one < other for one, other in pairwise(keys))
    assert keys[0] == (4, "z", "tag")


@pytest.mark.parametrize("kind", NEEDED)
def test_a_cause_is_the_type_and_the_event_id(kind: str) -> None:
    assert cause_of(event(kind, event_id="a:b/c")) == f"{kind}:a:b/c"


def test_every_event_has_a_type_and_a_topic_and_the_topics_are_ranked() -> None:
    assert {TYPE_OF[struct] for struct in get_args(AnyEvent)} == set(NEEDED)
    assert [f"events.{kind}" for kind in NEEDED] == list(INPUT_TOPICS) == [TOPIC_OF_TYPE[kind] for kind in NEEDED]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        *(
            ("click", {"action": action})
            for action in ("view", "search", "favorite", "share", "compare", "review", "coupon_claim", "campaign_join")
        ),
        ("click", {}),
        ("click", {"action": None}),
        *(("cart", {"action": action}) for action in ("add", "remove", "checkout", None)),
        *(("order", {"status": status}) for status in ("placed", "paid", None)),
        ("order", {}),
        ("profile", {"kind": "registered"}),
        ("profile", {"kind": "login"}),
    ],
)
def test_what_a_user_does_is_activity(kind: str, fields: dict[str, Any]) -> None:
    assert event(kind, **fields).is_activity is True


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("order", {"status": "cancelled"}),
        ("order", {"status": "returned"}),
        *(("profile", {"kind": kind}) for kind in ("updated", "consent", "erased", None)),
        ("profile", {}),
        *(("message", {"kind": kind}) for kind in ("sent", "delivered", "opened", "clicked", "failed", "unsubscribed")),
        ("tag", {"value": "gold"}),
        ("tag", {}),
    ],
)
def test_what_happens_to_a_user_is_no_activity(kind: str, fields: dict[str, Any]) -> None:
    assert event(kind, **fields).is_activity is False


@pytest.mark.parametrize(
    ("fields", "minor"),
    [
        ({}, None),
        ({"items": []}, None),
        ({"items": [{"item_id": "a"}, {"item_id": "b", "quantity": 3}]}, None),
        ({"items": [{"item_id": "a", "price": 0}]}, 0),
        ({"items": [{"item_id": "a", "price": 19.99}]}, 1999),
        ({"items": [{"item_id": "a", "price": 0.1, "quantity": 3}, {"item_id": "b", "price": 2}]}, 230),
        ({"items": [{"item_id": "a", "price": 2, "quantity": None}, {"item_id": "b", "quantity": 9}]}, 200),
        ({"items": [{"item_id": "a", "price": 0.014, "quantity": 100}]}, 100),  # a price is money too: two places
        ({"total": 0}, 0),
        ({"total": 0, "items": [{"item_id": "a", "price": 5}]}, 0),
        ({"total": 12.34, "items": [{"item_id": "a", "price": 5}]}, 1234),
        ({"total": 12.34, "discount": 2}, 1234),
        ({"total": 1e10}, 10**12),
    ],
)
def test_an_order_is_worth_its_total_or_else_the_sum_of_its_priced_items(
    fields: dict[str, Any], minor: int | None
) -> None:
    assert order(**fields).amount == minor
