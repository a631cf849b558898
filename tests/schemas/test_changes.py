"""Tag changes on the wire, and ids that never meet."""

import json
from typing import Any, Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.changes import LIFECYCLE, PURCHASE, TagChange, change_id
from schemas.events import Scalar

PLAIN: Final = TagChange(
    id="u1/lifecycle/5/1",
    user_id="u1",
    tag=LIFECYCLE,
    from_=None,
    to="active",
    at=5,
    cause="click:e1",
    rule_version=1,
)


def on_the_wire(change: TagChange) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(msgspec.json.encode(change))
    return told


def test_an_ordinary_change_has_from_and_to_and_corrects_nothing() -> None:
    assert on_the_wire(PLAIN) == {
        "id": "u1/lifecycle/5/1",
        "user_id": "u1",
        "tag": "lifecycle",
        "from": None,
        "to": "active",
        "at": 5,
        "cause": "click:e1",
        "rule_version": 1,
    }


def test_a_withdrawal_names_the_change_that_it_corrects() -> None:
    withdrawal = TagChange(
        id="u1/lifecycle/5/2",
        user_id="u1",
        tag=LIFECYCLE,
        from_=PLAIN.to,
        to=PLAIN.from_,
        at=5,
        cause="click:e0",
        rule_version=1,
        corrects=PLAIN.id,
    )
    told = on_the_wire(withdrawal)
    assert (told["corrects"], told["from"], told["to"]) == ("u1/lifecycle/5/1", "active", None)


@pytest.mark.parametrize("value", [None, True, False, 0, 1, -1.5, "", "gold"])
def test_a_value_keeps_its_json_type(value: Scalar) -> None:
    change = msgspec.structs.replace(PLAIN, from_=value, to=value)
    assert f'"from":{json.dumps(value)},"to":{json.dumps(value)}'.encode() in msgspec.json.encode(change)
    assert msgspec.json.decode(msgspec.json.encode(change), type=TagChange) == change


def test_the_lifecycles_have_the_names_of_the_contract() -> None:
    assert (LIFECYCLE, PURCHASE) == ("lifecycle", "lifecycle.purchase")


def test_an_id_tells_user_tag_time_and_number() -> None:
    assert change_id("a/b", PURCHASE, 1_291_161_600_000, 12) == "a/b/lifecycle.purchase/1291161600000/12"


hostile: Final = st.text(st.sampled_from("/u1.:é"), min_size=1, max_size=6) | st.sampled_from(
    ["u", "u/lifecycle", "u/lifecycle/1", "u/lifecycle/1/1", "u/lifecycle/1/1/lifecycle", "/", "//1/1"]
)
tag_names: Final = st.sampled_from([LIFECYCLE, PURCHASE, "1", "u", "vip"]) | st.text(
    st.sampled_from("u1.:é"), min_size=1, max_size=4
)
small: Final = st.integers(1, 12)
parts: Final = st.tuples(hostile, tag_names, small, small)


@given(parts, parts)
@example(("u/lifecycle/1/1", LIFECYCLE, 1, 1), ("u", LIFECYCLE, 1, 1))
@example(("u", "1", 1, 11), ("u", "1", 11, 1))
@example(("u", "1", 1, 1), ("u/1", "1", 1, 1))
def test_two_changes_never_share_an_id(one: tuple[str, str, int, int], other: tuple[str, str, int, int]) -> None:
    assert (change_id(*one) == change_id(*other)) == (one == other)
