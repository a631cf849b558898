"""What a worker answers by HTTP: health for machines, a first page for people."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from app.live.metrics import Metrics
from app.live.status import Summary
from app.live.tasks import TaskManager
from app.live.view import page


class Views:
    """The routes of one worker."""

    def __init__(
        self,
        tasks: Callable[[], TaskManager | None],
        metrics: Metrics,
        summary: Callable[[], Awaitable[Summary]],
        title: str,
    ) -> None:
        self._tasks = tasks
        self._metrics = metrics
        self._summary = summary
        self._title = title

    def add_to(self, app: web.Application) -> None:
        """Serve them."""
        app.router.add_get("/", self.index)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.metrics)

    async def index(self, _: web.Request) -> web.Response:
        """The page."""
        html, policy = page(await self._summary(), self._title)
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def healthz(self, _: web.Request) -> web.Response:
        """The process lives."""
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        """Every partition that this worker owns is processed, and none is stuck."""
        tasks = self._tasks()
        if self._metrics.stalled:
            return web.Response(text="stalled: a partition makes no progress\n", status=503)
        if tasks is None or not tasks.is_ready:
            return web.Response(text="not yet: partitions are being assigned or restored\n", status=503)
        return web.Response(text="ready\n")

    async def metrics(self, _: web.Request) -> web.Response:
        """For Prometheus."""
        return web.Response(body=self._metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})
