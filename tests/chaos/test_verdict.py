"""The verdict's own parts: what it has to notice."""

from tests.chaos.load import Load
from tests.chaos.verdict import is_whole
from tests.oracle import is_erasure


def test_changes_and_decisions_count_on_together() -> None:
    assert is_whole([1, 2, 5], [3, 4], may_begin_anew=False)
    assert not is_whole([1, 2, 5], [3], may_begin_anew=False)
    assert not is_whole([1, 2], [2, 3], may_begin_anew=False)
    assert not is_whole([2, 1], [3], may_begin_anew=False)


def test_only_who_was_erased_may_begin_anew() -> None:
    assert is_whole([1, 2, 1, 3], [3, 2], may_begin_anew=True)
    assert not is_whole([1, 2, 1, 3], [3, 2], may_begin_anew=False)
    assert not is_whole([1, 3, 1, 2], [4, 3], may_begin_anew=True)


def test_nobody_who_is_erased_late_has_agreed_to_anything() -> None:
    newest, late, agreed = 0, set(), set()
    for event in Load(1, 2_000, 20_000, 60).events:
        if is_erasure(event) and event["ts"] < newest:
            late.add(event["user_id"])
        if event.get("reachable"):
            agreed.add(event["user_id"])
        newest = max(newest, event["ts"])
    assert late
    assert agreed
    assert not late & agreed
