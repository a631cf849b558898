"""What has to be true of campaigns when a fault campaign is over: nobody is asked twice, nobody is passed over."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from tables import codec
from tests.oracle import DAY_MS
from tests.recall_laws import (
    campaigns,
    check_cancellations,
    check_caps,
    check_causes,
    check_ids,
    check_triggers,
    sent,
    started,
    unanswered,
)
from tests.recall_recount import Cell, recounted
from tests.recall_storms import World, windows

Rows: TypeAlias = Mapping[bytes, bytes]
Ledger: TypeAlias = Mapping[Cell, int]


def recall_findings(world: World, rows: Rows, ledger: Ledger) -> Iterator[tuple[str, bool, str]]:
    """Each law of recall, whether it holds, and what was counted."""
    for law, judge in (
        ("each trigger is said once, and has its decision", _ids),
        ("no user who should be decided about is passed over", _causes),
        ("nobody gets a trigger who must not", _triggers),
        ("what is taken back is not expired", _cancellations),
        ("no campaign books more on a day than its budget", _budgets),
        ("the ledger is what the topics tell", _ledger),
    ):
        try:
            yield law, True, judge(world, rows, ledger)
        except AssertionError as error:
            yield law, False, f"{error}"[:1000]


def _ids(world: World, _rows: Rows, _ledger: Ledger) -> str:
    check_ids(world)
    decided = {each["id"] for each in world.decisions if each["outcome"] == "triggered"}
    assert decided == {each["id"] for each in sent(world)}, "a decision to send without its trigger"
    outcomes = Counter(each["outcome"] for each in world.decisions)
    told = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items()))
    assert all(outcomes[name] for name in ("triggered", "held_out", "suppressed", "deferred", "cancelled")), told
    return told


def _causes(world: World, rows: Rows, _ledger: Ledger) -> str:
    """Each change that starts a campaign is decided about, or waits in its user's row."""
    check_causes(world)
    unanswered_yet = unanswered(world)
    for (user, campaign, _), (due, causes) in unanswered_yet.items():
        row = codec.decode(rows[user.encode()])
        waiting = [each for each in row.recalls.due if each.campaign == campaign and each.cause in causes]
        assert waiting, f"{user} is not decided about by {campaign}, due {due}, and does not wait"
    return f"{len(started(world)):,} started campaigns, {len(unanswered_yet)} of these wait"


def _triggers(world: World, _rows: Rows, _ledger: Ledger) -> str:
    check_triggers(world)
    check_caps(world)
    return f"{len(sent(world)):,} triggers"


def _cancellations(world: World, _rows: Rows, _ledger: Ledger) -> str:
    check_cancellations(world)
    return f"{len(world.triggers) - len(sent(world))} taken back"


def _budgets(world: World, _rows: Rows, _ledger: Ledger) -> str:
    known, costs = campaigns(world), windows(world.file)
    booked: Counter[tuple[str, int]] = Counter()
    for each in sent(world):
        booked[each["campaign"], each["at"] // DAY_MS] += costs[each["campaign"], each["recall_channel"]][1]
    over = [(name, day) for (name, day), cost in booked.items() if cost > 100 * known[name].get("budget", cost)]
    assert not over, over
    refused = sum("budget" in each["reasons"] for each in world.decisions)
    return f"{len(booked):,} days of campaigns, {refused} decisions that a budget forbade"


def _ledger(world: World, _rows: Rows, ledger: Ledger) -> str:
    told = recounted(world.events(), world.decisions, world.triggers, windows(world.file), world.watermark)
    wrong = dict(ledger.items() ^ told.items())
    assert not wrong, f"{len(wrong)} cells are not what the topics tell, such as {next(iter(wrong))}"
    counts: Counter[str] = Counter()
    for (*_, name), count in told.items():
        counts[name] += count
    names = ("sent", "failed", "unsubscribed", "recalled", "held_recalled", "lost_again", "cost", "revenue")
    assert all(counts[name] for name in names), counts
    return f"{len(told):,} cells: " + ", ".join(f"{counts[name]:,} {name}" for name in names)
