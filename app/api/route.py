"""A route of the API: one entry of the table from which both the router and the OpenAPI document are made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Struct

from app.api.query import read_query
from app.api.sources import Sources

JSON: Final = "application/json"


class NoQuery(Struct):
    """A route that takes no parameters."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `query`: its parameters, checked, in the struct of the route."""

    sources: Sources
    request: web.Request
    query: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where, what, and how.

    `handle` gives a struct of the type `answer`, or a response that is complete. `summary` is a line, `detail` what has
    to be known beside it. `path`: its parameters are described by name in `parts`, those of the query by the fields of
    `query`. `body`, `media`: the types by media type of what is taken, and of what is given beside JSON; str: a text.
    `problems`: what goes wrong beyond what may go wrong with every route.
    """

    method: Literal["GET", "POST"] = "GET"
    path: str
    summary: str
    detail: str = ""
    handle: Callable[[Asked], Awaitable[Struct | web.StreamResponse]]
    answer: Any
    status: HTTPStatus = HTTPStatus.OK
    parts: Mapping[str, str] = field(default_factory=dict)
    query: type[Struct] = NoQuery
    body: Mapping[str, Any] = field(default_factory=dict)
    media: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[HTTPStatus, ...] = ()

    def add_to(self, app: web.Application, sources: Sources) -> None:
        """Serve it."""

        async def answered(request: web.Request) -> web.StreamResponse:
            found = await self.handle(Asked(sources, request, read_query(request.query, self.query)))
            if isinstance(found, web.StreamResponse):
                return found
            return web.Response(status=self.status, body=msgspec.json.encode(found), content_type=JSON)

        if self.method == "GET":
            app.router.add_get(self.path, answered)
        else:
            app.router.add_route(self.method, self.path, answered)
