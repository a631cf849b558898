"""Every rule of every field, written out once more from the wire contract; and bytes that nobody should send.

Values are raw JSON, so that a case can say what no Python value can: `1e999`, `1.0` beside `1`, a lone surrogate.
"""

import json
from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any, Final, NamedTuple, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.dead_letter import DeadReason, Rejected
from schemas.decode import decode
from schemas.events import TYPE_OF, Cart, Click, Event, Item, Message, Order, Profile, Record, Tag, Tick

Raw: TypeAlias = str
Case: TypeAlias = tuple[str, str, Raw]
"""Type, field, value."""
BadCase: TypeAlias = tuple[str, str, Raw, str]
"""The same, and a word of the detail."""


class Rule(NamedTuple):
    """What a field takes, and what it does not, each with a word of the reason."""

    good: tuple[Raw, ...]
    bad: tuple[tuple[Raw, str], ...]
    is_required: bool = False


def quoted(text: str) -> Raw:
    return json.dumps(text, ensure_ascii=False)


def not_a(*types: str) -> tuple[tuple[Raw, str], ...]:
    """A value of each other JSON type: refused, and named by that type."""
    values = {"bool": "true", "int": "7", "float": "7.5", "str": '"7"', "array": "[]", "object": "{}"}
    return tuple((raw, f"got `{kind}`") for kind, raw in values.items() if kind not in types)


def text(shortest: int, longest: int) -> Rule:
    too_short = ((quoted("x" * (shortest - 1)), f"length >= {shortest}"),) if shortest else ()
    return Rule(
        # a length is counted in characters, not in bytes
        (quoted("x" * shortest), quoted("x" * longest), quoted("用" * longest), '"\\ud83d\\ude00"', '"a/b\\u0000\\n "'),
        (*not_a("str"), *too_short, (quoted("x" * (longest + 1)), f"length <= {longest}")),
    )


def one_of(*words: str) -> Rule:
    wrong = ("", "x", words[0].upper(), f"{words[0]} ")
    return Rule(tuple(map(quoted, words)), (*not_a("str"), *((quoted(word), "Invalid enum value") for word in wrong)))


def required(rule: Rule) -> Rule:
    return Rule(rule.good, (*rule.bad, ("null", "got `null`")), is_required=True)


def optional(rule: Rule) -> Rule:
    return Rule((*rule.good, "null"), rule.bad)


ID: Final = text(1, 128)
LABEL: Final = text(0, 256)
AMOUNT: Final = Rule(
    ("0", "-0.0", "1", "0.01", "19.99", "1e2", "10000000000", "1e10"),
    (
        *not_a("int", "float"),
        ("-1", ">= 0"),
        ("-0.01", ">= 0"),
        ("10000000000.01", "<= 10000000000"),
        ("1e11", "<= 10000000000"),
        ("1e999", "out of range"),
        ("9" * 400, "out of range"),
    ),
)
QUANTITY: Final = Rule(
    ("1", "2", "1000000"),
    (
        *not_a("int"),
        ("0", ">= 1"),
        ("-1", ">= 1"),
        ("1.5", "got `float`"),
        ("1.0", "got `float`"),
        ("1e2", "got `float`"),
        ("1000001", "<= 1000000"),
        ("9" * 30, "<= 1000000"),
    ),
)
TTL_MS: Final = Rule(
    ("1", "86400000", "4102444800000"),
    (*not_a("int"), ("0", ">= 1"), ("-1", ">= 1"), ("1.0", "got `float`"), ("4102444800001", "<= 4102444800000")),
)
VALUE: Final = Rule(
    ("null", "true", "false", "0", "-1", "1", "1.0", "-0.5", "1e300", '""', '"gold"', quoted("x" * 256), str(2**53)),
    (
        *not_a("bool", "int", "float", "str"),
        (quoted("x" * 257), "length <= 256"),
        (str(2**53 + 1), f"<= {2**53}"),
        (str(-(2**53) - 1), f">= -{2**53}"),
        ("9" * 30, f"<= {2**53}"),
        ("1e999", "out of range"),
    ),
)
TAG_NAME: Final = Rule(
    (
        *map(
            quoted,
            (
                "v",
                "v" * 64,
                "VIP-1",
                "老客",
                "lifecycle.x",
                "lifecycles",
                "Lifecycle",
                "xlifecycle",
                "lifecycle-purchase",
                "a\0b",
            ),
        ),
    ),
    (
        *not_a("str"),
        *(
            (quoted(name), "a tag set by hand")
            for name in ("", "v" * 65, "a/b", "/", "a b", " a", "a ", "a\tb", "a\nb", "a\u00a0b")
        ),
        (quoted("lifecycle"), "follow from events"),
        (quoted("lifecycle.purchase"), "follow from events"),
    ),
)
TS: Final = Rule(
    ("1", "1291161600000", "4102444799999"),
    (
        *not_a("int", "str"),
        ("null", "got `null`"),
        ("0", ">= 1"),
        ("-0", ">= 1"),
        ("-1", ">= 1"),
        ("1.0", "got `float`"),
        ("1e12", "got `float`"),
        ("4102444800000", "<= 4102444799999"),
        ("7258118400000", "<= 4102444799999"),  # the year 2200
        ("1291161600000000", "<= 4102444799999"),  # microseconds taken for milliseconds
        ("9" * 30, "<= 4102444799999"),
    ),
    is_required=True,
)
ITEM: Final[dict[str, Rule]] = {
    "item_id": required(ID),
    "category": optional(LABEL),
    "brand": optional(LABEL),
    "price": optional(AMOUNT),
    "quantity": optional(QUANTITY),
}
ITEMS: Final = Rule(
    ("[]", '[{"item_id": "i"}]', '[{"item_id": "i"}, {"item_id": "i", "unknown": [1]}]'),
    (
        *not_a("array"),
        ("[null]", "[0]`: Expected `object`, got `null`"),
        ('["i"]', "[0]`: Expected `object`, got `str`"),
        ("[{}]", "missing required field `item_id`"),
        ('[{"item_id": "i"}, {"price": 1}]', "[1]`: Object missing required field `item_id`"),
    ),
)
ATTRIBUTES: Final = Rule(
    (
        "{}",
        '{"region": "north", "age": 41, "score": 0.5, "vip": true, "gender": null}',
        json.dumps({"k" * 128: 1}),
        json.dumps({f"k{n}": n for n in range(32)}),
    ),
    (
        *not_a("object"),
        (json.dumps({f"k{n}": n for n in range(33)}), "length <= 32"),
        ('{"": 1}', "length >= 1"),
        (json.dumps({"k" * 129: 1}), "length <= 128"),
        ('{"a": []}', "got `array`"),
        ('{"a": {"b": 1}}', "got `object`"),
        (json.dumps({"a": "x" * 257}), "length <= 256"),
        (json.dumps({"a": 2**53 + 1}), f"<= {2**53}"),
    ),
)
REACHABLE: Final = Rule(
    ("[]", '["sms", "email", "push", "wechat", "phone"]', '["sms", "sms"]'),
    (*not_a("array"), ('["fax"]', "Invalid enum value"), ("[null]", "got `null`"), ("[1]", "got `int`")),
)
CONSENT: Final = Rule(
    ("{}", '{"sms": true, "email": false, "push": true, "wechat": true, "phone": true}'),
    (
        *not_a("object"),
        ('{"fax": true}', "Invalid enum value"),
        ('{"sms": 1}', "got `int`"),
        ('{"sms": "yes"}', "got `str`"),
        ('{"sms": null}', "got `null`"),
    ),
)
EVENT: Final[dict[str, Rule]] = {
    "event_id": required(ID),
    "user_id": required(ID),
    "ts": TS,
    "channel": optional(LABEL),
    "session_id": optional(LABEL),
    "anonymous_id": optional(LABEL),
}
RULES: Final[dict[str, dict[str, Rule]]] = {
    "click": {
        **EVENT,
        "item_id": required(ID),
        "action": optional(
            one_of("view", "search", "favorite", "share", "compare", "review", "coupon_claim", "campaign_join")
        ),
        "category": optional(LABEL),
        "brand": optional(LABEL),
        "price": optional(AMOUNT),
        "query": optional(Rule(('""', quoted("x" * 10_000)), not_a("str"))),
        "coupon_id": optional(ID),
    },
    "cart": {
        **EVENT,
        "item_id": required(ID),
        "action": optional(one_of("add", "remove", "checkout")),
        "quantity": optional(QUANTITY),
        "price": optional(AMOUNT),
        "category": optional(LABEL),
        "brand": optional(LABEL),
    },
    "order": {
        **EVENT,
        "order_id": required(ID),
        "status": optional(one_of("placed", "paid", "cancelled", "returned")),
        "total": optional(AMOUNT),
        "discount": optional(AMOUNT),
        "coupon_id": optional(ID),
        "items": optional(ITEMS),
    },
    "profile": {
        **EVENT,
        "kind": optional(one_of("registered", "login", "updated", "consent", "erased")),
        "attributes": optional(ATTRIBUTES),
        "reachable": optional(REACHABLE),
        "consent": optional(CONSENT),
    },
    "message": {
        **EVENT,
        "kind": required(one_of("sent", "delivered", "opened", "clicked", "failed", "unsubscribed")),
        "trigger_id": required(text(1, 512)),
        "campaign": optional(LABEL),
        "recall_channel": optional(one_of("sms", "email", "push", "wechat", "phone", "gift", "coupon", "event")),
        "cost": optional(AMOUNT),
    },
    "tag": {
        **EVENT,
        "tag": required(TAG_NAME),
        "value": VALUE,
        "ttl_ms": optional(TTL_MS),
        "actor": optional(LABEL),
    },
    "tick": {"ts": TS},
}
STRUCTS: Final[dict[str, type[Event | Tick]]] = {**{kind: struct for struct, kind in TYPE_OF.items()}, "tick": Tick}
REQUIRED_VALUES: Final[dict[str, Raw]] = {
    "event_id": '"e1"',
    "user_id": '"u1"',
    "ts": "1291161600000",
    "item_id": '"i1"',
    "order_id": '"o1"',
    "kind": '"opened"',
    "trigger_id": '"t1"',
    "tag": '"vip"',
}
DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "click": {"action": "view"},
    "cart": {"action": "add", "quantity": 1},
    "order": {"status": "paid"},
    "profile": {"kind": "updated"},
}


def fields_of(kind: str, *, but: str = "") -> dict[str, Raw]:
    """What an event of that type must have."""
    needed = [name for name, rule in RULES[kind].items() if rule.is_required and name != but]
    return {"type": quoted(kind), **{name: REQUIRED_VALUES[name] for name in needed}}


def encode(fields: dict[str, Raw]) -> bytes:
    return ("{" + ", ".join(f"{quoted(name)}: {raw}" for name, raw in fields.items()) + "}").encode()


def wire(kind: str, field: str, raw: Raw) -> bytes:
    """The least event of that type, with one field as told."""
    return encode({**fields_of(kind), field: raw})


def item(field: str, raw: Raw) -> Raw:
    """A list of one order line, with one field as told."""
    return f"[{encode({'item_id': quoted('i1'), field: raw}).decode()}]"


def refusal(payload: bytes | None) -> Rejected:
    with pytest.raises(Rejected) as caught:
        decode(payload)
    assert str(caught.value) == caught.value.detail
    return caught.value


def _good_cases() -> Iterator[Case]:
    for kind, rules in RULES.items():
        yield from ((kind, field, raw) for field, rule in rules.items() for raw in rule.good)
    yield from (("order", "items", item(field, raw)) for field, rule in ITEM.items() for raw in rule.good)


def _bad_cases() -> Iterator[BadCase]:
    for kind, rules in RULES.items():
        yield from ((kind, field, raw, word) for field, rule in rules.items() for raw, word in rule.bad)
    for field, rule in ITEM.items():
        yield from (("order", "items", item(field, raw), f"[0].{field}`: ") for raw, _ in rule.bad)
        yield from (("order", "items", item(field, raw), word) for raw, word in rule.bad)


def _name(value: object) -> str:
    shown = str(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}({len(shown)})"


GOOD_CASES: Final = list(_good_cases())
BAD_CASES: Final = list(_bad_cases())


@pytest.mark.parametrize("kind", RULES)
def test_every_field_of_every_event_has_its_rule_here(kind: str) -> None:
    assert set(RULES[kind]) == set(STRUCTS[kind].__struct_fields__)


def test_every_field_of_an_order_line_has_its_rule_here() -> None:
    assert set(ITEM) == set(Item.__struct_fields__)


@pytest.mark.parametrize(("kind", "field", "raw"), GOOD_CASES, ids=_name)
def test_a_field_takes_a_value_that_follows_its_rule(kind: str, field: str, raw: Raw) -> None:
    record = decode(wire(kind, field, raw))
    assert type(record) is STRUCTS[kind]
    told, got = json.loads(raw), getattr(record, field)
    if field == "items" and told:
        lines = [
            {name: getattr(line, name) for name in entry.keys() & ITEM} for line, entry in zip(got, told, strict=True)
        ]
        assert lines == [{name: value for name, value in entry.items() if name in ITEM} for entry in told]
    else:
        assert got == told
        assert isinstance(got, bool) == isinstance(told, bool)


@pytest.mark.parametrize(("kind", "field", "raw", "word"), BAD_CASES, ids=_name)
def test_a_value_that_breaks_the_rule_of_its_field_is_refused_by_name(
    kind: str, field: str, raw: Raw, word: str
) -> None:
    why = refusal(wire(kind, field, raw))
    assert why.reason == "invalid_value"
    assert f"`{field}" in why.detail
    assert word in why.detail


@pytest.mark.parametrize("kind", RULES)
def test_the_required_fields_are_enough_and_the_others_have_their_defaults(kind: str) -> None:
    record = decode(encode(fields_of(kind)))
    for field, rule in RULES[kind].items():
        told = json.loads(REQUIRED_VALUES[field]) if rule.is_required else DEFAULTS.get(kind, {}).get(field)
        assert getattr(record, field) == told, field


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, rules in RULES.items() for field, rule in rules.items() if rule[2]]
)
def test_an_event_without_a_required_field_is_refused(kind: str, field: str) -> None:
    why = refusal(encode(fields_of(kind, but=field)))
    assert (why.reason, why.detail) == ("invalid_value", f"Object missing required field `{field}`")


def test_a_line_without_a_quantity_has_one_of_it() -> None:
    record = decode(wire("order", "items", item("price", "2.5")))
    assert isinstance(record, Order)
    assert record.items == [Item(item_id="i1", price=2.5, quantity=1)]


Line: TypeAlias = tuple[float | None, int]
"""Price, quantity."""


def with_lines(lines: list[Line], total: Raw) -> bytes:
    items = [{"item_id": "i", "price": price, "quantity": quantity} for price, quantity in lines]
    return encode({**fields_of("order"), "total": total, "items": json.dumps(items)})


@pytest.mark.parametrize("lines", [[(1e10, 2)], [(5e9, 1), (5e9, 1), (0.01, 1)], [(10_000.01, 1_000_000)]])
def test_items_that_sum_to_more_than_an_amount_can_be_are_refused_unless_a_total_is_told(lines: list[Line]) -> None:
    why = refusal(with_lines(lines, "null"))
    assert (why.reason, why.detail) == ("invalid_value", "the sum of the items is above 10000000000")
    assert isinstance(decode(with_lines(lines, "1")), Order)


@pytest.mark.parametrize("lines", [[(1e10, 1)], [(5e9, 2)], [(10_000, 1_000_000)], [(1e10, 1), (None, 1_000_000)]])
def test_items_may_sum_to_as_much_as_an_amount_can_be(lines: list[Line]) -> None:
    assert isinstance(decode(with_lines(lines, "null")), Order)


@pytest.mark.parametrize("kind", RULES)
def test_unknown_fields_are_ignored_whatever_they_hold(kind: str) -> None:
    payload = encode({**fields_of(kind), "unknown": '{"a": [1, null, "x", {"type": "?"}]}', "": "1e999", "Ts": '"x"'})
    assert decode(payload) == decode(encode(fields_of(kind)))


@pytest.mark.parametrize(
    ("written", "ts"),
    [
        ("2010-12-01T00:00:00Z", 1_291_161_600_000),
        ("2010-12-01T00:00:00z", 1_291_161_600_000),
        ("2010-12-01t00:00:00Z", 1_291_161_600_000),
        ("2010-12-01 00:00:00Z", 1_291_161_600_000),
        ("2010-12-01T00:00:00+00:00", 1_291_161_600_000),
        ("2010-12-01T00:00:00-00:00", 1_291_161_600_000),
        ("2010-12-01T08:00:00+08:00", 1_291_161_600_000),
        ("2010-11-30T20:30:00-03:30", 1_291_161_600_000),
        ("2010-12-01T05:45:00+05:45", 1_291_161_600_000),
        ("2010-12-01T23:59:00+23:59", 1_291_161_600_000),
        ("2010-11-30T00:01:00-23:59", 1_291_161_600_000),
        ("2010-12-01T00:00:00.5Z", 1_291_161_600_500),
        ("2010-12-01T00:00:00.001Z", 1_291_161_600_001),
        ("2010-12-01T00:00:00.0019Z", 1_291_161_600_001),
        ("2010-12-01T00:00:00.999999Z", 1_291_161_600_999),
        ("2024-02-29T12:00:00Z", 1_709_208_000_000),
        ("1970-01-01T00:00:00.001Z", 1),
        ("1970-01-01T01:00:00.001+01:00", 1),
        ("2099-12-31T23:59:59.999999Z", 4_102_444_799_999),
        ("2100-01-01T00:59:59.999+01:00", 4_102_444_799_999),
    ],
)
@pytest.mark.parametrize("kind", ["click", "tick"])
def test_an_rfc_3339_time_becomes_milliseconds_cut_off(kind: str, written: str, ts: int) -> None:
    record = decode(wire(kind, "ts", quoted(written)))
    assert (record.ts, type(record.ts)) == (ts, int)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("2010-12-01T00:00:00", "has no offset"),
        ("2010-12-01T00:00:00.5", "has no offset"),
        ("2010-12-01", "is not a time"),
        ("2010-12-01T00:00Z", "is not a time"),
        ("2010-12-01T00:00:00+24:00", "is not a time"),
        ("2010-12-01T00:00:00+08", "is not a time"),
        ("2010-12-01T00:00:00 Z", "is not a time"),
        ("2010-02-30T00:00:00Z", "is not a time"),
        ("2010-12-01T24:00:00Z", "is not a time"),
        ("2010-12-01T00:00:61Z", "is not a time"),
        ("2010-12-01T00:00:00,5Z", "is not a time"),
        ("0000-01-01T00:00:00Z", "is not a time"),
        ("12/01/2010", "is not a time"),
        ("1291161600000", "is not a time"),
        ("", "is not a time"),
        ("1970-01-01T00:00:00Z", "outside 1970 to 2100"),
        ("1970-01-01T00:00:00.000999Z", "outside 1970 to 2100"),
        ("1969-12-31T23:59:59.999999Z", "outside 1970 to 2100"),
        ("1970-01-01T00:00:01+00:01", "outside 1970 to 2100"),
        ("2100-01-01T00:00:00Z", "outside 1970 to 2100"),
        ("2099-12-31T23:59:00-00:01", "outside 1970 to 2100"),
        ("2200-01-01T00:00:00Z", "outside 1970 to 2100"),
        ("0001-01-01T00:00:00+23:59", "outside 1970 to 2100"),
        ("9999-12-31T23:59:59.999999-23:59", "outside 1970 to 2100"),
    ],
)
@pytest.mark.parametrize("kind", ["click", "tick"])
def test_text_that_is_no_believable_time_is_refused(kind: str, written: str, word: str) -> None:
    why = refusal(wire(kind, "ts", quoted(written)))
    assert why.reason == "invalid_value"
    assert why.detail.startswith("`ts`: ")
    assert word in why.detail


TICK: Final = b'{"type": "tick", "ts": 1}'


@pytest.mark.parametrize(
    ("payload", "reason", "word"),
    [
        (None, "empty", "no payload"),
        (b"", "empty", "no payload"),
        (b" ", "invalid_json", "truncated"),
        (b"\0", "invalid_json", "malformed"),
        (b"{", "invalid_json", "truncated"),
        (TICK[:-1], "invalid_json", "truncated"),
        (TICK + b"x", "invalid_json", "trailing"),
        (TICK + TICK, "invalid_json", "trailing"),
        (TICK + b"\0", "invalid_json", "trailing"),
        (TICK + b",", "invalid_json", "trailing"),
        (b'{"type": "tick", "ts": 1,}', "invalid_json", "trailing comma"),
        (b"{'type': 'tick', 'ts': 1}", "invalid_json", "malformed"),
        (b'{type: "tick", ts: 1}', "invalid_json", "malformed"),
        (b'{"type": "tick", "ts": 01}', "invalid_json", "invalid number"),
        (b'{"type": "tick", "ts": +1}', "invalid_json", "malformed"),
        (b'{"type": "tick", "ts": 1, "x": 0x1}', "invalid_json", "malformed"),
        (b'{"type": "tick", "ts": 1, "x": .5}', "invalid_json", "malformed"),
        (b'{"type": "tick", "ts": 1, "x": "\t"}', "invalid_json", "malformed"),
        (b'{"type": "tick", "ts": 1, "x": "\\q"}', "invalid_json", "escaped"),
        (b"\xef\xbb\xbf" + TICK, "invalid_json", "malformed"),
        (TICK.decode().encode("utf-16"), "invalid_json", "malformed"),
        (b"null", "invalid_value", "got `null`"),
        (b"true", "invalid_value", "got `bool`"),
        (b"1", "invalid_value", "got `int`"),
        (b"1.5", "invalid_value", "got `float`"),
        (b'"tick"', "invalid_value", "got `str`"),
        (b"[]", "invalid_value", "got `array`"),
        (b"[" + TICK + b"]", "invalid_value", "got `array`"),
        (b"{}", "unknown_type", "missing required field `type`"),
        (b'{"ts": 1}', "unknown_type", "missing required field `type`"),
        (b'{"type": null, "ts": 1}', "unknown_type", "`type`"),
        (b'{"type": 1, "ts": 1}', "unknown_type", "`type`"),
        (b'{"type": ["tick"], "ts": 1}', "unknown_type", "`type`"),
        (b'{"type": "", "ts": 1}', "unknown_type", "`type`: Invalid value ''"),
        (b'{"type": "Tick", "ts": 1}', "unknown_type", "`type`: Invalid value 'Tick'"),
        (b'{"type": "event", "ts": 1}', "unknown_type", "`type`: Invalid value 'event'"),
        (b'{"Type": "tick", "ts": 1}', "unknown_type", "missing required field `type`"),
    ],
    ids=_name,
)
def test_what_is_not_one_object_of_a_known_type_is_refused(
    payload: bytes | None, reason: DeadReason, word: str
) -> None:
    why = refusal(payload)
    assert why.reason == reason
    assert word in why.detail


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity", "nan"])
@pytest.mark.parametrize("field", ["price", "unknown"])
def test_numbers_that_json_does_not_know_are_refused_in_any_field(field: str, raw: Raw) -> None:
    why = refusal(wire("click", field, raw))
    assert why.reason == "invalid_json"
    assert "malformed" in why.detail


@pytest.mark.parametrize(
    "raw",
    [r'"\ud800"', r'"\udc00"', r'"\ud800x"', r'"\ud800\ud800"', r'"\udc00\ud800"', r'"a\uD83Db"'],
)
@pytest.mark.parametrize("field", ["user_id", "brand", "unknown"])
def test_a_lone_surrogate_is_refused_in_any_field(field: str, raw: Raw) -> None:
    assert refusal(wire("click", field, raw)).reason == "invalid_json"


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"caf\xe9"])
@pytest.mark.parametrize("field", ["user_id", "event_id", "brand", "action", "type"])
def test_a_field_that_is_not_utf_8_is_refused(field: str, text: bytes) -> None:
    why = refusal(wire("click", field, '"?"').replace(b'"?"', b'"' + text + b'"'))
    assert (why.reason, why.detail) == ("invalid_json", "not UTF-8")


@pytest.mark.parametrize("space", [b"", b" ", b"\n", b"\r\n\t "])
def test_white_space_around_an_object_does_not_matter(space: bytes) -> None:
    assert decode(space + TICK + space) == Tick(ts=1)


def test_names_may_be_escaped_and_the_type_may_come_last() -> None:
    assert decode(b'{"t\\u0073": 1, "ty\\u0070e": "t\\u0069ck"}') == Tick(ts=1)


def test_the_last_of_two_equal_keys_counts() -> None:
    assert decode(b'{"type": "tick", "ts": 1, "ts": 2}') == Tick(ts=2)
    assert refusal(b'{"type": "tick", "ts": 1, "ts": 0}').reason == "invalid_value"


def test_two_types_in_one_object_are_refused() -> None:
    assert decode(b'{"type": "tick", "type": "tick", "ts": 1}') == Tick(ts=1)
    why = refusal(encode(fields_of("click")).replace(b"}", b', "type": "cart"}'))
    assert (why.reason, why.detail) == ("unknown_type", "`type`: Invalid value 'cart'")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_ignored_until_it_is_too_deep(opening: str, closing: str) -> None:
    def nested(levels: int) -> bytes:
        return wire("tick", "unknown", opening * levels + "1" + closing * levels)

    assert decode(nested(100)) == decode(encode(fields_of("tick")))
    why = refusal(nested(40_000))
    assert (why.reason, why.detail) == ("invalid_json", "nested too deeply")


def test_a_payload_of_exactly_256_kb_is_taken_and_one_byte_more_is_not() -> None:
    limit = 256 * 1024
    assert decode(TICK.ljust(limit)) == Tick(ts=1)
    why = refusal(TICK.ljust(limit + 1))
    assert (why.reason, why.detail) == ("too_large", "262145 bytes; at most 262144 are taken")


def test_the_size_is_counted_in_bytes_and_looked_at_before_the_json() -> None:
    assert refusal(wire("click", "query", quoted("用" * 100_000))).reason == "too_large"
    assert refusal(b"\xff" * 1024 * 1024).reason == "too_large"


def expect_a_record_or_a_reason(payload: bytes | None) -> None:
    """Decode; any other exception than Rejected fails the test."""
    try:
        record: Record = decode(payload)
    except Rejected:
        return
    assert type(record.ts) is int
    assert 0 < record.ts < 4_102_444_800_000
    if isinstance(record, Click | Cart | Order | Profile | Message | Tag):
        assert 1 <= len(record.event_id) <= 128
        assert 1 <= len(record.user_id) <= 128


FIELD_NAMES: Final = sorted({name for rules in RULES.values() for name in rules} | ITEM.keys())
TOLD_VALUES: Final = sorted({raw for _, _, raw in GOOD_CASES} | {raw for _, _, raw, _ in BAD_CASES})
json_values: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELD_NAMES), inner, max_size=3),
    max_leaves=5,
).map(json.dumps)
plausible: Final = st.builds(
    lambda kind, fields: encode({**fields_of(kind), **fields}),
    st.sampled_from(list(RULES)),
    st.dictionaries(st.sampled_from(FIELD_NAMES), st.sampled_from(TOLD_VALUES) | json_values, max_size=8),
)


@given(st.binary(max_size=100))
@example(b"")
def test_any_bytes_give_a_record_or_a_reason(payload: bytes) -> None:
    expect_a_record_or_a_reason(payload)


@given(st.text(max_size=100).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_text_gives_a_record_or_a_reason(payload: bytes) -> None:
    expect_a_record_or_a_reason(payload)


@given(plausible)
def test_any_object_of_plausible_fields_gives_a_record_or_a_reason(payload: bytes) -> None:
    expect_a_record_or_a_reason(payload)


@given(plausible, st.data())
def test_a_damaged_payload_gives_a_record_or_a_reason(payload: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(payload)))
    stop = data.draw(st.integers(start, min(start + 3, len(payload))))
    expect_a_record_or_a_reason(payload[:start] + data.draw(st.binary(max_size=3)) + payload[stop:])


odd_offsets: Final = st.integers(-86_399, 86_399).map(lambda seconds: timezone(timedelta(seconds=seconds)))


@given(st.datetimes(timezones=odd_offsets).map(lambda moment: moment.isoformat()))
def test_any_time_with_an_offset_gives_a_tick_or_a_reason(written: str) -> None:
    expect_a_record_or_a_reason(wire("tick", "ts", quoted(written)))
