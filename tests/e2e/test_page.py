"""The live page in a real browser: the script refreshes it, and what comes from data stays text."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from threading import Event, Thread
from typing import Final

import pytest
from aiohttp import web

from app.demo.embedded import HOST, free_port
from app.live.metrics import Metrics
from app.live.status import PartitionStatus, Summary
from app.live.web import Views
from schemas.changes import TagChange
from tests.servers import missing

ATTACK: Final = "<img src=x onerror=document.title='attacked'>"
QUIETLY: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=5000",
)  # fmt: skip


def summary(events: int, user: str) -> Summary:
    status = PartitionStatus(
        partition=0,
        phase="running",
        epoch=1,
        watermark=1_700_000_000_000,
        counters={"applied": events, "dead_letters": 7},
        census={"lifecycle": {"active": 3, "lost": 1}, "lifecycle.purchase": {}},
        lag={},
    )
    change = TagChange(
        id=f"{user}/lifecycle/1/1", user_id=user, tag="lifecycle", from_=None, to="active", at=1_699_999_999_000,
        cause="click:c", rule_version=1,
    )  # fmt: skip
    return Summary.of([status], [change], store=True)


@pytest.fixture
def browser() -> str:
    """The system's Chromium."""
    return shutil.which("chromium") or missing("chromium is not here: apt-get install chromium")


@pytest.fixture
def address() -> Iterator[str]:
    """A worker's web view; with each look it has seen more events."""
    looks = iter(range(1, 1_000))

    async def told() -> Summary:
        return summary(1_000 * next(looks), ATTACK)

    port, loop, serving = free_port(), asyncio.new_event_loop(), Event()
    app = web.Application()
    Views(lambda: None, Metrics(list), told, "a title").add_to(app)
    runner = web.AppRunner(app)

    def serve() -> None:
        loop.run_until_complete(runner.setup())
        loop.run_until_complete(web.TCPSite(runner, HOST, port).start())
        serving.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = Thread(target=serve)
    thread.start()
    assert serving.wait(timeout=30)
    yield f"http://{HOST}:{port}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_the_script_refreshes_the_page_and_shows_data_as_text(browser: str, address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603  the system's browser
            [browser, *QUIETLY, f"--user-data-dir={folder}", "--dump-dom", address],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    page = done.stdout
    assert "<title>a title - Rekindle, live</title>" in page
    events = page.split('id="events">')[1].split("<")[0]
    assert int(events.replace(",", "")) > 1_000
    assert 'id="dead-letters">7<' in page
    assert "&lt;img src=x onerror=" in page
    assert "<img src=x" not in page
    assert "The worker does not answer" in page
    assert 'id="no-answer" role="status" hidden' in page
