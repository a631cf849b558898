"""Rows as bytes: nothing is lost, older bytes still load, and the size is bounded.

The golden bytes are what version 1 wrote: rows like this lie in changelogs, so they have to load for ever.
"""

from typing import Any, Final, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.campaigns import MAX_CAMPAIGNS
from schemas.changes import change_id
from schemas.events import RecallChannel
from schemas.times import DAY_MS, HOUR_MS, MAX_TS, NEVER, Millis
from tables.action import ACTIVE, BOUGHT, CART, HOUR, PAID, Action, Spend
from tables.arrivals import Arrivals, fingerprint, remember
from tables.codec import HEADER, VERSION, DamagedError, UnknownVersionError, decode, due_of, encode
from tables.dimensions import MAX_LABEL
from tables.guess import Guess
from tables.lifecycle import Lifecycle, State
from tables.orders import Forgotten, OrderState, order_fingerprint
from tables.panes import DAYS_KEPT, HOURS_KEPT, Window, add
from tables.portraits import Portraits
from tables.purchases import Purchases
from tables.recalls import CANCELLED, MAX_SENT, Bet, Due, Recalls, Sent
from tables.row import (
    MAX_CHANNELS,
    CartItem,
    FirstActivity,
    ManualTag,
    Register,
    Row,
    Totals,
)
from tables.rule_tags import Answer, RuleTag
from tables.said import Said
from tables.score import Score

JULY: Final[Millis] = 1_719_792_000_000  # 2024-07-01T00:00:00Z
UUID: Final = "7b0c4a52-9d1e-4f0b-8a53-0c2f6e1d9a77"
INT_64: Final = 2**63 - 1

times: Final = st.integers(0, MAX_TS) | st.sampled_from([0, NEVER, MAX_TS])
counts: Final = st.integers(0, INT_64)
money: Final = st.integers(-INT_64 - 1, INT_64)
texts: Final = st.text(max_size=8) | st.sampled_from(["", "\0", "用" * 128, "\U0001f600" * 256])
chances: Final = st.dictionaries(texts, st.floats(0, 1), max_size=2)
scalars: Final = st.none() | st.booleans() | money | st.floats(allow_nan=False) | texts
states: Final = st.sampled_from([None, "unactivated", "active", "silent", "lost"])
registers: Final = st.builds(Register, scalars | st.lists(texts, max_size=3), times, texts)
lifecycles: Final = st.builds(
    Lifecycle,
    state=states,
    first=st.none() | times,
    last=times,
    gap_start=st.none() | times,
    gap_end=times,
    said=st.lists(st.builds(Said, times, states, states, counts), max_size=3),
)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """A few panes, some of which come too late to be kept."""
    window = Window()
    for number in draw(st.lists(st.integers(0, 100), max_size=4, unique=True)):
        add(window, DAYS_KEPT, number, draw(counts), draw(counts), 0, draw(money))
    return window


@st.composite
def portraits(draw: st.DrawFn) -> Portraits:
    """A few actions, some of which have been counted."""
    portraits = Portraits()
    for day in draw(st.lists(st.integers(0, 20), max_size=20)):
        spend = draw(st.none() | st.builds(Spend, *[st.integers(0, 10**12)] * 4))
        action = Action(day * DAY_MS, ACTIVE | HOUR | PAID, draw(texts), None, draw(texts), 3, draw(st.none()), spend)
        portraits.add(action)
    return portraits


def packed(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes | None]:
    """A part as a row keeps it."""
    return parts.map(lambda part: msgspec.msgpack.encode(part) if part else None)


FIELDS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "due": times,
    "sequence": counts,
    "erased_at": st.none() | times,
    "arrivals": st.binary(max_size=40).map(bytearray) | st.just(bytearray(b"\xff" * 64 * 14)),
    "first": st.none() | st.builds(FirstActivity, times, texts, texts),
    "lifecycle": lifecycles,
    "purchase": lifecycles,
    "totals": st.builds(Totals, counts, counts, counts, money, counts, money),
    "day_window": windows(),
    "hour_window": windows(),
    "packed_orders": packed(
        st.dictionaries(
            st.integers(0, 2**64 - 1),
            st.builds(OrderState, times, texts, st.booleans(), money, st.booleans(), st.none() | times),
            max_size=3,
        )
    ),
    "packed_cart": packed(
        st.dictionaries(texts, st.builds(CartItem, times, texts, counts, st.none() | money), max_size=2)
    ),
    "cart_closed_at": st.none() | times,
    "registered_at": st.none() | times,
    "packed_attributes": packed(st.dictionaries(texts, registers, max_size=3)),
    "consent": st.dictionaries(texts, registers, max_size=2),
    "reachable": st.none() | registers,
    "messages": st.dictionaries(texts, counts, max_size=2),
    "packed_tags": packed(
        st.dictionaries(texts, st.builds(ManualTag, scalars, times, texts, times, st.none() | counts), max_size=2)
    ),
    "rules_mark": counts,
    "rules_at": times,
    "rules_since": times,
    "rules_due": times,
    "rules_daily": counts,
    "rules_day_end": times,
    "packed_rule_tags": st.dictionaries(
        texts,
        packed(
            st.builds(
                RuleTag,
                st.lists(st.builds(Said, times, scalars, scalars, counts), max_size=2),
                counts,
                st.lists(st.builds(Answer, counts, scalars), max_size=2),
            )
        ),
        max_size=2,
    ),
    "portraits": portraits(),
    "forgotten": st.none() | st.builds(Forgotten, counts, times, times, counts, counts),
    "last_cart": st.none() | times,
    "calm_for": st.dictionaries(texts, counts, max_size=2),
    "calm_until": times,
    "returns": st.dictionaries(times, times, max_size=2),
    "sampled": times,
    "score": st.none() | st.builds(Score, st.floats(0, 1), times, times, texts, texts),
    "look_days": counts,
    "rules_dues": st.dictionaries(texts, times, max_size=2),
    "purchases": st.none() | st.builds(Purchases, counts, st.none() | times, st.none() | times, counts, money),
    "guess": st.none() | st.builds(Guess, st.floats(0, 1), times, texts),
    "nights": counts,
    "mornings": counts,
    "afternoons": counts,
    "evenings": counts,
    "channels": st.dictionaries(texts, counts, max_size=2),
    "packed_recalls": st.none()
    | packed(
        st.builds(
            Recalls,
            st.lists(st.builds(Due, times, texts, texts, times, texts), max_size=2),
            st.lists(
                st.builds(
                    Sent,
                    counts,
                    texts,
                    st.none() | texts,
                    st.just("sms"),
                    times,
                    times,
                    times,
                    texts,
                    money,
                    counts,
                    st.none() | st.builds(Bet, chances, chances, money, times, money),
                ),
                max_size=2,
            ),
        )
    ),
    "recall_due": times,
    "recall_until": times,
}
rows: Final = st.builds(Row, **FIELDS)


def row_of(**parts: Any) -> Row:
    """A row with these fields and parts."""
    row = Row()
    for name, part in parts.items():
        setattr(row, name, part)
    return row


def window_of(kept: int, *panes: tuple[int, int, int, int, int]) -> Window:
    """A window into which these panes were counted, one after the other."""
    window = Window()
    for pane in panes:
        add(window, kept, *pane)
    return window


def test_the_properties_below_build_every_field_of_a_row() -> None:
    assert tuple(FIELDS) == Row.__struct_fields__


@given(rows)
def test_a_row_comes_back_as_it_was_encoded(row: Row) -> None:
    encoded = encode(row)
    assert decode(encoded) == row
    assert encode(decode(encoded)) == encoded
    assert due_of(encoded) == row.due
    assert encoded[0] == VERSION


@given(scalars)
def test_a_value_comes_back_with_its_type(value: str | float | bool | None) -> None:
    row = decode(encode(row_of(tags={"t": ManualTag(value, 1, "e")})))
    assert repr(row.tags["t"].value) == repr(value)


def test_what_comes_back_shares_nothing_with_what_was_encoded() -> None:
    row = full_row()
    twin = decode(encode(row))
    remember(twin.arrivals, fingerprint("click", "new"), JULY, is_activity=True, is_order=False)
    twin.lifecycle.said.clear()
    twin.orders = {}
    add(twin.day_window, DAYS_KEPT, 19_904, 1, 0, 0, 0)
    assert row == full_row()


def test_panes_that_are_too_old_are_left_out() -> None:
    row = Row(
        day_window=window_of(DAYS_KEPT, (1, 9, 0, 0, 0), (2, 9, 0, 0, 0), (62, 9, 0, 0, 0)),
        hour_window=window_of(HOURS_KEPT, (1, 9, 0, 0, 0), (50, 9, 0, 0, 0)),
    )
    back = decode(encode(row))
    assert back.days == [2, 9, 0, 0, 0, 62, 9, 0, 0, 0]
    assert back.hours == [50, 9, 0, 0, 0]


def test_the_due_time_is_read_from_the_header_alone() -> None:
    assert due_of(encode(Row(due=JULY))) == JULY
    assert due_of(encode(Row())) == NEVER
    assert due_of(HEADER.pack(VERSION, 5) + b"unreadable") == 5
    assert encode(Row(due=JULY))[:9].hex() == "03000001906b975c00"


def full_row() -> Row:
    """Something in every field, and an extreme in many."""
    arrivals = Arrivals()
    remember(arrivals, fingerprint("click", "c1"), JULY, is_activity=True, is_order=False)
    remember(arrivals, fingerprint("order", "o1"), JULY + 1, is_activity=True, is_order=True)
    return row_of(
        due=JULY + 30 * DAY_MS,
        sequence=300,
        erased_at=JULY - DAY_MS,
        arrivals=arrivals,
        first=FirstActivity(JULY, "c1", "click"),
        lifecycle=Lifecycle(
            state="active",
            first=JULY,
            last=JULY + 1,
            gap_start=JULY - 2,
            gap_end=JULY - 1,
            said=[Said(JULY, None, "active", 298), Said(JULY + 1, "silent", "lost", 299)],
        ),
        purchase=Lifecycle(state="unactivated", first=None, last=0, said=[Said(JULY, None, "unactivated", 300)]),
        totals=Totals(clicks=70_000, carts=300, orders=2, spend=-1, returns=1, max_old_order=10**12),
        day_window=window_of(DAYS_KEPT, (19_904, 1, 2, 3, -4), (19_905, 0, 0, 1, 10**12)),
        hour_window=window_of(HOURS_KEPT, (477_720, 1, 0, 1, 2_500)),
        orders={
            order_fingerprint("o1"): OrderState(JULY + 1, "o1", is_purchased=True, amount=2_500, whole_return_ts=JULY),
            2**64 - 1: OrderState(JULY, is_cancelled=True),
        },
        cart={"i1": CartItem(JULY, "c2", 3, 1_999), "用户": CartItem(JULY, "c3", 0)},
        cart_closed_at=JULY,
        registered_at=JULY - DAY_MS,
        attributes={
            "region": Register("north", JULY, "p1"),
            "age": Register(-(2**53), JULY, "p1"),
            "score": Register(0.5, JULY, "p1"),
            "vip": Register(value=True, ts=JULY, event_id="p1"),
            "gender": Register(None, JULY, "p1"),
        },
        consent={"sms": Register(value=False, ts=JULY, event_id="m1")},
        reachable=Register(["email", "sms"], JULY, "p1"),
        messages={"sent": 3, "opened": 1},
        tags={
            "vip": ManualTag("gold", JULY, "t1", JULY + DAY_MS, 7),
            "gone": ManualTag(None, JULY, "t2"),
        },
    )


VERSION_1: Final = (
    "010000019106162400dc0013cf0000019106162400cd012ccf0000019066710000c41c312e2a7272c348c80641ae5d70"
    "01a5f3dbbbd4485fd60641ae5d700793cf000001906b975c00a26331a5636c69636b96a6616374697665cf000001906b"
    "975c00cf000001906b975c01cf000001906b975bfecf000001906b975bff9294cf000001906b975c00c0a66163746976"
    "65cd012a94cf000001906b975c01a673696c656e74a46c6f7374cd012b96ab756e616374697661746564c000c0009194"
    "cf000001906b975c00c0ab756e616374697661746564cd012c96ce00011170cd012c02ff01cf000000e8d4a5100097cd"
    "4dc1000001cf000000e8d4a5100001c40501010203fc97ce00074a18010001cd09c400c400c43d82cf3bce853e6f1098"
    "cf96cf000001906b975c01a26f31c3cd09c4c2cf000001906b975c00cfffffffffffffffff96cf000001906b975c00a0"
    "c200c3c0c42b82a2693194cf000001906b975c00a2633203cd07cfa6e794a8e688b794cf000001906b975c00a2633300"
    "c0cf000001906b975c00cf0000019066710000c47885a6726567696f6e93a56e6f727468cf000001906b975c00a27031"
    "a361676593d3ffe0000000000000cf000001906b975c00a27031a573636f726593cb3fe0000000000000cf000001906b"
    "975c00a27031a376697093c3cf000001906b975c00a27031a667656e64657293c0cf000001906b975c00a2703181a373"
    "6d7393c2cf000001906b975c00a26d319392a5656d61696ca3736d73cf000001906b975c00a2703182a473656e7403a6"
    "6f70656e656401c43e82a376697095a4676f6c64cf000001906b975c00a27431cf0000019070bdb80007a4676f6e6595"
    "c0cf000001906b975c00a27432cf7fffffffffffffffc0"
)


def apart(row: Row) -> list[Any]:
    """A row with its parts unpacked: their bytes may have grown."""
    return [row, row.orders, row.cart, row.attributes, row.tags, dict(row.rule_tags)]


def test_the_bytes_of_version_1_still_load() -> None:
    old, new = decode(bytes.fromhex(VERSION_1)), full_row()
    old.orders, old.tags = old.orders, old.tags
    assert apart(old) == apart(new)


def test_what_version_1_knew_is_written_as_it_always_was() -> None:
    old, new = (msgspec.msgpack.decode(row[HEADER.size :]) for row in (bytes.fromhex(VERSION_1), encode(full_row())))
    for name, was, now in zip(Row.__struct_fields__, old, new, strict=False):
        assert now == was or is_longer(was, now), name


def is_longer(was: bytes, now: bytes) -> bool:
    """Whether a part only has entries to which something was appended."""
    old, new = (msgspec.msgpack.decode(part) for part in (was, now))
    return all(new[key][: len(entry)] == entry for key, entry in old.items())


@pytest.mark.parametrize("version", range(VERSION + 1))
@pytest.mark.parametrize("known", range(len(Row.__struct_fields__)))
def test_the_shorter_array_of_an_older_version_loads_with_defaults(version: int, known: int) -> None:
    array = msgspec.msgpack.decode(encode(full_row())[HEADER.size :])[:known]
    row = decode(HEADER.pack(version, 5) + msgspec.msgpack.encode(array))
    expected, full = Row(), full_row()
    for name in Row.__struct_fields__[:known]:
        setattr(expected, name, getattr(full, name))
    assert row == expected


@pytest.mark.parametrize("version", [VERSION + 1, 255])
def test_a_row_of_a_newer_version_is_refused_with_what_to_do(version: int) -> None:
    encoded = HEADER.pack(version, 5) + encode(full_row())[HEADER.size :]
    with pytest.raises(UnknownVersionError, match=f"row of version {version}; .* knows {VERSION}: upgrade this worker"):
        decode(encoded)
    assert due_of(encoded) == 5


def test_bytes_that_are_cut_short_are_not_taken_for_a_row() -> None:
    encoded = encode(full_row())
    for size in (0, 1, HEADER.size, HEADER.size + 1, len(encoded) // 2, len(encoded) - 1):
        with pytest.raises(DamagedError, match="a row of the changelog is damaged"):
            decode(encoded[:size])


def test_a_stub_of_an_erased_user_is_blank_and_small() -> None:
    stub = Row(due=JULY + 7 * DAY_MS, sequence=300, erased_at=JULY)
    assert stub.is_blank
    assert len(encode(stub)) < 158
    assert not row_of(tags={"vip": ManualTag("gold", JULY, "t1")}).is_blank
    assert not full_row().is_blank


def arrivals_of(number: int) -> Arrivals:
    arrivals = Arrivals()
    for each in range(number):
        remember(arrivals, fingerprint("click", f"e{each}"), JULY + each, is_activity=True, is_order=False)
    return arrivals


def window_until(newest: int, kept: int, every: int, *counts: int) -> Window:
    """A pane of these counts in every so many hours or days, as far back as they are kept."""
    clicks, carts, orders, spend = counts
    numbers = range(newest, newest - kept - 1, -every)
    return window_of(kept, *((number, clicks, carts, orders, spend) for number in numbers))


def quiet_portraits() -> Portraits:
    """Seven actions on as many days, all in the log."""
    portraits = Portraits()
    for number in range(7):
        portraits.add(Action(JULY + 2 * number * DAY_MS, ACTIVE | HOUR, "shoes", "acme", "app", 5))
    return portraits


def busy_portraits(value: str) -> Portraits:
    """Other values each time, all bought, on each day of a month."""
    portraits, label = Portraits(), value[: MAX_LABEL - 4]
    for number in range(31 * 8 + 6):
        name = f"{number:03}{label}"
        spend = Spend(10**12, 10**12, 10**12, 10**12)
        ts = JULY - (31 - number // 8) * DAY_MS + number
        portraits.add(
            Action(ts, ACTIVE | HOUR | CART | PAID | BOUGHT, name, name, name, number % 35, number % 11, spend)
        )
    return portraits


def quiet_row(event_id: str) -> Row:
    """Five clicks and two orders in two weeks: what the agents make of them."""
    return row_of(
        due=JULY + 30 * DAY_MS,
        sequence=3,
        arrivals=arrivals_of(7),
        first=FirstActivity(JULY, event_id, "click"),
        lifecycle=Lifecycle(state="active", first=JULY, last=JULY + 12 * DAY_MS, said=[Said(JULY, None, "active", 1)]),
        purchase=Lifecycle(
            state="active",
            first=JULY + 5,
            last=JULY + 8 * DAY_MS + 5,
            said=[Said(JULY, None, "unactivated", 2), Said(JULY + 5, "unactivated", "active", 3)],
        ),
        totals=Totals(clicks=5, orders=2, spend=5_000),
        day_window=window_until(19_917, 14, 3, 1, 0, 1, 2_500),
        hour_window=window_of(HOURS_KEPT, (478_008, 1, 0, 0, 0)),
        orders={
            order_fingerprint("o0"): OrderState(JULY + 5, is_purchased=True, amount=2_500),
            order_fingerprint("o1"): OrderState(JULY + 8 * DAY_MS + 5, event_id, is_purchased=True, amount=2_500),
        },
        portraits=quiet_portraits(),
        mornings=3,
        afternoons=2,
        evenings=2,
        channels={"app": 7},
    )


def busy_row(event_id: str, name: str, value: str, count: int, spend: int) -> Row:
    """Every ring, map and pane full."""
    keys = [f"{number:02}{name[2:]}" for number in range(64)]
    said: list[Said[State]] = [Said(JULY + each, "unactivated", "silent", 2**53) for each in range(6)]
    life = Lifecycle(state="active", first=JULY, last=JULY, gap_start=JULY, gap_end=JULY, said=said)
    return row_of(
        due=JULY,
        sequence=2**53,
        erased_at=JULY,
        arrivals=arrivals_of(64),
        first=FirstActivity(JULY, event_id, "profile"),
        lifecycle=life,
        purchase=life,
        totals=Totals(count, count, count, spend, count, spend),
        day_window=window_until(JULY // DAY_MS, DAYS_KEPT, 1, count, count, count, spend),
        hour_window=window_until(JULY // HOUR_MS, HOURS_KEPT, 1, count, count, count, spend),
        orders={
            2**64 - 1 - each: OrderState(
                JULY, event_id, is_purchased=True, amount=spend, is_cancelled=True, whole_return_ts=JULY
            )
            for each in range(32)
        },
        cart={key: CartItem(JULY, event_id, 1_000_000, spend) for key in keys[:8]},
        cart_closed_at=JULY,
        registered_at=JULY,
        attributes={key: Register(value, JULY, event_id) for key in keys[:32]},
        consent={key: Register(value=False, ts=JULY, event_id=event_id) for key in ("sms", "email", "push", "wechat")},
        reachable=Register(["email", "phone", "push", "sms", "wechat"], JULY, event_id),
        messages=dict.fromkeys(["sent", "delivered", "opened", "clicked", "failed", "unsubscribed"], count),
        tags={key[:64]: ManualTag(value, JULY, event_id, JULY, 2**53) for key in keys},
        portraits=busy_portraits(value),
        nights=count,
        mornings=count,
        afternoons=count,
        evenings=count,
        channels={f"{number}{value[: MAX_LABEL - 1]}": count for number in range(MAX_CHANNELS)},
        forgotten=Forgotten(count, JULY, JULY, count, 2**63 - 1),
        recalls=busy_recalls(event_id, name),
    )


NUMBERS: Final = ("p_inactive", "recency", "age", "orders", "spend", "hour_cos", "hour_sin")
"""Those of a context."""


def busy_recalls(event_id: str, name: str) -> Recalls:
    """Every campaign waits for its decision, and as many triggers are remembered as can be, all to learn from."""
    cause = change_id(event_id, name[:64], JULY, 2**53)
    bet = Bet(dict.fromkeys(get_args(RecallChannel), 0.125), dict.fromkeys(NUMBERS, 1.5), 10**8, JULY, 10**12)
    return Recalls(
        due=[Due(JULY, f"{number:02}{name[2:64]}", cause, JULY, "wechat") for number in range(MAX_CAMPAIGNS)],
        sent=[
            Sent(2**53, name[:64], name[:64], "wechat", JULY, JULY, JULY, cause, 10**12, CANCELLED, bet)
            for _ in range(MAX_SENT)
        ],
        met=[f"{number:02}{name[2:64]}" for number in range(MAX_CAMPAIGNS)],
    )


def test_a_quiet_user_takes_about_700_bytes() -> None:
    """Measured: 698 bytes (of which the portrait takes 209), and 748 where every event_id is a UUID."""
    assert len(encode(quiet_row("click-000001"))) <= 710
    assert len(encode(quiet_row(UUID))) <= 760


def test_a_user_with_every_ring_and_pane_full_takes_at_most_66_kb() -> None:
    """Measured: 65 768 bytes: the portrait 24.1 KB, 32 triggers 15 KB, 100 waiting campaigns 11 KB, 64 tags 6 KB."""
    assert len(encode(busy_row(UUID, "a-long-name", "a long value", 1_000, 10_000_000))) <= 66_500


def test_no_user_takes_more_than_443_kb() -> None:
    """Measured: 441 529 bytes with every text of the greatest length in the widest characters, every number large."""
    widest = "\U0001f600"
    hostile = busy_row(widest * 128, f"__{widest * 126}", widest * 256, 2**31, INT_64)
    assert len(encode(hostile)) <= 443_000
