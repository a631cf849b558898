"""The embedded broker, without transactions, and power cuts: state is exact; outputs may come twice, but the same."""

import time
from pathlib import Path
from random import Random
from threading import Thread
from typing import Final

from tests.flow.system import System, Wire, ends_of, some_events
from tests.oracle import effective, history

EVENTS: Final = 6_000
KILLS: Final = 2


def test_power_cuts_repeat_outputs_at_most(embedded_kafka: str, tmp_path: Path) -> None:
    random = Random(6)  # noqa: S311  repeatable
    system = System(
        tmp_path, kafka=embedded_kafka, partitions="4", clock="event", delivery="at_least_once", session_timeout="2s",
        epoch_ms="20",
    )  # fmt: skip
    events = some_events(7, 400, EVENTS)
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
        system.wait_until_applied(ends_of(events))
        assert system.stop() == [0]
    said: dict[str, Wire] = {}
    for change in system.changes():
        assert said.setdefault(change["id"], change) == change
    assert effective(said.values()) == history(events, ends_of(events) + 1)
    _, markers = system.restored()
    assert sum(marker.state.counters["applied"] for marker in markers) == EVENTS
