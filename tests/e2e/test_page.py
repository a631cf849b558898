"""The live page in a real browser: the script refreshes it, and what comes from data stays text."""

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from html import escape, unescape
from html.parser import HTMLParser
from threading import Event, Thread
from typing import Final
from urllib.request import urlopen

import pytest
from aiohttp import web
from pydantic import SecretStr

from app.api.api import Api
from app.demo.embedded import HOST, free_port
from app.ledger import LedgerLine
from app.live.guard import Guard
from app.live.metrics import Metrics
from app.live.status import PartitionStatus, Summary
from app.live.web import Views
from schemas.changes import TagChange
from tests.api.served import sources
from tests.servers import missing

TRICKS: Final = (
    "<img src=x onerror=document.title='attacked'>",
    '"><script>document.title="attacked"</script>',
    "'><svg onload=document.title='attacked'>",
    "</bdi></td></table><script>document.title='attacked'</script>",
    "</script><script>document.title='attacked'</script>",
    "</style><style>*{display:none}</style>",
    "javascript:document.title='attacked'",
    "{{ 7 * 7 }}${7 * 7}",
    "&lt;b&gt; &amp;amp; <!-- --> ]]>",
    "\N{RIGHT-TO-LEFT OVERRIDE}desrever\N{RIGHT-TO-LEFT ISOLATE}",
    "\x1b[2J\x07\x7f",
    "<" * 128,
)
TOKEN: Final = "a-token-of-the-tests"  # noqa: S105  made up
QUIETLY: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=5000",
)  # fmt: skip


def summary(events: int) -> Summary:
    status = PartitionStatus(
        partition=0,
        phase="running",
        epoch=1,
        watermark=1_700_000_000_000,
        counters={"applied": events, "dead_letters": 7},
        census={"lifecycle": {"active": 3, "lost": 1}, "lifecycle.purchase": {}},
        lag={},
        ledger=[
            LedgerLine(
                campaign=trick, variant="", channel="", reasons={"no_consent": 1_200, "budget": 3, "expired": 1},
                counts={
                    "triggered": 1_000 * number, "held_out": 100, "recalled": 57, "held_recalled": 4, "sent": 1_234_567,
                    "first": 1_000 * number, "first_recalled": 57, "held_first": 100, "held_first_recalled": 4,
                    "cost": 123_456_789, "revenue": 5, "suppressed": 1_201,
                },
            )
            for number, trick in enumerate(TRICKS)
        ],
    )  # fmt: skip
    changes = [
        TagChange(
            id=f"{trick}/lifecycle/1/1", user_id=trick, tag=trick, from_=trick, to=trick, at=1_699_999_999_000,
            cause=f"{trick}:{trick}", rule_version=1,
        )
        for trick in TRICKS
    ]  # fmt: skip
    return Summary.of([status], changes, store=True)


@pytest.fixture
def browser() -> str:
    """The system's Chromium."""
    return shutil.which("chromium") or missing("chromium is not here: apt-get install chromium")


class Address:
    """A worker's web view; with each look it has seen more events."""

    def __init__(self, token: str | None = None) -> None:
        self.url = f"http://{HOST}:{free_port()}"
        self._looks = iter(range(1, 1_000))
        app = web.Application()
        Guard(SecretStr(token) if token else None).add_to(app)
        Views(lambda: None, Metrics(list), self._told, TRICKS[0]).add_to(app)
        Api(sources(summary=self._told)).add_to(app)
        self._runner = web.AppRunner(app)
        self._loop, serving = asyncio.new_event_loop(), Event()
        self._thread = Thread(target=self._serve, args=(serving,))
        self._thread.start()
        assert serving.wait(timeout=30)

    async def _told(self) -> Summary:
        return summary(1_000 * next(self._looks))

    def _serve(self, serving: Event) -> None:
        self._loop.run_until_complete(self._runner.setup())
        self._loop.run_until_complete(web.TCPSite(self._runner, HOST, int(self.url.rpartition(":")[2])).start())
        serving.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


@pytest.fixture
def address() -> Iterator[str]:
    """A web view for this machine."""
    served = Address()
    yield served.url
    served.stop()


@pytest.fixture
def closed() -> Iterator[str]:
    """A web view that asks for a token."""
    served = Address(TOKEN)
    yield served.url
    served.stop()


def seen(browser: str, address: str) -> str:
    """What Chromium has made of a page after five seconds of its time."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603  the system's browser
            [browser, *QUIETLY, f"--user-data-dir={folder}", "--dump-dom", address],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    return done.stdout


class Outline(HTMLParser):
    """The elements of a page, and the texts of those that show something of a user."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.shown: list[str] = []
        self._is_shown = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self._is_shown = tag == "bdi"
        if self._is_shown:
            self.shown.append("")

    def handle_endtag(self, _tag: str) -> None:
        self._is_shown = False

    def handle_data(self, data: str) -> None:
        if self._is_shown:
            self.shown[-1] += data


def check_outline(html: str) -> None:
    """What came from data is text, whole, and has made no element and no attribute."""
    outline = Outline(html)
    assert outline.shown == [*sorted(TRICKS) * 2, *(trick for trick in TRICKS for _ in range(4))]
    assert (outline.elements["script"], outline.elements["style"]) == (2, 1)
    assert not {"img", "svg", "b", "iframe"} & outline.elements.keys()
    assert not any(name.startswith("on") for name in outline.attributes)
    assert [name for name in outline.elements if name == "a"] == ["a"]


def test_what_the_server_makes_of_data_is_text(address: str) -> None:
    with urlopen(address) as answer:  # noqa: S310  our own
        check_outline(answer.read().decode())


def test_the_script_refreshes_the_page_and_shows_data_as_text(browser: str, address: str) -> None:
    page = seen(browser, address)
    assert "attacked - Rekindle" not in page
    assert f"<title>{escape(TRICKS[0], quote=False)} - Rekindle, live</title>" in page
    events = page.split('id="events">')[1].split("<")[0]
    assert int(events.replace(",", "")) > 1_000
    assert 'id="dead-letters">7<' in page
    check_outline(page)
    assert "The worker does not answer" in page
    assert 'id="no-answer" role="status" hidden' in page


def figures(page: str) -> list[tuple[str, str]]:
    """Title and text of each figure of the ledger."""
    return re.findall(r'<td class="[a-z ]+" data-title="([^"]*)">([^<]*)</td>', page)


def test_the_script_writes_the_ledger_as_the_server_does(browser: str, address: str) -> None:
    with urlopen(address) as answer:  # noqa: S310  our own
        told = figures(answer.read().decode())
    assert len(told) == 17 * len(TRICKS)
    assert ("Lift", "-") in told
    assert ("Lift", "+1.7 (-4.3 to +4.6)") in told
    assert ("Mostly because of", "no_consent 1,200, budget 3") in told
    assert ("Cost", "1,234,567.89") in told
    assert figures(seen(browser, address)) == told


def test_the_bars_are_as_long_as_their_numbers_without_a_style_that_is_not_ours(browser: str, address: str) -> None:
    page = seen(browser, address)
    assert re.search(r'data-bar="active" style="flex-grow: 3;"', page)  # set by the script, as the policy allows


def test_a_person_without_the_token_sees_the_form_alone(browser: str, closed: str) -> None:
    page = seen(browser, closed)
    assert "<title>Rekindle: sign in</title>" in page
    assert 'type="password"' in page
    assert not any(trick in unescape(page) for trick in TRICKS)
