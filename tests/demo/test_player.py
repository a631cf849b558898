"""The replay of the demo goes at its pace, but never far ahead of the worker: what is reported waits for that time."""

import asyncio
from threading import Thread
from time import monotonic, sleep

from app.demo.player import HeldPace
from schemas.times import DAY_MS, NEVER


class Worker:
    """How far a worker is."""

    reached = 0


def test_within_reach_it_goes_at_its_pace() -> None:
    pace = HeldPace(None, lambda: Worker.reached, DAY_MS).start(0)
    assert pace.wait_s(DAY_MS, 0) == 0


def test_too_far_ahead_it_waits_until_the_worker_has_come_up() -> None:
    worker = Worker()
    pace = HeldPace(None, lambda: worker.reached, DAY_MS).start(0)
    wait_s = pace.wait_s(DAY_MS + 1, 0)
    assert wait_s > 0

    def come_up() -> None:
        sleep(0.3)
        worker.reached = 1

    started = monotonic()
    Thread(target=come_up).start()

    async def wait() -> None:
        await pace.sleep(wait_s)

    asyncio.run(wait())
    assert monotonic() - started >= 0.3
    assert pace.wait_s(DAY_MS + 1, 0) == 0


def test_a_replay_that_is_to_stop_waits_for_nobody() -> None:
    pace = HeldPace(None, lambda: NEVER, DAY_MS).start(0)
    assert pace.wait_s(NEVER, 0) == 0
