"""Verdicts: each reason not to send, in their order, and who of the eligible is held out."""

from collections import Counter
from typing import Any, Final

import pytest

from agents.recall.campaign import Campaign, Cap, Quiet, Variant
from agents.recall.campaigns import Campaigns
from agents.recall.verdict import Verdict, judge
from schemas.times import DAY_MS, HOUR_MS
from tables.recalls import CANCELLED, FAILED, HELD, RUN
from tables.row import Register
from tests.agents.recall.cases import GIFT, NOON, PUSH, SMS, campaign, case, row, shot

NIGHT: Final = Quiet(11 * 60, 13 * 60)
CAP: Final = Cap(1, DAY_MS)

WRONG: Final[list[tuple[str, dict[str, Any], dict[str, Any]]]] = [
    ("paused", {"mode": "paused"}, {}),
    ("muted", {"mute_before": NOON + 1}, {}),
    ("outdated", {}, {"tags": {"mood": "high"}}),
    ("not_in_audience", {"audience": lambda *_: False}, {}),
    ("expired", {"expiry_ms": DAY_MS}, {"due": NOON - DAY_MS}),
    ("no_consent", {}, {}),
    ("frequency_cap", {"cap": CAP}, {}),
    ("outranked", {}, {}),
]
"""What makes each reason hold, in the order in which they are told."""


def reasons(of: Campaign, *sent: Any, **fields: Any) -> tuple[str, ...]:
    return judge(case(of, *sent, **fields)).reasons


@pytest.mark.parametrize("place", range(len(WRONG)))
def test_of_all_that_is_wrong_the_first_is_told(place: int) -> None:
    """What comes before it is right; it, and all behind it, is wrong."""
    of: dict[str, Any] = {"quiet": NIGHT}
    fields: dict[str, Any] = {}
    for _, own, more in WRONG[place:]:
        of |= own
        fields |= more
    names = [name for name, *_ in WRONG[place:]]
    known = row()
    if "no_consent" in names:
        known.consent = {}
    sent = [shot(NOON)]
    if names == ["outranked"] or "frequency_cap" in names:
        assert reasons(campaign(**of), *sent, row=known, **fields) == (names[0],)
    else:
        pytest.fail("each list ends with the reasons about what was sent")


def test_a_campaign_that_is_paused_by_hand_says_nothing() -> None:
    assert judge(case(campaign(), is_paused=True)) == Verdict("suppressed", ("paused",))


def test_who_has_nothing_against_it_gets_the_first_channel() -> None:
    verdict = judge(case(campaign()))
    assert (verdict.outcome, verdict.reasons, verdict.channel) == ("triggered", (), PUSH)


def test_a_campaign_without_a_value_waits_for_any_but_null() -> None:
    any_value = campaign(on=campaign().on._replace(to=None))  # type: ignore[union-attr]  # it has one
    assert judge(case(any_value, tags={"mood": "high"})).outcome == "triggered"
    assert reasons(any_value, tags={"mood": None}) == ("outdated",)


def test_a_run_by_hand_asks_for_no_value() -> None:
    assert judge(case(campaign(), tags={"mood": None}, cause=RUN + "1")).outcome == "triggered"


@pytest.mark.parametrize(("late", "outcome"), [(0, "suppressed"), (-1, "triggered")])
def test_a_trigger_expires_so_long_after_it_was_due_first(late: int, outcome: str) -> None:
    assert judge(case(campaign(expiry_ms=DAY_MS), due=NOON - DAY_MS - late)).outcome == outcome


def test_reach_channels_ask_for_consent_and_an_address_and_others_for_neither() -> None:
    known = row()
    known.consent["push"] = Register(value=False, ts=2, event_id="d")
    known.reachable = Register(["push"], 2, "d")
    assert reasons(campaign(), row=known) == ("no_consent", "unreachable")
    assert judge(case(campaign("c", PUSH, SMS, GIFT), row=known)).channel == GIFT
    known.consent, known.reachable = {}, None
    assert judge(case(campaign("c", PUSH, GIFT), row=known)).channel == GIFT
    assert reasons(campaign("c", PUSH, SMS), row=known) == ("no_consent",)


def test_who_agreed_but_told_no_address_cannot_be_reached() -> None:
    known = row()
    known.reachable = None
    assert reasons(campaign(), row=known) == ("unreachable",)


def test_a_channel_that_costs_more_than_is_left_is_passed_over() -> None:
    assert judge(case(campaign("c", SMS, PUSH), left=4)).channel == PUSH
    assert judge(case(campaign("c", SMS, PUSH), left=5)).channel == SMS
    assert reasons(campaign("c", SMS), left=4) == ("budget",)


def test_what_failed_leads_to_the_channels_behind_it_alone() -> None:
    assert judge(case(campaign(), failed="push")).channel == SMS
    assert reasons(campaign(), failed="sms") == ("failed",)


@pytest.mark.parametrize(("before", "is_full"), [(0, True), (DAY_MS - 1, True), (DAY_MS, False)])
def test_a_cap_counts_what_is_younger_than_its_span(before: int, is_full: bool) -> None:
    of = campaign(cap=CAP, slot="another")
    found = reasons(of, shot(NOON - before))
    assert found == (("frequency_cap",) if is_full else ())


@pytest.mark.parametrize(("marks", "counts"), [(0, True), (HELD, True), (CANCELLED, True), (FAILED, False)])
def test_a_cap_counts_who_was_held_out_and_what_was_taken_back_but_nothing_that_failed(
    marks: int, counts: bool
) -> None:
    assert bool(reasons(campaign(cap=CAP), shot(NOON - 1, marks=marks))) is counts


def test_the_cap_of_a_campaign_counts_its_own_and_that_of_all_counts_every_one() -> None:
    of = campaign(cap=CAP)
    assert reasons(of, shot(NOON - 1, "other")) == ()
    assert reasons(of, shot(NOON - 1, "other"), campaigns=Campaigns((of,), cap=CAP)) == ("frequency_cap",)
    assert reasons(of, shot(NOON - 1, "other"), campaigns=Campaigns((of,), cap=Cap(2, DAY_MS))) == ()


def test_of_two_in_a_slot_at_one_instant_the_second_is_outranked() -> None:
    of, same, another = campaign(), campaign("same"), campaign("another", slot="s")
    known = Campaigns((same, another, of))
    assert reasons(of, shot(NOON, "same"), campaigns=known) == ("outranked",)
    assert reasons(of, shot(NOON, "another"), campaigns=known) == ()
    assert reasons(of, shot(NOON - 1, "same"), campaigns=known) == ()


def test_quiet_hours_put_off_to_their_end() -> None:
    verdict = judge(case(campaign(quiet=NIGHT)))
    assert verdict == Verdict("deferred", ("quiet_hours",), until=NOON + HOUR_MS)
    assert judge(case(campaign(quiet=NIGHT), at=NOON + HOUR_MS)).outcome == "triggered"


@pytest.mark.parametrize(("expiry_ms", "outcome"), [(HOUR_MS, "suppressed"), (HOUR_MS + 1, "deferred")])
def test_what_expires_in_quiet_hours_is_dropped(expiry_ms: int, outcome: str) -> None:
    verdict = judge(case(campaign(quiet=NIGHT, expiry_ms=expiry_ms)))
    assert verdict.outcome == outcome
    assert verdict.reasons == (("quiet_hours", "expired") if outcome == "suppressed" else ("quiet_hours",))


@pytest.mark.parametrize(
    ("stated", "outcome"),
    [("Asia/Tokyo", "deferred"), ("UTC", "triggered"), ("Mars/Olympus", "deferred"), (5, "deferred")],
)
def test_quiet_hours_are_of_the_users_zone_and_of_the_files_where_that_is_none(stated: object, outcome: str) -> None:
    of, known = campaign(quiet=Quiet(20 * 60, 22 * 60)), row()
    known.attributes = {"timezone": Register(stated, 1, "z")}  # type: ignore[arg-type]  # what people write
    assert judge(case(of, row=known, campaigns=Campaigns((of,), timezone="Asia/Tokyo"))).outcome == outcome


def of_users(of: Campaign, control: float = 0.0) -> dict[str, Verdict]:
    known = Campaigns((of,), control=control)
    return {user: judge(case(of, campaigns=known)._replace(user_id=user)) for user in map(str, range(2_000))}


def test_a_stable_share_is_held_out_and_the_control_group_is_the_same_in_every_campaign() -> None:
    a, b = (of_users(campaign(name, hold_out=0.2), control=0.1) for name in "ab")
    control = [{user for user, each in found.items() if each.reasons == ("control",)} for found in (a, b)]
    held = [{user for user, each in found.items() if each.outcome == "held_out"} for found in (a, b)]
    assert control[0] == control[1]
    assert 160 < len(control[0]) < 240
    assert 500 < len(held[0]) < 620
    assert held[0] != held[1]
    assert held[0] >= control[0]


def test_nobody_who_is_not_eligible_is_held_out() -> None:
    assert judge(case(campaign(hold_out=0.999, audience=lambda *_: False))).outcome == "suppressed"
    assert judge(case(campaign(hold_out=0.999, quiet=NIGHT))).outcome == "deferred"


def test_a_shadow_triggers_nobody_and_holds_out_whom_the_campaign_would() -> None:
    on, shadow = of_users(campaign(hold_out=0.3)), of_users(campaign(hold_out=0.3, mode="shadow"))
    moved = {"triggered": "shadow", "held_out": "held_out"}
    assert [moved[each.outcome] for each in on.values()] == [each.outcome for each in shadow.values()]


def test_variants_are_given_by_weight_to_the_held_out_too_and_not_by_who_is_held_out() -> None:
    variants = (Variant("a", 1), Variant("b", 3))
    found = of_users(campaign(variants=variants, hold_out=0.5))
    counts = Counter((each.outcome, each.variant and each.variant.name) for each in found.values())
    assert {name for _, name in counts} == {"a", "b"}
    for outcome in ("triggered", "held_out"):
        share = counts[outcome, "a"] / (counts[outcome, "a"] + counts[outcome, "b"])
        assert 0.2 < share < 0.3


def test_who_is_not_eligible_has_no_channel() -> None:
    with pytest.raises(ValueError, match="no channel"):
        _ = judge(case(campaign(mode="paused"))).channel
