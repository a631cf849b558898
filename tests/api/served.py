"""A worker's web server in a thread of its own, with the guard, the views and the API, and how to ask it."""

import asyncio
import json
from collections.abc import Iterable
from threading import Event, Thread
from typing import Any, NamedTuple

from aiohttp import ClientSession, CookieJar, web
from pydantic import SecretStr

from agents.rules.rulebook import NO_RULES
from app.api.api import Api
from app.api.publisher import Publisher
from app.api.sources import Sources
from app.demo.embedded import HOST, free_port
from app.explain.explain import Basis
from app.explain.written import written
from app.live.guard import Guard
from app.live.metrics import Metrics
from app.live.moves_model import Told
from app.live.status import PartitionStatus, Summary
from app.live.web import Views
from app.moves import added
from app.read_model.connection import connect
from app.read_model.reader import Reader
from app.settings import Settings


def sources(settings: Settings | None = None, statuses: Iterable[PartitionStatus] = (), **changes: Any) -> Sources:
    """What a worker has that knows of these partitions, and of nothing else unless it is said."""
    settings = settings or Settings(kafka=f"{HOST}:1", redis=f"redis://{HOST}:1")

    async def summary() -> Summary:
        return Summary.of(statuses, [], store=True)

    async def partitions() -> tuple[list[PartitionStatus], bool]:
        return list(statuses), True

    async def moves() -> Told:
        return Told(added([]), 0, store=True)

    known: dict[str, Any] = {
        "moves": moves, "settings": settings, "rulebook": NO_RULES, "summary": summary, "partitions": partitions,
        "ensemble": lambda: None, "told": tuple, "publisher": Publisher(settings), "reader": reader(settings),
        "basis": Basis(NO_RULES, written(None), settings.limits),
    }  # fmt: skip
    return Sources(**known | changes)


def reader(settings: Settings) -> Reader:
    """Of the Redis that is set."""
    return Reader(connect(settings.redis_connection), settings.app_id, settings.partitions)


class Answer(NamedTuple):
    """Status, headers (names in lower case) and text of an answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """What a JSON document says."""
        return json.loads(self.text)


class Served:
    """The web server of one worker."""

    def __init__(self, token: str | None = None, known: Sources | None = None) -> None:
        self.port = free_port()
        self._app = web.Application()
        known = known or sources()
        Guard(SecretStr(token) if token else None).add_to(self._app)
        Views(lambda: None, Metrics(list), known.summary, "").add_to(self._app)
        self._api = Api(known)
        self._api.add_to(self._app)
        self._loop, serving = asyncio.new_event_loop(), Event()
        self._thread = Thread(target=self._serve, args=(serving,))
        self._thread.start()
        assert serving.wait(30)

    def _serve(self, serving: Event) -> None:
        runner = web.AppRunner(self._app)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, HOST, self.port).start())
        serving.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._api.close())
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def stop(self) -> None:
        """End it, and let what is underway arrive."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def ask(self, path: str, method: str = "GET", **options: Any) -> Answer:
        """What it answers."""

        async def asked() -> Answer:
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                url = f"http://{HOST}:{self.port}{path}"
                async with session.request(method, url, allow_redirects=False, **options) as answer:
                    headers = {name.lower(): value for name, value in answer.headers.items()}
                    return Answer(answer.status, headers, await answer.text())

        return asyncio.run(asked())

    def status(self, path: str, **headers: str) -> int:
        """The status of what it answers."""
        return self.ask(path, headers={name.replace("_", "-"): value for name, value in headers.items()}).status
