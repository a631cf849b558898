"""A look at the bytes of a row tells what the row tells."""

from tables import codec
from tables.arrivals import Arrivals
from tables.labels import Glance, glance, labels_of
from tables.lifecycle import Lifecycle
from tables.row import ManualTag, Row
from tables.rule_tags import RuleTag
from tables.said import Said


def test_a_glance_has_the_first_fields_of_a_row_in_their_order() -> None:
    names = Glance.__struct_fields__
    assert Row.__struct_fields__[: len(names)] == names


def test_by_hand_hides_a_rule_until_its_end_was_said() -> None:
    row = Row(arrivals=Arrivals(b"a" * 16), lifecycle=Lifecycle(state="silent"), erased_at=5)
    row.rule_tags["vip"] = row.rule_tags["b"] = RuleTag([Said(1, None, "gold", 1)])
    row.rule_tags["n"] = RuleTag([Said(1, None, 4.5, 1)])
    row.rule_tags["gone"] = RuleTag([Said(1, None, "x", 1), Said(2, "x", None, 2)])
    row.tags = {
        "vip": ManualTag("silver", 1, "e", 9),
        "b": ManualTag("silver", 1, "e", 9, ended_sequence=3),
        "c": ManualTag(None, 1, "e"),
        "d": ManualTag(False, 1, "e"),
    }
    seen = glance(codec.encode(row))
    assert sorted(labels_of(seen)) == sorted(
        ["", "lifecycle", "lifecycle/silent", "vip", "vip/silver", "b", "b/gold", "n", "d", "d/false"]
    )
    assert (seen.is_blank, seen.erased_at) == (False, 5)


def test_a_row_of_an_older_version_that_ends_early_has_no_tags() -> None:
    blank = codec.HEADER.pack(1, 5) + b"\x93\x05\x00\xc0"
    assert glance(blank).is_blank
    assert codec.decode(blank).is_blank
