"""A seed repeats a campaign."""

from tests.chaos.load import Load
from tests.chaos.plan import KINDS, plan


def test_a_seed_repeats_the_faults_and_the_events() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)
    assert Load(7, 10, 100, 1).events == Load(7, 10, 100, 1).events


def test_a_campaign_has_every_kind_of_fault_and_at_least_twenty() -> None:
    assert {fault.kind for fault in plan(1)} == set(KINDS)
    assert len(plan(1)) >= 20
