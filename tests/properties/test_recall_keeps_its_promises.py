"""Whatever comes late, the laws of recall hold; so do budgets."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import DAY_MS
from tests.recall_laws import campaigns, check_caps, check_ids, check_laws, sent
from tests.recall_recount import recounted
from tests.recall_storms import BUDGET, Plot, played, plots, windows


@settings(max_examples=150, deadline=None)
@given(st.one_of(plots(late=True), plots(late=True, file=BUDGET)))
def test_late_events_break_no_promise(plot: Plot) -> None:
    world = played(plot)
    assert not any(partition.dead_letters for partition in world.all)
    check_laws(world)
    until = world.watermark
    assert world.ledger() == recounted(world.events(), world.decisions, world.triggers, windows(world.file), until)


@settings(max_examples=60, deadline=None)
@given(plots(file=BUDGET), st.integers(1, 3))
def test_no_campaign_books_more_on_a_day_than_its_budget(plot: Plot, partitions: int) -> None:
    world = played(plot, partitions)
    costs = windows(world.file)
    booked: Counter[tuple[str, int]] = Counter()
    for trigger in sent(world):
        cost = costs[trigger["campaign"], trigger["recall_channel"]][1]
        booked[trigger["campaign"], trigger["at"] // DAY_MS] += cost
    for (name, _), cost in booked.items():
        budget = campaigns(world)[name].get("budget")
        assert budget is None or cost <= round(budget * 100)
    check_ids(world)
    check_caps(world)
