"""Moves of a running system: through power cuts each is counted once, and every worker can tell those of all."""

import asyncio
import time
from pathlib import Path
from random import Random
from threading import Thread
from typing import Final

from app.live.moves_model import WRITE_S, MovesModel, Told
from schemas.times import DAY_MS
from tests.flow.system import System, ends_of, some_events
from tests.oracle import history
from tests.properties.test_moves_are_the_oracles import check_population, expected_days

EVENTS: Final = 4_000
KILLS: Final = 2


def told(system: System) -> Told:
    """What a worker finds in Redis that owns nothing."""

    async def asked() -> Told:
        model = MovesModel(system.settings.redis_connection, system.settings.app_id, tuple)
        try:
            return await model.told()
        finally:
            await model.close()

    return asyncio.run(asked())


def test_power_cuts_count_no_move_twice_and_all_workers_tell_the_same(
    embedded_kafka: str, redis_url: str, tmp_path: Path
) -> None:
    random = Random(8)  # noqa: S311  repeatable
    system = System(
        tmp_path, kafka=embedded_kafka, redis=redis_url, partitions="4", clock="event", delivery="at_least_once",
        session_timeout="2s", epoch_ms="20",
    )  # fmt: skip
    events = some_events(9, 300, EVENTS)
    producer = Thread(target=system.publish, args=[events, lambda _: time.sleep(0.003)])
    with system:
        system.start(0)
        system.wait_until_ready()
        producer.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(2, 4))
            system.kill(0)
            system.start(0)
            system.wait_until_ready()
        producer.join()
        end = ends_of(events)
        system.wait_until_applied(end)
        time.sleep(2 * WRITE_S)
        moves, partitions, is_there = told(system)
        assert system.stop() == [0]
    truth = history(events, end + 1)
    assert (partitions, is_there) == (4, True)
    assert moves.days == expected_days(truth)
    check_population(moves, truth, end // DAY_MS)
