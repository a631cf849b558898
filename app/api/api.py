"""The API of a worker, served."""

from aiohttp import web

from app.api.problem import problems
from app.api.routes import ROUTES
from app.api.sources import Sources


class Api:
    """All routes of the table, and problem documents for what goes wrong."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def add_to(self, app: web.Application) -> None:
        """Serve them."""
        app.middlewares.append(problems)
        for route in ROUTES:
            route.add_to(app, self._sources)

    async def close(self) -> None:
        """Let what is underway to the broker arrive."""
        await self._sources.publisher.close()
