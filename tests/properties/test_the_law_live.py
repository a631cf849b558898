"""The law, live: also with crashes, restarts and hand-overs at every point of an epoch.

Real tasks of two workers on logs in memory, a pair for each partition of a storm, with a plan of what goes wrong.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings

from schemas.topics import TAG_CHANGES
from tests.live.fates import Plan, Planned, plans
from tests.live.histories import part_of
from tests.live.quick_loop import run_quickly
from tests.live.world import Unaudited, World
from tests.oracle import Wire, effective, follow, history
from tests.properties.test_the_law import limits_of
from tests.storms import Storm, storms

EXAMPLES = 250


def lived(storm: Storm, plan: Plan, *, transactional: bool) -> list[World]:
    """All partitions at the same time, each with the same plan."""

    async def story() -> list[World]:
        worlds = [
            World(
                part_of(storm, number), Planned(plan), Unaudited(), transactional=transactional, limits=limits_of(storm)
            )
            for number in range(storm.partitions)
        ]
        await asyncio.gather(*(world.live() for world in worlds))
        return worlds

    return run_quickly(story())


def published(worlds: Iterable[World]) -> list[Wire]:
    """What a consumer finds, read committed."""
    outputs = [output for world in worlds for output in world.broker.outputs]
    assert {output.topic for output in outputs} <= {TAG_CHANGES}
    return [json.loads(output.value) for output in outputs]


def once(said: Sequence[Wire]) -> list[Wire]:
    """Without what came again: that has to be the same."""
    known: dict[str, Any] = {}
    for change in said:
        assert known.setdefault(change["id"], change) == change
    return list(known.values())


@pytest.mark.parametrize("transactional", [True, False], ids=["whole", "in steps"])
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(storm=storms(), plan=plans())
def test_whatever_is_cut_off_where_the_effective_history_is_the_oracles(
    storm: Storm, plan: Plan, transactional: bool
) -> None:
    worlds = lived(storm, plan, transactional=transactional)
    note("; ".join(f"{kind} {point.value}" for world in worlds for point, kind in world.hits))
    said = published(worlds)
    told = once(said)
    assert not transactional or told == said
    assert effective(told) == history(storm.all_arrivals(), storm.watermark, storm.limits)
    assert follow(told) == {
        user: {tag: changes[-1][2] for tag, changes in tags.items()} for user, tags in effective(told).items()
    }
