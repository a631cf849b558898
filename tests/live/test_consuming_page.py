"""The records on docs/consuming.md are those of a run."""

import json
from pathlib import Path
from typing import Final

from schemas.times import DAY_MS
from tests.live.desk import CLICKS, Desk, running, soon
from tests.live.quick_loop import run_quickly

PAGE: Final = Path(__file__).parents[2] / "docs" / "consuming.md"
NEW_YEAR: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOUR_MS: Final = DAY_MS // 24


def record(what: str, event_id: str, days: int, hours: int, **fields: str) -> bytes:
    ts = NEW_YEAR + days * DAY_MS + hours * HOUR_MS
    return json.dumps({"type": what, "event_id": event_id, "user_id": "u-42", "ts": ts, **fields}).encode()


def test_the_worked_example_is_what_a_task_says() -> None:
    async def story() -> list[str]:
        desk = Desk()
        task = desk.task()
        async with running(task):
            for topic, payload, until in (
                (CLICKS, record("click", "c-1", 0, 9, item_id="i"), 33),
                (CLICKS, record("click", "c-2", 28, 18, item_id="i"), 61),
                ("events.profile", record("profile", "p-9", 64, 0, kind="erased"), 65),
            ):
                desk.put(topic, payload)
                desk.tick(NEW_YEAR + until * DAY_MS)
                desk.feed(task)
                await soon()
        return [output.value.decode() for output in desk.broker.outputs]

    shown = [line for line in PAGE.read_text().splitlines() if line.startswith('{"id"')]
    assert shown == run_quickly(story())
